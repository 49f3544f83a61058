"""Controls of alpha and foreground: identity by default, distances of edge movement, and changed colours."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from howard.compositing.alpha_controls import adjust_levels, choke, feather
from howard.compositing.edge_controls import EdgeControls, adjust_alpha
from howard.compositing.foreground_controls import despill, extend_foreground

SIZE = 120
FRACTIONS = [-11.5, -6.0, -3.25, -2.0, -1.0, -0.4, 0.3, 1.0, 1.5, 2.75, 4.0, 7.5, 13.0, 20.0]
seeds = st.integers(0, 2**31)
few = settings(max_examples=15, deadline=None)


def disc(radius: float, size: int = SIZE) -> Tensor:
    """(1, 1, size, size), with an edge one pixel wide."""
    at = torch.arange(size) - size / 2 + 0.3
    return (radius - (at[:, None] ** 2 + at[None, :] ** 2).sqrt() + 0.5).clamp(0, 1)[None, None]


def half_plane(edge: float, size: int = SIZE) -> Tensor:
    """1 to the left of a column, (1, 1, size, size), with an edge one pixel wide."""
    return (edge - torch.arange(size) + 0.5).clamp(0, 1).expand(1, 1, size, size).contiguous()


def crossing(alpha: Tensor) -> float:
    """The column at which the middle row falls below one half."""
    row = alpha[0, 0, alpha.shape[2] // 2]
    last = int((row >= 0.5).sum()) - 1
    return last + float((row[last] - 0.5) / (row[last] - row[last + 1]))


def noise(seed: int, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_without_controls_the_very_input_comes_back() -> None:
    alpha, colours = disc(20), noise(0, 1, 3, SIZE, SIZE)
    assert EdgeControls().is_identity
    assert EdgeControls().growth == 0
    assert adjust_alpha(alpha, EdgeControls()) is alpha
    for same in (adjust_levels(alpha, 0, 1), choke(alpha, 0), feather(alpha, 0)):
        assert same is alpha
    assert extend_foreground(colours, alpha, 0) is colours
    assert despill(colours, colours, alpha, 0) is colours


def test_levels_are_exact() -> None:
    alpha = torch.tensor([0.0, 0.1, 0.2, 0.5, 0.8, 0.9, 1.0]).view(1, 1, 1, -1)
    expected = torch.tensor([0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0]).view(1, 1, 1, -1)
    assert torch.allclose(adjust_levels(alpha, 0.2, 0.8), expected, atol=1e-6)


@pytest.mark.parametrize("pixels", FRACTIONS)
def test_choking_moves_the_edge_of_a_disc(pixels: float) -> None:
    alpha = disc(70, size=200)
    before, after = (math.sqrt(float(each.sum()) / math.pi) for each in (alpha, choke(alpha, pixels)))
    assert abs(before - after - pixels) < 0.15


@pytest.mark.parametrize("pixels", FRACTIONS)
@pytest.mark.parametrize("turned", [False, True])
def test_choking_moves_a_straight_edge(pixels: float, turned: bool) -> None:
    alpha = half_plane(60.3)
    moved = choke(alpha.transpose(2, 3), pixels).transpose(2, 3) if turned else choke(alpha, pixels)
    row = moved[0, 0, SIZE // 2]
    assert abs(float(alpha[0, 0, SIZE // 2].sum() - row.sum()) - pixels) < 0.01
    assert abs(crossing(alpha) - crossing(moved) - pixels) < 0.25


@pytest.mark.parametrize("degrees", [15, 30, 45, 60])
def test_choking_moves_slanted_edges_nearly_as_far(degrees: float) -> None:
    at = torch.arange(SIZE) - SIZE / 2
    angle = math.radians(degrees)
    distance = at[None, :] * math.cos(angle) + at[:, None] * math.sin(angle)
    alpha = (0.5 - distance).clamp(0, 1)[None, None]
    for pixels in (3.0, 7.5, 16.0):
        moved = (alpha - choke(alpha, pixels))[0, 0, SIZE // 2].sum() * math.cos(angle)
        assert abs(float(moved) - pixels) < 0.5


def test_feathering_keeps_the_place_of_an_edge_and_has_its_sigma() -> None:
    soft = feather(half_plane(60.25), 8)
    assert abs(crossing(soft) - 60.25) < 0.02
    slope = soft[0, 0, SIZE // 2, :-1] - soft[0, 0, SIZE // 2, 1:]
    at = torch.arange(len(slope)).float()
    mean = (slope * at).sum()
    assert abs(float((slope * (at - mean) ** 2).sum().sqrt()) - 4) < 0.1
    row = soft[0, 0, SIZE // 2]
    assert abs(float(row[52]) - 0.977) < 0.01
    assert abs(float(row[68]) - 0.023) < 0.01


def test_the_border_of_the_frame_is_no_edge() -> None:
    ones = torch.ones(1, 1, 30, 40)
    assert torch.equal(choke(ones, 5.5), ones)
    assert torch.equal(choke(0 * ones, -5.5), 0 * ones)
    assert torch.allclose(feather(ones, 9), ones, atol=1e-5)


def test_the_order_is_levels_choke_feather() -> None:
    controls, alpha = EdgeControls(choke=1.5, black=0.1, white=0.9, feather=3), disc(20)
    expected = feather(choke(adjust_levels(alpha, 0.1, 0.9), 1.5), 3)
    assert torch.equal(adjust_alpha(alpha, controls), expected)


@few
@given(seeds, st.floats(-7, 7), st.floats(0, 6, allow_subnormal=False), st.floats(0, 0.4), st.floats(0.6, 1))
def test_results_are_monotone_within_limits_and_per_frame(
    seed: int, pixels: float, soft: float, black: float, white: float
) -> None:
    controls = EdgeControls(choke=pixels, black=black, white=white, feather=soft)
    alpha = noise(seed, 2, 1, 17, 23)
    found = adjust_alpha(alpha, controls)
    assert found.min() >= 0
    assert found.max() <= 1
    assert torch.allclose(found[1:], adjust_alpha(alpha[1:], controls), atol=1e-6)
    more = adjust_alpha((alpha + 0.3 * noise(seed + 1, 2, 1, 17, 23)).clamp(max=1), controls)
    assert (more >= found - 1e-5).all()


@few
@given(seeds, st.floats(-12, 12), st.floats(0, 3))
def test_choking_more_never_leaves_more(seed: int, pixels: float, further: float) -> None:
    alpha = noise(seed, 1, 1, 40, 40)
    assert (choke(alpha, pixels + further) <= choke(alpha, pixels) + 1e-5).all()


@few
@given(st.floats(-12, 12), st.floats(0, 8, allow_subnormal=False))
def test_alpha_grows_no_farther_than_said(pixels: float, soft: float) -> None:
    controls = EdgeControls(choke=pixels, feather=soft)
    grown = adjust_alpha(half_plane(60.5), controls)
    assert (grown[..., 61 + controls.growth :] < 1e-6).all()


def test_foreground_goes_on_from_the_nearest_colours() -> None:
    left, right = disc(10).roll(-30, dims=3), disc(10).roll(30, dims=3)
    colours = (
        torch.tensor([1.0, 0.2, 0.1]).view(1, 3, 1, 1) * left + torch.tensor([0.1, 0.3, 0.9]).view(1, 3, 1, 1) * right
    )
    weight = ((left == 1) | (right == 1)).float()
    found = extend_foreground(colours * weight + 5 * (1 - weight), weight, 12)
    known = (weight > 0).expand_as(found)
    assert torch.equal(found[known], colours[known])
    for radius, tolerance in ((14, 0.1), (20, 0.2)):
        near = (disc(radius).roll(-30, dims=3) == 1).expand_as(found)
        assert (found[near].view(3, -1) - torch.tensor([1.0, 0.2, 0.1]).view(3, 1)).abs().max() < tolerance
    other = found[0, :, 60, 78:84]
    assert (other - torch.tensor([0.1, 0.3, 0.9]).view(3, 1)).abs().max() < 0.05


@few
@given(seeds, st.integers(1, 20))
def test_foreground_is_known_up_to_the_distance(seed: int, distance: int) -> None:
    weight = (noise(seed, 1, 1, 37, 53) > 0.995).float()
    colours = torch.where(weight > 0, noise(seed + 1, 1, 3, 37, 53), torch.full((), 9.0))
    found = extend_foreground(colours, weight, distance)
    required = (choke(weight, -distance / 1.1) > 0).expand_as(found)
    assert (found[required] <= 1).all()
    assert torch.equal(found[(weight > 0).expand_as(found)], colours[(weight > 0).expand_as(found)])


def luminance(light: Tensor) -> Tensor:
    return (light * torch.tensor([0.2126, 0.7152, 0.0722]).view(1, 3, 1, 1)).sum(dim=1)


def test_despilling_removes_the_cast_and_keeps_luminance() -> None:
    green = torch.tensor([0.1, 0.6, 0.15]).view(1, 3, 1, 1).expand(1, 3, 40, 40)
    skin = torch.tensor([0.5, 0.35, 0.3]).view(1, 3, 1, 1).expand(1, 3, 40, 40)
    alpha = torch.full((1, 1, 40, 40), 0.5)
    spilt = 0.7 * skin + 0.3 * green
    found = despill(spilt, green, alpha, 1.0)
    chroma = found - luminance(found)[:, None]
    cast = green - luminance(green)[:, None]
    assert (chroma * cast).sum(dim=1).max() < 1e-3
    assert torch.allclose(luminance(found), luminance(spilt), atol=1e-5)
    half = despill(spilt, green, alpha, 0.5)
    assert torch.allclose(half, (spilt + found) / 2, atol=1e-5)


def test_despilling_leaves_what_is_opaque_empty_or_of_another_colour() -> None:
    colours = noise(2, 1, 3, 40, 40)
    plate = torch.tensor([0.1, 0.6, 0.15]).view(1, 3, 1, 1).expand(1, 3, 40, 40)
    for whole in (0.0, 1.0):
        assert torch.equal(despill(colours, plate, torch.full((1, 1, 40, 40), whole), 1.0), colours)
    magenta = torch.tensor([0.6, 0.1, 0.6]).view(1, 3, 1, 1).expand(1, 3, 40, 40)
    assert torch.equal(despill(magenta, plate, torch.full((1, 1, 40, 40), 0.5), 1.0), magenta)
    grey = torch.full((1, 3, 40, 40), 0.3)
    assert torch.allclose(despill(colours, grey, torch.full((1, 1, 40, 40), 0.5), 1.0), colours, atol=1e-4)


@few
@given(seeds, st.floats(0.01, 1))
def test_despilling_keeps_luminance_and_makes_nothing_negative(seed: int, strength: float) -> None:
    colours, plate, alpha = (noise(seed + i, 1, channels, 21, 33) for i, channels in enumerate((3, 3, 1)))
    found = despill(colours, plate, alpha, strength)
    assert found.min() > -1e-5
    assert torch.allclose(luminance(found), luminance(colours), atol=1e-4)


@pytest.mark.parametrize(
    ("controls", "message"),
    [
        (EdgeControls(black=0.6, white=0.5), "black=0.6 and white=0.5"),
        (EdgeControls(black=-0.1), "black=-0.1"),
        (EdgeControls(white=1.5), "white=1.5"),
        (EdgeControls(feather=-1), "feather=-1"),
        (EdgeControls(choke=math.nan), "choke=nan"),
        (EdgeControls(despill=1.5), "despill=1.5"),
    ],
)
def test_values_that_cannot_be_used_are_named(controls: EdgeControls, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        controls.checked()


def test_black_has_to_be_below_white() -> None:
    with pytest.raises(ValueError, match="not below"):
        adjust_levels(disc(5), 0.5, 0.5)
    assert EdgeControls(choke=-2.5, feather=2).checked().growth == 6


@pytest.mark.parametrize("size", [(1, 1), (3, 7), (97, 161), (1081, 1919)])
def test_any_size_runs_without_data(size: tuple[int, int]) -> None:
    alpha, colours = torch.empty(2, 1, *size, device="meta"), torch.empty(2, 3, *size, device="meta")
    controls = EdgeControls(choke=-3.5, black=0.1, white=0.9, feather=4)
    assert adjust_alpha(alpha, controls).shape == alpha.shape
    assert choke(alpha, 20).shape == alpha.shape
    assert extend_foreground(colours, alpha, controls.growth).shape == colours.shape
    assert despill(colours, colours, alpha, 1.0).shape == colours.shape
