"""Patches of 4x4 pixels: selection, and lossless reading and writing."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from howard.compositing import patches as patches_module
from howard.compositing.patches import (
    MAX_PATCHES,
    PATCH,
    PIXELS,
    Patches,
    find_unknown,
    pad_to_patches,
    read_cells,
    read_patches,
    write_patches,
)

SIZES = st.tuples(st.integers(1, 2), st.integers(2, 9), st.integers(2, 9))


def hard_alpha(batch: int, rows: int, columns: int) -> Tensor:
    """Empty above and opaque below, by whole patches."""
    alpha = torch.zeros(batch, PATCH * rows, PATCH * columns, 1)
    alpha[:, PATCH * (rows // 2) :] = 1
    return alpha


def all_patches(batch: int, rows: int, columns: int) -> Patches:
    picture, row, column = torch.ones(batch, rows, columns).nonzero(as_tuple=True)
    every = torch.ones_like(row, dtype=torch.bool)
    return Patches(picture, row, column, every, every)


def listed(patches: Patches) -> set[tuple[int, int, int]]:
    return set(zip(*(each.tolist() for each in patches[:3]), strict=True))


def test_a_matte_without_soft_pixels_has_no_unknown_patches() -> None:
    patches = find_unknown(hard_alpha(2, 8, 6), torch.zeros(2, 1, 8, 6))
    assert all(len(each) == 0 for each in patches)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 7), st.integers(0, 9), st.integers(0, 15), st.floats(0.01, 0.99))
def test_the_patch_of_a_soft_pixel_is_listed_alone(row: int, column: int, pixel: int, value: float) -> None:
    alpha = hard_alpha(1, 8, 10)
    alpha[0, PATCH * row + pixel // PATCH, PATCH * column + pixel % PATCH] = value
    patches = find_unknown(alpha, torch.zeros(1, 1, 8, 10))
    assert listed(patches) == {(0, row, column)}
    assert patches.is_wanted.all()
    assert not patches.is_refined.any()


def test_alpha_within_half_a_code_value_of_the_ends_is_not_soft() -> None:
    alpha = hard_alpha(1, 4, 4)
    alpha[alpha == 0] = 0.0019
    alpha[alpha == 1] = 0.9981
    assert len(find_unknown(alpha, torch.zeros(1, 1, 4, 4)).row) == 0


def test_refined_patches_are_listed_with_their_neighbours() -> None:
    refined = torch.zeros(1, 1, 8, 10)
    refined[0, 0, 3, 0] = 1
    alpha = torch.zeros(1, 32, 40, 1)
    alpha[:, 12:16] = 1
    patches = find_unknown(alpha, refined)
    assert listed(patches) == {(0, row, column) for row in (2, 3, 4) for column in (0, 1)}
    assert patches.is_refined.all()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_refined_patches_are_left_out_where_alpha_is_the_same_all_around(value: float) -> None:
    alpha = torch.full((1, 32, 40, 1), value)
    alpha[:, 16:, 16:] = 1 - value
    patches = find_unknown(alpha, torch.ones(1, 1, 8, 10))
    rows, columns = torch.meshgrid(torch.arange(8), torch.arange(10), indexing="ij")
    adjoining = (rows >= 3) & (columns >= 3) & ((rows <= 4) | (columns <= 4))
    assert listed(patches) == {(0, *at) for at in adjoining.nonzero().tolist()}


def many_wanted(batch: int = 1) -> tuple[Tensor, Tensor]:
    """A matte that is soft everywhere, refined in 36 of 120 patches."""
    refined = torch.zeros(batch, 1, 10, 12)
    refined[:, :, 6:8, 4:8] = 1
    return torch.full((batch, 40, 48, 1), 0.5), refined


@pytest.mark.parametrize("batch", [1, 3])
def test_no_more_than_the_cap_are_listed_and_those_of_the_refiner_too(batch: int) -> None:
    patches = find_unknown(*many_wanted(batch))
    most = round(MAX_PATCHES * 120)
    assert len(patches.row) == batch * most
    assert len(listed(patches)) == batch * most
    # 4 x 6 patches with their neighbours; the rest of the list is other soft ones.
    assert int(patches.is_refined.sum()) == batch * 24
    assert patches.is_wanted.all()
    for picture in range(batch):
        assert int((patches.picture == picture).sum()) == most


def test_a_list_of_fixed_length_holds_the_wanted_patches_of_any_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """One image of a batch has too many unknown patches, so that all have lists of fixed length, as on devices."""
    alpha = torch.cat([hard_alpha(1, 10, 12), many_wanted()[0]])
    alpha[0, 5:9, 7:20] = 0.3
    refined = torch.zeros(2, 1, 10, 12)
    refined[0, 0, 5, 9] = 1
    alone = find_unknown(alpha[:1], refined[:1])
    fixed = find_unknown(alpha, refined)
    first = fixed.picture == 0
    wanted = Patches(*(each[first & fixed.is_wanted] for each in fixed))
    assert int(first.sum()) == round(MAX_PATCHES * 120) > len(wanted.row)
    assert listed(wanted) == listed(alone)
    by_place = {place: bool(near) for place, near in zip(sorted_places(alone), alone.is_refined, strict=True)}
    assert by_place == {place: bool(near) for place, near in zip(sorted_places(wanted), wanted.is_refined, strict=True)}
    # The soft ones are kept to the last: nothing else gives them their colours.
    monkeypatch.setattr(patches_module, "MAX_PATCHES", 9 / 120)
    fewest = listed(find_unknown(alpha[:1], refined[:1]))
    soft = {(0, row, column) for row in (1, 2) for column in (1, 2, 3, 4)}
    assert soft < fewest
    assert fewest - soft < {(0, row, column) for row in (4, 5, 6) for column in (8, 9, 10)}


def sorted_places(patches: Patches) -> list[tuple[int, int, int]]:
    return list(zip(*(each.tolist() for each in patches[:3]), strict=True))


@settings(max_examples=30, deadline=None)
@given(SIZES, st.sampled_from([torch.uint8, torch.int32, torch.float32, torch.bool]), st.integers(1, 4))
def test_what_is_written_is_read_and_nothing_else_changes(
    size: tuple[int, int, int], dtype: torch.dtype, channels: int
) -> None:
    batch, rows, columns = size
    numbers = torch.Generator().manual_seed(rows)
    shape = batch, PATCH * rows, PATCH * columns, channels
    image = torch.randint(0, 200, shape, generator=numbers).to(dtype)
    before = image.clone()
    chosen = torch.rand(batch * rows * columns, generator=numbers) < 0.4
    patches = Patches(*(each[chosen] for each in all_patches(*size)))
    values = torch.randint(0, 200, (channels, len(patches.row), PIXELS), generator=numbers)
    written = write_patches(image, values, patches)
    assert written.dtype == dtype
    assert torch.equal(read_patches(written, patches), values.to(dtype))
    others = Patches(*(each[~chosen] for each in all_patches(*size)))
    assert torch.equal(read_patches(written, others), read_patches(image, others))
    assert torch.equal(image, before)


def test_the_pixels_of_a_patch_go_line_by_line() -> None:
    image = torch.arange(2 * 8 * 12).view(2, 8, 12, 1)
    every = torch.ones(1, dtype=torch.bool)
    patch = Patches(torch.tensor([1]), torch.tensor([1]), torch.tensor([2]), every, every)
    assert torch.equal(read_patches(image, patch).view(PATCH, PATCH), image[1, 4:8, 8:12, 0])


@pytest.mark.parametrize("stride", [1, 2, 4, 8])
def test_cells_are_read_at_the_pixels_that_they_span(stride: int) -> None:
    cells = torch.rand(2, 3, 16 // stride, 24 // stride)
    enlarged = cells.repeat_interleave(stride, dim=2).repeat_interleave(stride, dim=3).movedim(1, 3)
    patches = all_patches(2, 4, 6)
    found = read_cells(cells, patches, stride)
    assert found.shape[2] == (16 if stride < PATCH else 1)
    assert torch.equal(found.expand(-1, -1, 16), read_patches(enlarged, patches))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9))
def test_padding_repeats_the_last_row_and_column(height: int, width: int) -> None:
    image = torch.rand(1, height, width, 2)
    padded = pad_to_patches(image)
    assert padded.shape[1] % PATCH == padded.shape[2] % PATCH == 0
    assert 0 <= padded.shape[1] - height < PATCH
    rows, columns = torch.arange(padded.shape[1]).clamp(max=height - 1), torch.arange(padded.shape[2])
    assert torch.equal(padded, image[:, rows][:, :, columns.clamp(max=width - 1)])


@pytest.mark.parametrize("batch", [1, 2])
def test_lists_have_a_fixed_length_on_devices(batch: int) -> None:
    alpha = torch.empty(batch, 40, 48, 1, device="meta")
    patches = find_unknown(alpha, torch.empty(batch, 1, 10, 12, device="meta"))
    assert all(each.shape == (batch * round(MAX_PATCHES * 120),) for each in patches)
    assert write_patches(alpha, read_patches(alpha, patches), patches).shape == alpha.shape


def test_a_picture_with_too_many_patches_leaves_those_of_others_in_its_batch_alone(monkeypatch) -> None:
    monkeypatch.setattr("howard.compositing.patches.MAX_PATCHES", 0.25)
    alpha = torch.zeros(2, 32, 32, 1)
    alpha[0], alpha[1, :4, :4] = 0.5, 0.5
    patches = find_unknown(alpha, torch.zeros(2, 1, 8, 8))
    written = write_patches(alpha, torch.full((1, len(patches.row), 16), 0.7), patches)
    assert int((written[0] == 0.7).sum()) == 16 * 16
    expected = torch.zeros(32, 32, 1)
    expected[:4, :4] = 0.7
    assert torch.equal(written[1], expected)
