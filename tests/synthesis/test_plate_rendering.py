"""Plate errors follow their parameters: known displacements, gains and borders are recovered from images."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.synthesis import level_recipe
from howard.synthesis.plate_parameters import FIELD_CHANNELS, KNOT_COUNT, PlateParameters, sample_plate
from howard.synthesis.plate_rendering import (
    PlateFields,
    RenderedPlate,
    apply_photometric_errors,
    compute_coverage,
    plate_coordinates,
    render_plate,
)
from howard.synthesis.recipe import PlateRecipe

SIDE = 64
NONE = PlateRecipe(affine_probability=0, colour_probability=0)


def plain_draw(count: int = 1) -> PlateParameters:
    """A perfect plate, batched."""
    rng = np.random.default_rng
    parameters = sample_plate(NONE, (SIDE, SIDE), count, rng(0), rng(0), is_pair=False)
    return PlateParameters(*map(torch.from_numpy, parameters))


def ramp() -> torch.Tensor:
    """Red is x, green is y, blue is a checkerboard of 8 pixels; opaque: (1, 4, side, side) uint8."""
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    board = 100 + 100 * ((rows // 8 + columns // 8) % 2)
    return torch.stack([2 * columns, 2 * rows, board, torch.full_like(rows, 255)])[None].byte()


def filmed(parameters: PlateParameters, alpha: torch.Tensor | None = None) -> RenderedPlate:
    background = ramp()[:, :3] / 255
    person = torch.zeros(1, 1, SIDE, SIDE) if alpha is None else alpha
    return render_plate(ramp(), torch.eye(3)[None], parameters, background, person)


def displacement(plate: RenderedPlate) -> torch.Tensor:
    """Displacements (2, side, side) in pixels that the ramps show: where each pixel was sampled, minus where it is."""
    here = ramp()[0, :2] / 2.0
    return plate.image[0, :2] * 255 / 2 - here


def knots(**values: tuple[float, float]) -> torch.Tensor:
    """Knots of constant fields; the others are 0."""
    parts = [torch.tensor(values.get(name, (0.0,) * count)) for name, count in FIELD_CHANNELS.items()]
    # A spline of equal knots is stronger than one of independent ones.
    return 0.48 * torch.cat(parts)[None, :, None, None].expand(-1, -1, KNOT_COUNT, KNOT_COUNT)


def test_no_error_is_the_background() -> None:
    plate = filmed(plain_draw()._replace(knots=knots()))
    torch.testing.assert_close(plate.image, ramp()[:, :3] / 255, atol=1e-5, rtol=0)
    assert plate.coverage.min() == 1


def test_a_flow_moves_the_plate_by_as_much() -> None:
    plate = filmed(plain_draw()._replace(knots=knots(flow=(2.0, -1.0))))
    moved = displacement(plate)[:, 4:-4, 4:-4]
    torch.testing.assert_close(moved[0], torch.full_like(moved[0], 2), atol=0.05, rtol=0)
    torch.testing.assert_close(moved[1], torch.full_like(moved[1], -1), atol=0.05, rtol=0)


def test_occluded_flow_errors_stay_behind_the_person() -> None:
    alpha = torch.zeros(1, 1, SIDE, SIDE)
    alpha[:, :, 28:36, 28:36] = 1
    moved = displacement(filmed(plain_draw()._replace(knots=knots(occluded_flow=(3.0, 0.0))), alpha))[0]
    torch.testing.assert_close(moved[30:34, 30:34], torch.full((4, 4), 3.0), atol=0.1, rtol=0)
    assert moved[:8].abs().max() < 0.05
    assert moved[:, :8].abs().max() < 0.05


def test_a_lens_moves_corners_outwards_and_leaves_the_middle() -> None:
    fields = PlateFields(*(torch.zeros(1, count, SIDE, SIDE) for count in (2, 1, 2, 1, 1)))
    parameters = plain_draw()._replace(lens=torch.tensor([4.0]))
    x, y = plate_coordinates(parameters, fields, ramp()[:, :3] / 255, torch.zeros(1, 1, SIDE, SIDE))
    assert abs(float(x[0, 0, 0]) + 4 * (63 / 64) ** 3) < 0.05
    assert abs(float(y[0, -1, -1]) - 63 - 4 * (63 / 64) ** 3) < 0.05
    assert abs(float(x[0, 32, 32]) - 32) < 0.01


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**20))
def test_parallax_is_what_no_affine_map_accounts_for(seed: int) -> None:
    rng = np.random.default_rng
    sampled = sample_plate(level_recipe(1).plate, (SIDE, SIDE), 1, rng(seed), rng(0), is_pair=False)
    parameters = plain_draw()._replace(layers=torch.from_numpy(sampled.layers), parallax=torch.tensor([[5.0, 0.0]]))
    nearness = torch.from_numpy(np.random.default_rng(seed).standard_normal((1, 1, SIDE, SIDE)).astype(np.float32))
    nearness = torch.nn.functional.avg_pool2d(nearness, 15, stride=1, padding=7) * 12
    fields = PlateFields(*(torch.zeros(1, count, SIDE, SIDE) for count in (2, 1, 2, 1, 1)))._replace(nearness=nearness)
    x, y = plate_coordinates(parameters, fields, ramp()[:, :3] / 255, torch.zeros(1, 1, SIDE, SIDE))
    grid = np.stack([each.ravel() for each in np.mgrid[:SIDE, :SIDE][::-1]] + [np.ones(SIDE**2)], axis=1)
    left = (x[0] - torch.arange(SIDE)).numpy().ravel()
    fit = np.linalg.lstsq(grid, left, rcond=None)[0]
    assert np.abs(grid @ fit).max() < 0.02
    assert np.abs(left).max() <= 10
    np.testing.assert_allclose(y[0], np.mgrid[:SIDE, :SIDE][0], atol=1e-4)


def test_another_frame_lies_beyond_the_seam() -> None:
    parameters = plain_draw()._replace(
        knots=knots(), seam=torch.tensor([[1.0, 0, 0]]), seam_shift=torch.tensor([[0.0, 2.0]])
    )
    moved = displacement(filmed(parameters))[1]
    assert moved[4:-4, :20].abs().max() < 0.05
    torch.testing.assert_close(moved[4:-4, -20:], torch.full((56, 20), 2.0), atol=0.05, rtol=0)


def test_photometric_errors_follow_their_parameters() -> None:
    grey = torch.full((1, 3, SIDE, SIDE), 0.25)
    colour = torch.eye(3, 4)[None] * torch.tensor([1.2, 1.0, 0.8])[:, None]
    parameters = plain_draw()._replace(colour=colour, gamma=torch.tensor([0.5]))
    changed = apply_photometric_errors(grey, parameters, torch.zeros(1, 1, SIDE, SIDE))
    expected = (0.25 * torch.tensor([1.2, 1, 0.8])) ** 0.5
    torch.testing.assert_close(changed.mean(dim=(2, 3))[0], expected, atol=1e-3, rtol=0)
    dark = apply_photometric_errors(
        grey, plain_draw()._replace(vignette=torch.tensor([-0.3])), torch.zeros(1, 1, SIDE, SIDE)
    )
    assert dark[0, 0, 0, 0] < dark[0, 0, 32, 32]
    assert abs(float(dark.mean()) - 0.25) < 0.002


COVERED: list[
    tuple[str, Callable[[PlateParameters], PlateParameters], Callable[[torch.Tensor, torch.Tensor], torch.Tensor]]
] = [
    ("border", lambda parameters: _with_line(parameters, [1.0, 0.0, 0.5]), lambda x, y: x >= -0.5),
    (
        "leaning border",
        lambda parameters: _with_line(parameters, [0.1, -1.0, 0.6]),
        lambda x, y: 0.1 * x - y + 0.6 >= 0,
    ),
    (
        "missing",
        lambda parameters: parameters._replace(is_available=torch.zeros(1)),
        lambda x, y: torch.zeros_like(x, dtype=torch.bool),
    ),
    ("hole", lambda parameters: parameters._replace(hole=torch.tensor([0.5])), lambda x, y: x < 0.5),
]


def _with_line(parameters: PlateParameters, line: list[float]) -> PlateParameters:
    border = parameters.border.clone()
    border[0, 0] = torch.tensor(line)
    return parameters._replace(border=border)


@pytest.mark.parametrize(("change", "seen"), [case[1:] for case in COVERED], ids=[case[0] for case in COVERED])
def test_coverage_is_zero_exactly_outside_its_bounds(change, seen) -> None:
    axis = (2 * torch.arange(SIDE) + 1) / SIDE - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    coverage = compute_coverage(change(plain_draw()), x[None, None], torch.ones(1, 1, SIDE, SIDE))
    assert torch.equal(coverage[0, 0] > 0, seen(x, y))


def test_uncovered_canvas_pixels_stay_uncovered() -> None:
    canvas = ramp()
    canvas[:, 3, :, :20] = 0
    plate = render_plate(
        canvas,
        torch.eye(3)[None],
        plain_draw()._replace(knots=knots()),
        canvas[:, :3] / 255,
        torch.zeros(1, 1, SIDE, SIDE),
    )
    assert torch.equal(plate.coverage[0, 0] > 0, canvas[0, 3] > 0)
