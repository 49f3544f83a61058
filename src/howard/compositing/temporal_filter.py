"""Temporal filter of soft edges: alpha averaged with that of neighbouring frames along the motion.

Errors of the network, noise and compression change from frame to frame and appear as flicker. A neighbour's alpha is
moved along the dense motion of the source, and counts only where the moved source looks like the frame and where the
motion is consistent in both directions, so not behind something that moves past, and not across a cut.
"""

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor

from howard.compositing.colour_encoding import FULL_CODES
from howard.compositing.patches import PATCH, PIXELS, Patches, pad_to_patches, read_patches

# Both were chosen on clips of moving people in rooms, all of the validation split: the largest reduction of the change
# of the error of alpha (dtSSD) that leaves its mean (MAD) and that near edges as it is.
# Standard deviation of the difference of colours, a mean over channels and a patch, encoded values in [0, 1].
_COLOUR_SIGMA = 8 / 255
# Standard deviation of the inconsistency of the motion, in pixels at a long side of 1920.
_MOTION_SIGMA = 6.0


class MovedFrame(NamedTuple):
    """A neighbouring frame, and the motion to it from the frame that is filtered.

    ``source`` (B, H, W, 3) code values and ``alpha`` (B, H, W, 1) in [0, 1] are the neighbour's, unfiltered.
    ``offsets`` (B, h, w, 2), x and y in pixels of the full frame, leads from the frame to the neighbour;
    ``inconsistency`` (B, h, w, 1) is in pixels at a long side of 1920.
    """

    source: Tensor
    alpha: Tensor
    offsets: Tensor
    inconsistency: Tensor


def filter_alpha(source: Tensor, alpha: Tensor, patches: Patches, neighbours: Sequence[MovedFrame]) -> Tensor:
    """Alpha of the pixels of patches, (1, n, 16) in [0, 1], averaged with that of the neighbours.

    Args:
        source: (B, H, W, 3) code values.
        alpha: (1, n, 16), unfiltered.
        patches: of the frame.
        neighbours: without any, alpha is returned as it is.
    """
    own = read_patches(pad_to_patches(source), patches) / FULL_CODES.get(source.dtype, 1)
    height, width = source.shape[1:3]
    y, x = _pixel_positions(patches)
    total, weights = alpha, torch.ones_like(alpha)
    for each in neighbours:
        rows, columns = each.offsets.shape[1:3]
        # Pixel centres of the full frame, in pixels of the reduced one.
        at = patches.picture, (y + 0.5) * (rows / height) - 0.5, (x + 0.5) * (columns / width) - 0.5
        offset, inconsistency = sample_bilinear(each.offsets, *at), sample_bilinear(each.inconsistency, *at)
        moved = patches.picture, y + offset[1], x + offset[0]
        colours = sample_bilinear(each.source, *moved) / FULL_CODES.get(source.dtype, 1)
        weight = _weigh(_mean_of_channels((colours - own).abs()), inconsistency)
        total = total + weight * sample_bilinear(each.alpha, *moved)
        weights = weights + weight
    return total / weights


def sample_bilinear(image: Tensor, picture: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Interpolate images (B, H, W, C) of any type at positions: (C, n, k) float32.

    ``picture`` (n,) are indices of images, ``y`` and ``x`` (n, k) are in pixels, pixel centres at integers; positions
    outside get the nearest pixel.
    """
    height, width, channels = image.shape[1:]
    table = image.reshape(-1, channels)
    y, x = y.clamp(0, height - 1), x.clamp(0, width - 1)
    top, left = y.floor(), x.floor()
    down, right = (y - top)[..., None], (x - left)[..., None]
    start = picture[:, None] * height

    def read(row: Tensor, column: Tensor) -> Tensor:
        numbers = (start + row.long()) * width + column.long()
        return table.index_select(0, numbers.flatten()).view(*numbers.shape, channels).float()

    below, after = (top + 1).clamp(max=height - 1), (left + 1).clamp(max=width - 1)
    upper = torch.lerp(read(top, left), read(top, after), right)
    lower = torch.lerp(read(below, left), read(below, after), right)
    return torch.lerp(upper, lower, down).permute(2, 0, 1)


def _weigh(difference: Tensor, inconsistency: Tensor) -> Tensor:
    """Weight of a neighbour relative to the frame itself, (1, n, 1), from two maps (1, n, 16)."""
    apart = difference.mean(dim=2, keepdim=True) / _COLOUR_SIGMA
    drift = inconsistency.mean(dim=2, keepdim=True) / _MOTION_SIGMA
    return torch.exp(-(apart.square() + drift.square()))


def _pixel_positions(patches: Patches) -> tuple[Tensor, Tensor]:
    """Row and column of the pixels of patches, (n, 16) float32 each."""
    inside = torch.arange(PIXELS, device=patches.row.device)
    rows = patches.row[:, None] * PATCH + torch.div(inside, PATCH, rounding_mode="floor")
    columns = patches.column[:, None] * PATCH + inside % PATCH
    return rows.float(), columns.float()


def _mean_of_channels(planes: Tensor) -> Tensor:
    """(3, ...) to (1, ...); several times as fast as ``torch.mean`` on a CPU."""
    return reduce(torch.add, planes.split(1)) / len(planes)
