"""Alpha from known colours: recovered where they are known, and left alone everywhere else."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from howard.colour import mix
from howard.matting.unmixing import unmix_alpha

ORANGE = torch.tensor([0.85, 0.45, 0.15])[:, None, None]


class Case:
    """A disc with a rim of strands over a place of blue blots; the network sees it blunt."""

    def __init__(self, seed: int = 0, size: tuple[int, int] = (96, 128), linear_light: bool = True) -> None:
        draws = torch.Generator().manual_seed(seed)
        height, width = size
        blots = torch.rand(1, 3, 8, 10, generator=draws) * torch.tensor([0.3, 0.4, 0.6])[:, None, None]
        self.plate = F.interpolate(blots, size=size, mode="bicubic", align_corners=False).clamp(0, 1)
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        depth = 30 - ((rows - 48.0) ** 2 + (columns - 64.0) ** 2).sqrt()
        strands = torch.rand(height, width, generator=draws)
        rim = (depth / 8).clamp(0, 1)
        self.alpha = (rim ** (0.3 + 2 * strands))[None, None]
        self.source = mix(ORANGE.expand(1, 3, *size), self.plate, self.alpha, linear_light)
        self.network = F.avg_pool2d(self.alpha, 7, stride=1, padding=3, count_include_pad=False)
        self.patches = F.max_pool2d(((depth > -4) & (depth < 12)).float()[None, None], 4, ceil_mode=True)

    @property
    def inside(self) -> Tensor:
        """Which pixels lie in patches or in those beside them, (1, 1, H, W) bool."""
        patches = F.max_pool2d(self.patches, 3, stride=1, padding=1)
        return F.interpolate(patches, scale_factor=4)[..., : self.alpha.shape[2], : self.alpha.shape[3]] > 0

    def unmixed(self, coverage: Tensor | None = None, linear_light: bool = True) -> Tensor:
        return unmix_alpha(self.source, self.plate, coverage, self.network, self.patches, linear_light)

    def error(self, alpha: Tensor) -> float:
        return float((alpha - self.alpha)[self.inside].abs().mean())


@pytest.mark.parametrize("linear_light", [True, False])
def test_the_true_alpha_is_found_in_the_light_that_was_mixed(linear_light: bool) -> None:
    case = Case(linear_light=linear_light)
    right, wrong = case.error(case.unmixed(None, linear_light)), case.error(case.unmixed(None, not linear_light))
    assert right < 0.3 * case.error(case.network)
    assert right < 0.7 * wrong


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([(96, 128), (97, 131), (95, 126)]))
def test_alpha_stays_an_alpha_and_other_pixels_stay(seed: int, size: tuple[int, int]) -> None:
    case = Case(seed, size)
    before = case.network.clone()
    found = case.unmixed()
    assert found.shape == case.network.shape
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    assert torch.equal(found[~case.inside], case.network[~case.inside])
    assert torch.equal(case.network, before)
    assert case.error(found) < case.error(case.network)


def test_what_the_plate_did_not_see_stays() -> None:
    case = Case()
    coverage = torch.ones_like(case.alpha)
    coverage[..., :64] = 0
    found = case.unmixed(coverage)
    assert torch.equal(found[..., :64], case.network[..., :64])
    assert not torch.equal(found[..., 64:], case.network[..., 64:])
    assert case.unmixed(torch.zeros_like(coverage)) is case.network


def test_without_doubt_nothing_changes() -> None:
    case = Case()
    case.patches.zero_()
    assert case.unmixed() is case.network


def test_where_person_and_place_look_alike_the_network_is_believed() -> None:
    case = Case()
    case.plate = ORANGE.expand_as(case.source) + 0.02 * torch.rand(case.source.shape)
    case.source = mix(ORANGE.expand_as(case.source), case.plate, case.alpha)
    assert float((case.unmixed() - case.network).abs().max()) < 0.3
    assert float((case.unmixed() - case.network).abs().mean()) < 5e-3


def test_a_plate_that_lies_askew_does_little_harm() -> None:
    case = Case()
    noise = torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(5))
    case.plate = (case.plate + 0.5 * noise).clamp(0, 1)
    case.network = case.alpha.clone()  # there is nothing to be had
    case.source = mix(ORANGE.expand_as(case.source), case.plate.roll((1, 2), (2, 3)), case.alpha)
    assert case.error(case.unmixed()) < 0.06


def test_a_shadow_on_the_place_is_not_the_person() -> None:
    case = Case()
    shadow = mix(torch.zeros(3, 1, 1), case.plate, torch.tensor(0.7))
    case.source = mix(ORANGE.expand_as(case.source), shadow, case.alpha)
    empty = case.inside & (case.alpha == 0)
    assert float(case.unmixed()[empty].mean()) < 0.03
    assert case.error(case.unmixed()) < 0.35 * case.error(case.network)


def test_a_batch_is_its_frames() -> None:
    cases = [Case(1), Case(2)]
    cases[1].patches[..., :16] = 0
    names = ("source", "plate", "network", "patches")
    source, plate, alpha, patches = (torch.cat([getattr(case, name) for case in cases]) for name in names)
    coverage = torch.ones_like(alpha)
    together = unmix_alpha(source, plate, coverage, alpha, patches, True)
    for index, case in enumerate(cases):
        torch.testing.assert_close(together[index], case.unmixed()[0], atol=1e-6, rtol=0)


def test_what_lies_far_away_does_not_matter() -> None:
    """The same pixels in a larger picture, beyond all that is looked at."""
    case = Case()

    def enlarge(*sides: int) -> None:
        for name in ("source", "plate", "network"):
            setattr(case, name, F.pad(getattr(case, name), sides, mode="replicate"))
        case.patches = F.pad(case.patches, [side // 4 for side in sides])

    enlarge(48, 48, 48, 48)
    found = case.unmixed()
    enlarge(64, 32, 32, 48)
    torch.testing.assert_close(case.unmixed()[..., 32:-48, 64:-32], found, atol=1e-6, rtol=0)


def test_large_pictures_are_looked_at_in_a_smaller_size() -> None:
    case = Case()
    found = case.unmixed()
    scale = 15  # 1920 pixels wide
    large = [F.interpolate(each, scale_factor=scale) for each in (case.source, case.plate, case.network, case.patches)]
    enlarged = unmix_alpha(large[0], large[1], None, large[2], large[3], True)
    assert enlarged.shape[3] == 1920
    assert float((enlarged[..., ::scale, ::scale] - found).abs().mean()) < 0.03


def test_portrait_pictures_are_unmixed_like_landscape_ones() -> None:
    case = Case()
    scale = 12  # 1536 x 1152: the long side decides in what size it is looked at
    parts = [F.interpolate(each, scale_factor=scale) for each in (case.source, case.plate, case.network, case.patches)]
    upright = [torch.rot90(each, dims=(2, 3)).contiguous() for each in parts]
    landscape, portrait = (unmix_alpha(each[0], each[1], None, each[2], each[3], True) for each in (parts, upright))
    assert float((torch.rot90(portrait, -1, dims=(2, 3)) - landscape).abs().mean()) < 1e-3


def test_without_anybody_solid_near_the_network_is_believed() -> None:
    case = Case()
    case.network = case.network * 0.4
    assert torch.equal(case.unmixed(), case.network)


def test_blackness_breaks_nothing() -> None:
    case = Case()
    case.source = case.plate = torch.zeros_like(case.source)
    torch.testing.assert_close(case.unmixed(), case.network)


def test_a_sure_network_is_believed_before_a_badly_lit_plate() -> None:
    case = Case()
    case.patches.fill_(1)
    place = case.plate.clone()
    place[..., :20] = place[..., :20] * 0.95  # dimmer than the plate, where none of the empty place around is seen
    case.source = mix(ORANGE.expand_as(case.source), place, case.alpha)
    assert float(case.unmixed()[..., :20].max()) < 0.01


def test_the_farther_a_plate_is_off_beside_the_person_the_less_it_is_believed_behind() -> None:
    """Dim stripes of the person's colour, where a plate that is off looks like another alpha."""
    case = Case()
    case.network = case.alpha.clone()  # there is nothing to be had
    stripes = 0.3 + 0.25 * torch.sin(torch.arange(128.0) / 2).expand(1, 1, 96, 128)
    case.plate = ORANGE * stripes
    source = mix(ORANGE.expand(1, 3, 96, 128), case.plate.roll(3, 3), case.alpha)
    errors = []
    for pixels in (0, 1, 3, 6):
        case.source = torch.where(case.inside, source, case.plate.roll(pixels, 3))
        errors.append(case.error(case.unmixed()))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.85 * errors[0]


def test_a_place_that_the_plate_did_not_see_says_nothing_of_the_light_or_the_plate() -> None:
    case = Case()
    coverage = (case.inside | (case.alpha > 0)).float()
    case.source = torch.where(coverage > 0, case.source, torch.ones(1))
    found = case.unmixed(coverage)
    case.source = torch.where(coverage > 0, case.source, torch.zeros(1))
    torch.testing.assert_close(case.unmixed(coverage), found)
    assert case.error(found) < 0.4 * case.error(case.network)
