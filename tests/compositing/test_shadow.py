"""The shadow layer: known factors are recovered, and other differences are not treated as shadows."""

from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from howard.compositing.shadow import estimate_shadow

HEIGHT, WIDTH = 270, 480


class Scene(NamedTuple):
    """Inputs and truth of a frame: source and plate (1, 3, H, W) linear light, coverage, alpha and true factor."""

    source: Tensor
    plate: Tensor
    coverage: Tensor
    alpha: Tensor
    true: Tensor

    def estimate(self) -> Tensor:
        return estimate_shadow(*self[:4])


def texture(seed: int) -> Tensor:
    """Coloured surfaces of several sizes, (1, 3, H, W) linear light in [0.05, 0.9]."""
    numbers = torch.Generator().manual_seed(seed)
    layers = []
    for cell in (4, 12, 60):
        coarse = torch.rand(1, 3, HEIGHT // cell + 2, WIDTH // cell + 2, generator=numbers)
        grey = torch.rand(1, 1, HEIGHT // cell + 2, WIDTH // cell + 2, generator=numbers)
        layers.append(F.interpolate(0.4 * coarse + 0.6 * grey, size=(HEIGHT, WIDTH), mode="bilinear"))
    return 0.05 + 0.85 * torch.stack(layers).mean(dim=0)


def place() -> tuple[Tensor, Tensor]:
    """Rows (H, 1) and columns (1, W) of the pixels."""
    return torch.arange(HEIGHT)[:, None].float(), torch.arange(WIDTH)[None, :].float()


def blob(row: float, column: float, sigma: float) -> Tensor:
    """A Gaussian of height 1, (1, 1, H, W)."""
    rows, columns = place()
    return (-((rows - row) ** 2 + (columns - column) ** 2) / (2 * sigma**2)).exp()[None, None]


def disc(row: float, column: float, radius: float) -> Tensor:
    """1 inside, with an edge one pixel wide, (1, 1, H, W)."""
    rows, columns = place()
    return (radius - ((rows - row) ** 2 + (columns - column) ** 2).sqrt() + 0.5).clamp(0, 1)[None, None]


def make_scene(
    depth: float | Tensor = 0.4, gain: float | Tensor = 1.0, noise: float = 0.0, shift: float = 0.0, seed: int = 0
) -> Scene:
    """A bright person in the centre and, around the right half, a shadow of this depth."""
    plate, alpha = texture(seed), disc(140, 200, 50)
    true = 1 - depth * blob(170, 260, 35).expand(1, 3, -1, -1)
    behind = shift * plate.roll(1, dims=3) + (1 - shift) * plate
    person = torch.tensor([1.5, 0.1, 0.6]).view(1, 3, 1, 1)
    source = alpha * person + (1 - alpha) * behind * true * gain
    numbers = torch.Generator().manual_seed(seed + 1)
    source = source + noise * torch.randn(source.shape, generator=numbers)
    plate = plate + noise * torch.randn(source.shape, generator=numbers)
    return Scene(source, plate, torch.ones_like(alpha), alpha, true)


def error(scene: Scene) -> Tensor:
    """Absolute error of the estimate where the background is visible, (N, 3)."""
    wrong = (scene.estimate() - scene.true).abs()
    return wrong.permute(0, 2, 3, 1)[scene.alpha[:, 0] == 0]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"noise": 0.01},
        {"shift": 0.3},
        {"gain": 1.04},
        {"gain": torch.tensor([1.03, 1.0, 0.97]).view(1, 3, 1, 1)},
        {"noise": 0.01, "shift": 0.3, "gain": 0.97, "seed": 5},
    ],
)
def test_a_smooth_shadow_is_recovered(changes: dict) -> None:
    scene = make_scene(**changes)
    wrong = error(scene)
    alone = (scene.true - 1).abs().permute(0, 2, 3, 1)[scene.alpha[:, 0] == 0]
    dark = alone > 0.03
    assert wrong[dark].mean() < 0.2 * alone[dark].mean()
    assert wrong[alone < 0.005].mean() < 0.005
    assert wrong.max() < 0.12


def test_the_colour_of_a_shadow_is_recovered() -> None:
    scene = make_scene(depth=torch.tensor([0.45, 0.4, 0.33]).view(1, 3, 1, 1), noise=0.003)
    found, true = ((each[..., 175, 275][0] / each[..., 175, 275][0].mean()) for each in (scene.estimate(), scene.true))
    assert (found - true).abs().max() < 0.4 * (true - 1).abs().max()


def test_noise_gives_a_grey_shadow_no_colour() -> None:
    found = make_scene(noise=0.02).estimate()
    assert (found.amax(dim=1) - found.amin(dim=1)).max() < 0.005


def test_reflected_light_brightens() -> None:
    scene = make_scene(depth=-0.12)
    found, true = (each[..., 172, 270].mean() for each in (scene.estimate(), scene.true))
    assert 1.04 < found < true


def test_a_plate_like_the_source_gives_one() -> None:
    scene = make_scene(depth=0.0)
    assert (scene._replace(source=scene.plate).estimate() - 1).abs().max() < 1e-3


def test_an_exposure_that_is_off_everywhere_gives_one() -> None:
    scene = make_scene(depth=0.0, gain=torch.tensor([0.93, 0.95, 0.96]).view(1, 3, 1, 1))
    assert (scene.estimate() - 1).abs().max() < 0.01


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_without_any_evidence_the_factor_is_one(alpha: float) -> None:
    scene = make_scene()
    assert torch.equal(
        scene._replace(coverage=torch.zeros_like(scene.coverage)).estimate(), torch.ones_like(scene.source)
    )
    hidden = scene._replace(alpha=torch.ones_like(scene.alpha)).estimate()
    assert torch.equal(hidden, torch.ones_like(scene.source))


def test_inside_a_large_uncovered_area_the_factor_is_one() -> None:
    scene = make_scene()
    coverage = scene.coverage.clone()
    coverage[..., 280:] = 0  # through the shadow
    found = scene._replace(coverage=coverage, plate=scene.plate * coverage).estimate()
    assert found[..., 170, 270].max() < 0.75
    assert (found[..., 310:] - 1).abs().max() < 0.02
    assert (found[..., 350:] - 1).abs().max() < 1e-3


def test_small_uncovered_gaps_are_filled_from_around() -> None:
    scene = make_scene()
    coverage = scene.coverage.clone()
    coverage[..., 268:271] = 0
    found = scene._replace(coverage=coverage, plate=scene.plate * coverage).estimate()
    assert (found - scene.estimate()).abs()[..., 262:277].max() < 0.05


def test_behind_the_person_the_factor_goes_on_smoothly() -> None:
    scene = make_scene(noise=0.01)
    found = scene.estimate()
    inside = scene.alpha > 0
    assert (found[..., 1:] - found[..., :-1]).abs()[inside[..., 1:].expand(-1, 3, -1, -1)].max() < 0.02
    assert found[inside.expand_as(found)].max() < 1.02
    # It leads from no shadow at the person's left to the shadow at their right.
    assert found[..., 170, 158].mean() > 0.97
    assert found[..., 170, 242].mean() < 0.85


def test_the_person_never_leaks_into_the_factor() -> None:
    scene = make_scene()
    black = scene._replace(source=torch.where(scene.alpha == 1, torch.zeros(()), scene.source))
    white = scene._replace(source=torch.where(scene.alpha == 1, torch.full((), 8.0), scene.source))
    assert torch.equal(black.estimate(), white.estimate())


def test_another_thing_than_in_the_plate_is_no_shadow() -> None:
    scene = make_scene(depth=0.0)
    chair = disc(60, 400, 25)
    found = scene._replace(source=scene.source * (1 - chair) + chair * torch.tensor([0.6, 0.1, 0.1]).view(1, 3, 1, 1))
    assert (found.estimate() - 1).abs()[..., 45:75, 385:415].mean() < 0.03


def test_portrait_is_transposed_landscape() -> None:
    scene = make_scene(noise=0.01)
    turned = Scene(*(each.transpose(2, 3).contiguous() for each in scene)).estimate()
    assert torch.allclose(turned.transpose(2, 3), scene.estimate(), atol=1e-4)


def test_frames_of_a_batch_do_not_mix() -> None:
    scenes = [make_scene(seed=seed, noise=0.01, depth=depth) for seed, depth in ((0, 0.4), (3, 0.1))]
    both = Scene(*(torch.cat(each) for each in zip(*scenes, strict=True))).estimate()
    assert torch.allclose(both, torch.cat([scene.estimate() for scene in scenes]), atol=1e-5)


def test_light_above_one_is_light_like_any_other() -> None:
    scene = make_scene()
    bright = scene._replace(source=5 * scene.source, plate=5 * scene.plate)
    assert (bright.estimate() - scene.estimate()).abs().mean() < 0.005


@pytest.mark.parametrize("scale", [2, 4])
def test_larger_frames_of_the_same_scene_give_the_same(scale: int) -> None:
    scene = make_scene()
    large = Scene(*(F.interpolate(each, scale_factor=scale, mode="nearest") for each in scene)).estimate()
    assert torch.allclose(F.avg_pool2d(large, scale), scene.estimate(), atol=0.01)


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (97, 161), (1080, 1921), (721, 403)])
def test_any_size_runs_without_data(size: tuple[int, int]) -> None:
    source, mask = (torch.empty(2, channels, *size, device="meta") for channels in (3, 1))
    assert estimate_shadow(source, source, mask, mask).shape == source.shape


def test_odd_sizes_are_aligned_with_the_frame() -> None:
    scene = make_scene()
    odd = Scene(*(each[..., :269, :477] for each in scene))
    assert (odd.estimate() - scene.estimate()[..., :269, :477]).abs().max() < 0.03
