"""Square views of frames, the person prior's input, and resampling of its maps from views to the frame.

Boxes are tensors (N, 3) of left, top and side, in pixels of the frame; x points right, y down, and pixel i covers
[i, i + 1), so that its centre is at i + 0.5. A box may extend beyond the frame. No function synchronises with the
device.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from howard.matting.person_prior import INPUT_SIZE

# Side of the view divided by the longer side of the person's bounding box: the prior misses the fewest pixels with it.
MARGIN = 1.3
# sRGB value outside the frame. Of people cut by the frame's border the prior misses 1.1 % of the pixels with it, and
# 1.9 % with black or with replicated border colours; in letterboxed frames 2.3 %, and 5.1 % with black.
_OUTSIDE = 0.5


class PlacedMaps(NamedTuple):
    """Maps of views, resampled to their frames."""

    maps: Tensor  # (B, C, h, w), 0 where no view covers the pixel
    covered: Tensor  # (B, 1, h, w) in [0, 1], fraction of the pixel's area that the views cover


def whole_frame(height: int, width: int, batch: int = 1, device: torch.device | str = "cpu") -> Tensor:
    """The smallest square around a frame, centred, for every frame of a batch, (batch, 3)."""
    side = max(height, width)
    return torch.tensor([(width - side) / 2, (height - side) / 2, side], device=device).expand(batch, 3)


def box_from_mask(mask: Tensor, margin: float = MARGIN, threshold: float = 0.5) -> Tensor:
    """The square view centred on the bounding box of a mask.

    Args:
        mask: (H, W) or (B, 1, H, W); values above ``threshold`` belong to the person.
        margin: side of the square divided by the longer side of the bounding box.
        threshold: of the mask.

    Returns:
        (B, 3), B = 1 for a single mask; the whole frame if no value is above the threshold.
    """
    inside = mask.reshape(-1, *mask.shape[-2:]) > threshold
    height, width = inside.shape[-2:]
    left, right = _extent(inside.any(dim=1))
    top, bottom = _extent(inside.any(dim=2))
    side = torch.maximum(right - left, bottom - top) * margin
    box = torch.stack([(left + right - side) / 2, (top + bottom - side) / 2, side], dim=1)
    return torch.where(inside.any(dim=2).any(dim=1)[:, None], box, whole_frame(height, width, len(box), box.device))


def crop_views(image: Tensor, boxes: Tensor, size: int = INPUT_SIZE) -> Tensor:
    """Crop square views from frames: averaged over each pixel's area, or interpolated linearly if magnified.

    Args:
        image: (N, 3, H, W), float.
        boxes: (N, 3), one for each image.
        size: of the views, in pixels.

    Returns:
        (N, 3, size, size), mid-grey outside the frame.
    """
    left, top, side = boxes.to(torch.float32).unbind(dim=1)
    step = side / size
    rows = _resampling_matrix(top, step, size, image.shape[2])
    columns = _resampling_matrix(left, step, size, image.shape[3])
    return _resample(image - _OUTSIDE, rows, columns) + _OUTSIDE


def place_maps(
    maps: Tensor,
    boxes: Tensor,
    size: tuple[int, int],
    step: tuple[float, float],
    owner: Tensor | None = None,
    batch: int | None = None,
) -> PlacedMaps:
    """Resample maps of square views to their frames; the inverse of :func:`crop_views`.

    Where views of one frame overlap, the result is their mean, weighted by the fraction of the pixel that each covers.

    Args:
        maps: (N, C, s, s) of any resolution.
        boxes: (N, 3) in pixels of the frames.
        size: height and width of the result, in its own pixels.
        step: height and width of a pixel of the result, in pixels of the frame.
        owner: (N,) index of the frame that each view belongs to; None: view i belongs to frame i.
        batch: B, number of frames; needed with ``owner``.
    """
    left, top, side = boxes.to(torch.float32).unbind(dim=1)
    pixels = maps.shape[-1] / side  # of the map per pixel of the frame
    row_start, row_step, column_start, column_step = -top * pixels, step[0] * pixels, -left * pixels, step[1] * pixels
    rows = _resampling_matrix(row_start, row_step, size[0], maps.shape[2])
    columns = _resampling_matrix(column_start, column_step, size[1], maps.shape[3])
    placed = _resample(maps, rows, columns)
    weights = _outer(rows.sum(dim=2), columns.sum(dim=2)).to(placed.dtype)
    covered = _outer(
        _overlap(row_start, row_step, row_step, size[0], maps.shape[2]),
        _overlap(column_start, column_step, column_step, size[1], maps.shape[3]),
    ).to(placed.dtype)
    if owner is not None:
        assert batch is not None
        belongs = owner == torch.arange(batch, device=owner.device)[:, None]
        placed, weights, covered = (_sum_views(each, belongs) for each in (placed, weights, covered))
    covered = covered.clamp(max=1)
    smallest = torch.finfo(placed.dtype).tiny
    return PlacedMaps(torch.where(covered > 0, placed / weights.clamp(min=smallest), 0), covered)


def _extent(inside: Tensor) -> tuple[Tensor, Tensor]:
    """First and one past the last true index of each row of (B, n) booleans, as float32 (B,)."""
    flags = inside.to(torch.uint8)
    return flags.argmax(dim=1).float(), (inside.shape[1] - flags.flip(1).argmax(dim=1)).float()


def _resampling_matrix(start: Tensor, step: Tensor, outputs: int, inputs: int) -> Tensor:
    """Weights (N, outputs, inputs) that resample one axis of N signals, which are 0 outside their extent.

    Output i is the mean over a window centred at ``start + (i + 0.5) * step``, of width ``step`` but at least one
    input: area averaging when the signal is reduced, and linear interpolation when it is magnified.
    """
    width = step.clamp(min=1)[:, None, None]
    centre = start[:, None] + step[:, None] * (torch.arange(outputs, device=start.device) + 0.5)
    low = centre[:, :, None] - width / 2
    pixel = torch.arange(inputs, device=start.device)
    return (torch.minimum(low + width, pixel + 1) - torch.maximum(low, pixel)).clamp(min=0) / width


def _overlap(start: Tensor, step: Tensor, width: Tensor, outputs: int, inputs: int) -> Tensor:
    """Fraction of each output's extent that lies within [0, inputs], (N, outputs)."""
    low = start[:, None] + step[:, None] * torch.arange(outputs, device=start.device)
    return ((low + step[:, None]).clamp(max=inputs) - low.clamp(min=0)).clamp(min=0) / width[:, None]


def _resample(values: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Resample (N, C, H, W) by matrices (N, h, H) and (N, w, W) to (N, C, h, w)."""
    return rows[:, None].to(values.dtype) @ values @ columns[:, None].transpose(2, 3).to(values.dtype)


def _outer(rows: Tensor, columns: Tensor) -> Tensor:
    """Outer products (N, 1, h, w) of (N, h) and (N, w)."""
    return rows[:, None, :, None] * columns[:, None, None, :]


def _sum_views(values: Tensor, belongs: Tensor) -> Tensor:
    """Sum views (N, C, h, w) per frame to (B, C, h, w); ``belongs`` (B, N) says which view belongs to which frame."""
    return torch.einsum("bn,nchw->bchw", belongs.to(values.dtype), values)
