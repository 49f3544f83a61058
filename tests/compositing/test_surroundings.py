"""Local statistics: means of nearby solid pixels, and the match of source and plate."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from howard.compositing.patches import PATCH, Patches
from howard.compositing.surroundings import Surroundings, average_surroundings, cell_size, find_grid

SIZE = 64, 96


def patch_at(row: int, column: int, picture: int = 0) -> Patches:
    """The patch of a pixel."""
    at, rows, columns = (torch.tensor([each]) for each in (picture, row // PATCH, column // PATCH))
    every = torch.ones(1, dtype=torch.bool)
    return Patches(at, rows, columns, every, every)


def around(
    source: Tensor,
    alpha: Tensor,
    patches: Patches,
    cell: int = 1,
    plate: Tensor | None = None,
    coverage: Tensor | None = None,
) -> Surroundings:
    plate = source if plate is None else plate
    coverage = torch.ones_like(alpha) if coverage is None else coverage
    return average_surroundings(source, plate, coverage, alpha, patches, cell, farther_weight=0.2)


def plain(colour: list[float], size: tuple[int, int] = SIZE) -> Tensor:
    return torch.tensor(colour).expand(1, *size, 3).contiguous()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 8, width=32), min_size=3, max_size=3), st.floats(0.3, 1), st.sampled_from([1, 2]))
def test_a_plain_person_has_that_colour_everywhere_without_variance(
    colour: list[float], cover: float, cell: int
) -> None:
    light, alpha = plain(colour), torch.full((1, *SIZE, 1), cover)
    found = around(light, alpha, patch_at(20, 40), cell)
    assert [tuple(each.shape) for each in found[:4]] == [(3, 1, 16), (1, 1, 16), (1, 1, 16), (1, 1, 16)]
    assert [tuple(each.shape) for each in found[4:]] == [(3, 1, 1), (3, 1, 1), (1, 1, 1), (1, 1, 1)]
    expected = torch.tensor(colour)[:, None, None].expand(3, 1, 16)
    torch.testing.assert_close(found.colour, expected, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(found.square[0], expected.square().sum(dim=0), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(found.alpha, torch.full((1, 1, 16), cover), atol=1e-5, rtol=0)


def test_the_weight_tells_how_much_is_solid_around() -> None:
    light = plain([0.5, 0.5, 0.5])
    opaque, soft, empty = (
        around(light, torch.full((1, *SIZE, 1), cover), patch_at(20, 40)).weight for cover in (1.0, 0.9, 0.0)
    )
    assert (opaque > soft).all()
    assert (soft > 0).all()
    assert (empty == 0).all()


def test_without_anything_solid_the_colour_is_finite() -> None:
    found = around(plain([1, 1, 1]), torch.zeros(1, *SIZE, 1), patch_at(0, 0))
    assert all(torch.isfinite(each).all() for each in found)


def test_near_colours_weigh_more_than_those_from_afar() -> None:
    light = plain([0.8, 0, 0])
    light[:, :, 60:] = torch.tensor([0, 0, 0.8])
    alpha = torch.zeros(1, *SIZE, 1)
    alpha[:, :, :20], alpha[:, :, 60:] = 1, 1
    beside_red, beside_blue = (around(light, alpha, patch_at(32, column)).colour.mean(dim=2) for column in (20, 56))
    assert beside_red[0] > 10 * beside_red[2]
    assert beside_blue[2] > 10 * beside_blue[0]


def test_opaque_pixels_weigh_more_than_soft_ones() -> None:
    """Half of the surrounding pixels are soft and contain the background's colour."""
    light, alpha = plain([0.8, 0.2, 0.2]), torch.ones(1, *SIZE, 1)
    light[:, ::2], alpha[:, ::2] = 0.1, 0.7
    torch.testing.assert_close(
        around(light, alpha, patch_at(32, 40)).colour[:, 0, 0], torch.tensor([0.8, 0.2, 0.2]), atol=0.03, rtol=0
    )


@pytest.mark.parametrize("cell", [1, 2, 4])
def test_beyond_the_margin_nothing_matters(cell: int) -> None:
    numbers = torch.Generator().manual_seed(0)
    long_side = 960 * cell
    assert cell_size(1, long_side) == cell
    margin, unit, _ = find_grid(1, long_side)
    height, width = 2 * unit, -(-(2 * margin + PATCH) // unit) * unit + 4 * unit
    light, alpha = (torch.rand(1, height, width, channels, generator=numbers) for channels in (3, 1))
    column = width // 2 // PATCH * PATCH
    before = around(light, alpha, patch_at(unit, column), cell)
    outside = [slice(0, column - margin), slice(column + PATCH + margin, width)]
    for part in outside:
        light[:, :, part], alpha[:, :, part] = 5, 0.5
    after = around(light, alpha, patch_at(unit, column), cell)
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=0)


def test_pictures_of_a_batch_do_not_mix() -> None:
    numbers = torch.Generator().manual_seed(1)
    light, alpha = (torch.rand(2, *SIZE, channels, generator=numbers) for channels in (3, 1))
    for picture in range(2):
        together = around(light, alpha, patch_at(12, 40, picture))
        alone = around(light[picture : picture + 1], alpha[picture : picture + 1], patch_at(12, 40))
        for one, other in zip(together, alone, strict=True):
            torch.testing.assert_close(one, other, atol=1e-6, rtol=0)


def test_cells_grow_with_the_long_side_of_pictures() -> None:
    sizes = [(540, 960), (960, 540), (1080, 1920), (1920, 1080), (2160, 3840), (4320, 7680)]
    assert [cell_size(*size) for size in sizes] == [1, 1, 2, 2, 4, 8]


def test_the_light_on_the_empty_place_is_compared_with_the_plate() -> None:
    plate, alpha = plain([0.6, 0.5, 0.4]), torch.zeros(1, *SIZE, 1)
    alpha[:, :, :30] = 1
    source = 0.7 * plate
    source[:, :, :40] = 0.2
    found = around(source, alpha, patch_at(32, 48), plate=plate)
    assert float(found.empty) > 0.1
    torch.testing.assert_close(found.plate.flatten(), torch.tensor([0.6, 0.5, 0.4]), atol=1e-4, rtol=0)
    assert (found.lit < found.plate).all()
    nothing = around(source, alpha, patch_at(32, 32), plate=plate, coverage=torch.zeros_like(alpha))
    assert float(nothing.empty) == 0


@pytest.mark.parametrize("cell", [1, 2])
def test_the_displacement_of_a_plate_is_measured_where_the_place_is_empty(cell: int) -> None:
    size = 128 * cell
    x = torch.arange(size + 16.0) / (40 * cell)
    waves = (0.5 + 0.3 * torch.sin(x)).view(1, 1, -1, 1).expand(1, size, -1, 3)
    plate, alpha = waves[:, :, :size].contiguous(), torch.zeros(1, size, size, 1)
    shifts = [0, 2 * cell, 4 * cell]
    found = [
        float(around(waves[:, :, shift : shift + size].contiguous(), alpha, patch_at(64, 64), cell, plate).displacement)
        for shift in shifts
    ]
    assert found[0] < found[1] < found[2]
    assert found[2] == pytest.approx(shifts[2] ** 2, rel=0.4)


def test_codes_of_all_depths_have_the_same_surroundings() -> None:
    numbers = torch.Generator().manual_seed(2)
    codes = torch.randint(0, 256, (1, *SIZE, 3), generator=numbers, dtype=torch.uint8)
    alpha = torch.rand(1, *SIZE, 1, generator=numbers)
    kinds = codes, codes.to(torch.int32) * 257, codes.float() / 255
    eight, *others = (around(kind, alpha, patch_at(32, 40), 2) for kind in kinds)
    for other in others:
        for one, same in zip(eight, other, strict=True):
            torch.testing.assert_close(one, same, atol=1e-5, rtol=1e-4)
