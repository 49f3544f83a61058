"""Coordinates, homographies, spline fields and image sampling, batched on any device.

Pixel centres are at integers and y points down. N counts images: samples times frames.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Coordinates(NamedTuple):
    """``x`` and ``y`` in pixels, which broadcast to (N, H, W)."""

    x: Tensor
    y: Tensor


def pixel_coordinates(frame: Sequence[int], device: torch.device) -> Coordinates:
    """Pixel coordinates of a frame (height, width): x (1, 1, W), y (1, H, 1)."""
    height, width = frame
    x = torch.arange(width, dtype=torch.float32, device=device)
    y = torch.arange(height, dtype=torch.float32, device=device)
    return Coordinates(x[None, None], y[None, :, None])


def normalised_coordinates(frame: Sequence[int], device: torch.device) -> Coordinates:
    """Coordinates of a frame's pixel centres, -1 to 1 from edge to edge: x (1, 1, W), y (1, H, 1)."""
    height, width = frame
    x, y = pixel_coordinates(frame, device)
    return Coordinates((2 * x + 1) / width - 1, (2 * y + 1) / height - 1)


def apply_homography(matrix: Tensor, points: Coordinates) -> Coordinates:
    """Apply homographies (N, 3, 3) to coordinates."""
    (a, b, c), (d, e, f), (g, h, i) = ([each[:, None, None] for each in row.unbind(1)] for row in matrix.unbind(1))
    x, y = points
    scale = 1 / (g * x + (h * y + i))
    return Coordinates((a * x + (b * y + c)) * scale, (d * x + (e * y + f)) * scale)


def sample_canvas(canvas: Tensor, matrix: Tensor, points: Coordinates, padding: str) -> Tensor:
    """Sample canvases bilinearly at transformed coordinates.

    Args:
        canvas: (N, C, h, w) uint8.
        matrix: (N, 3, 3), maps frame pixels to canvas pixels.
        points: in frame pixels.
        padding: padding mode of :func:`torch.nn.functional.grid_sample`.

    Returns:
        (N, C, H, W) float32 in [0, 1].
    """
    height, width = canvas.shape[2:]
    to_unit = matrix.new_tensor([[2 / width, 0, 1 / width - 1], [0, 2 / height, 1 / height - 1], [0, 0, 1]])
    grid = torch.stack(apply_homography(to_unit @ matrix, points), dim=-1)
    read = F.grid_sample(canvas.float(), grid, padding_mode=padding, align_corners=False)
    return read.div_(255).clamp_(0, 1)  # the four weights sum to one but for rounding


def spline_field(knots: Tensor, height: int, width: int) -> Tensor:
    """Evaluate uniform cubic B-splines over the frame: knots (N, C, K, K) -> (N, C, H, W).

    The result has about the standard deviation of the knots.
    """
    count = knots.shape[-1]
    rows, columns = (_basis(side, count, knots.device) for side in (height, width))
    # For independent knots a cubic B-spline has 0.48 of their standard deviation, along either axis.
    return rows @ (knots / 0.48) @ columns.T


def _basis(side: int, count: int, device: torch.device) -> Tensor:
    """Weights of ``count`` uniform knots at each pixel along a side, (side, count)."""
    place = (torch.arange(side, dtype=torch.float32, device=device) + 0.5) / side * (count - 3)
    distance = (place[:, None] + 1 - torch.arange(count, dtype=torch.float32, device=device)).abs()
    near = 2 / 3 - distance.square() * (1 - distance / 2)
    far = (2 - distance).clamp(min=0) ** 3 / 6
    return torch.where(distance < 1, near, far)


def signed_line_distance(line: Tensor, points: Coordinates) -> Tensor:
    """Signed distances a x + b y + c from lines (N, 3), (N, H, W)."""
    a, b, c = (each[:, None, None] for each in line.unbind(1))
    return a * points.x + (b * points.y + c)


def per_image(value: Tensor) -> Tensor:
    """One value for each image, (N,) -> (N, 1, 1, 1), to broadcast over channels and pixels."""
    return value[:, None, None, None]
