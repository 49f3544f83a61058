"""Crops of views and resampling of maps to frames: known transforms are recovered, and areas are averaged."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from howard.matting.person_prior_views import box_from_mask, crop_views, place_maps, whole_frame

HEIGHT, WIDTH = 48, 64


def ramp(height: int = HEIGHT, width: int = WIDTH) -> Tensor:
    """(1, 3, H, W): each pixel's x and y at its centre, and 1."""
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return torch.stack([x, y, torch.ones_like(x)])[None]


def smooth() -> Tensor:
    """A picture whose detail is far larger than a pixel."""
    x, y, one = ramp().unbind(dim=1)
    return torch.stack([0.5 + 0.4 * torch.sin(x / 9), 0.5 + 0.4 * torch.cos(y / 7), one], dim=1)


def box(left: float, top: float, side: float) -> Tensor:
    return torch.tensor([[left, top, side]])


def test_whole_frame_is_centred_on_the_short_side() -> None:
    assert whole_frame(100, 60, batch=2).tolist() == [[-20, 0, 100]] * 2
    assert whole_frame(60, 100).tolist() == [[0, -20, 100]]


def test_box_from_mask() -> None:
    mask = torch.zeros(2, 1, 40, 60)
    mask[0, 0, 10:30, 20:25] = 1  # rows 10 to 30, columns 20 to 25
    boxes = box_from_mask(mask, margin=1.5)
    torch.testing.assert_close(boxes, torch.tensor([[22.5 - 15, 20 - 15, 30], [0, -10, 60]]))
    torch.testing.assert_close(box_from_mask(mask[0, 0], margin=1.5), boxes[:1])


def test_a_view_of_the_frames_own_pixels_is_the_frame() -> None:
    image = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(crop_views(image, whole_frame(32, 32, 2), 32), image)


@given(st.floats(0, 20), st.floats(0, 12), st.floats(8, 32), st.sampled_from([8, 16, 40]))
@settings(deadline=None, max_examples=30)
def test_a_view_inside_samples_at_its_own_pixel_centres(left: float, top: float, side: float, size: int) -> None:
    """A ramp of pixels is interpolated exactly; the mean over a window of 1.5 pixels, say, is off by a part of one."""
    view = crop_views(ramp(), box(left, top, side), size)
    centres = (torch.arange(size) + 0.5) * side / size
    inner = slice(size // 8 + 1, -(size // 8) - 1)  # a magnifying window of one pixel may extend beyond the frame
    tolerance = 1e-3 if side <= size else 0.13
    torch.testing.assert_close(view[0, 0, size // 2, inner], left + centres[inner], rtol=0, atol=tolerance)
    torch.testing.assert_close(view[0, 1, inner, size // 2], top + centres[inner], rtol=0, atol=tolerance)


def test_shrinking_takes_the_mean_of_the_area() -> None:
    image = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.avg_pool2d(image, 3)
    torch.testing.assert_close(crop_views(image, whole_frame(48, 48), 16), expected)


@given(st.floats(-60, 60), st.floats(-60, 60), st.floats(5, 120))
@settings(deadline=None, max_examples=40)
def test_outside_the_frame_is_grey_and_inside_is_not(left: float, top: float, side: float) -> None:
    size = 24
    ones = crop_views(ramp(), box(left, top, side), size)[0, 2]
    edges = torch.arange(size + 1) / size * side
    extent = max(1, side / size)  # of a window beyond its pixel

    def inside(start: float, length: int) -> tuple[Tensor, Tensor]:
        low, high = start + edges[:-1], start + edges[1:]
        return (low >= extent) & (high <= length - extent), (high <= -extent) | (low >= length + extent)

    (fully_x, never_x), (fully_y, never_y) = inside(left, WIDTH), inside(top, HEIGHT)
    torch.testing.assert_close(ones[fully_y][:, fully_x], torch.ones(int(fully_y.sum()), int(fully_x.sum())))
    assert (ones[never_y] == 0.5).all()
    assert (ones[:, never_x] == 0.5).all()


@given(st.floats(-30, 40), st.floats(-30, 30), st.floats(20, 90))
@settings(deadline=None, max_examples=40)
def test_what_was_cropped_is_laid_back_where_it_was(left: float, top: float, side: float) -> None:
    view = crop_views(smooth(), box(left, top, side), 96)
    placed = place_maps(view, box(left, top, side), (HEIGHT, WIDTH), (1, 1))
    x, y, _ = ramp()[0]
    margin = 2  # the frame's own border fades over a pixel
    looked = (x > left + margin) & (x < left + side - margin) & (y > top + margin) & (y < top + side - margin)
    away = (x > margin) & (x < WIDTH - margin) & (y > margin) & (y < HEIGHT - margin)
    kept = looked & away
    torch.testing.assert_close(placed.maps[0][:, kept], smooth()[0][:, kept], rtol=0, atol=0.01)
    unseen = (x < left - 1) | (x > left + side + 1) | (y < top - 1) | (y > top + side + 1)
    assert (placed.maps[0][:, unseen] == 0).all()
    assert (placed.covered[0, 0][unseen] == 0).all()
    assert (placed.covered[0, 0][looked] > 0.999).all()


@pytest.mark.parametrize("stride", [2, 4, 8])
def test_a_coarser_result_is_the_mean_over_its_pixels(stride: int) -> None:
    view = crop_views(smooth(), whole_frame(HEIGHT, WIDTH), 128)
    fine = place_maps(view, whole_frame(HEIGHT, WIDTH), (HEIGHT, WIDTH), (1, 1)).maps
    coarse = place_maps(view, whole_frame(HEIGHT, WIDTH), (HEIGHT // stride, WIDTH // stride), (stride, stride)).maps
    torch.testing.assert_close(coarse, torch.nn.functional.avg_pool2d(fine, stride), rtol=0, atol=0.01)


def test_views_of_one_frame_are_averaged_by_coverage() -> None:
    boxes = torch.tensor([[0.0, 0.0, 8.0], [4.0, 0.0, 8.0], [2.5, 0.0, 4.0]])
    maps = torch.tensor([1.0, 3.0, 5.0])[:, None, None, None].expand(3, 1, 16, 16)
    placed = place_maps(maps, boxes, (8, 16), (1, 1), torch.tensor([1, 1, 0]), batch=3)
    row = placed.maps[1, 0, 4]
    torch.testing.assert_close(row, torch.tensor([1.0] * 4 + [2.0] * 4 + [3.0] * 4 + [0.0] * 4))
    assert placed.covered[1, 0, 4].tolist() == [1.0] * 12 + [0.0] * 4
    torch.testing.assert_close(placed.maps[0, 0, 2], torch.tensor([0.0] * 2 + [5.0] * 5 + [0.0] * 9))
    torch.testing.assert_close(placed.covered[0, 0, 2], torch.tensor([0.0] * 2 + [0.5] + [1.0] * 3 + [0.5] + [0.0] * 9))
    assert (placed.maps[2] == 0).all()
    assert (placed.covered[2] == 0).all()


def test_gradients_pass_through_both_ways() -> None:
    image = torch.rand(1, 3, 12, 16, dtype=torch.float64, requires_grad=True)

    def there_and_back(values: Tensor) -> Tensor:
        view = crop_views(values, box(-2, 1, 11.5), 8)
        return place_maps(view, box(-2, 1, 11.5), (6, 8), (2, 2)).maps

    assert torch.autograd.gradcheck(there_and_back, image)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_runs_on_meta(dtype: torch.dtype) -> None:
    mask = torch.empty(2, 1, 40, 60, device="meta")
    boxes = box_from_mask(mask)
    views = crop_views(torch.empty(2, 3, 40, 60, device="meta", dtype=dtype), boxes)
    assert (views.shape, views.dtype) == ((2, 3, 256, 256), dtype)
    placed = place_maps(views, boxes, (10, 15), (4, 4), torch.empty(2, device="meta", dtype=torch.long), batch=3)
    assert (placed.maps.shape, placed.covered.shape) == ((3, 3, 10, 15), (3, 1, 10, 15))
    assert placed.maps.dtype == dtype
