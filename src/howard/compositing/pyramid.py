"""Pictures in cells of several pixels: means and sums over cells, and the way back.

Cells are aligned with the upper left corner; those at the right and lower edges may reach beyond the picture. The
pyramid of sums is what push-pull methods share (Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.4).
"""

from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor


def sum_channels(planes: Tensor) -> Tensor:
    """Over the channels, which are few: (B, C, ...) -> (B, 1, ...), several times as fast as ``sum`` on a CPU."""
    return reduce(torch.add, planes.split(1, dim=1))


def shrink(pictures: Tensor, factor: int) -> Tensor:
    """Means over cells of ``factor`` x ``factor`` pixels; beyond the picture its border is repeated."""
    height, width = pictures.shape[2:]
    if height % factor or width % factor:
        pictures = F.pad(pictures, (0, -width % factor, 0, -height % factor), mode="replicate")
    batch, channels, height, width = pictures.shape
    rows = pictures.reshape(batch, channels, height // factor, factor, width).sum(dim=3)
    # A matrix product: a CPU's pooling, and its sum over the last dimension, take several times as long.
    cells = rows.view(batch, channels, height // factor, width // factor, factor)
    return cells @ torch.full((factor,), 1 / factor**2, dtype=rows.dtype, device=rows.device)


def enlarge(cells: Tensor, factor: int, size: tuple[int, int]) -> Tensor:
    """Cells (B, C, h, w) of ``factor`` x ``factor`` pixels to a picture of this size (height, width), bilinearly."""
    batch, channels = cells.shape[:2]
    # Channels in the batch's place take a CPU a quarter of the time.
    single = cells.flatten(0, 1)[:, None]
    enlarged = F.interpolate(single, scale_factor=factor, mode="bilinear", align_corners=False)
    return enlarged.view(batch, channels, *enlarged.shape[2:])[..., : size[0], : size[1]]


def sum_pyramid(values: Tensor, levels: int) -> list[Tensor]:
    """``values`` (B, C, h, w) and ``levels`` sums of it over cells of 2, 4, 8 ... pixels, the finest first.

    Beyond the picture everything is 0.
    """
    pyramid = [values]
    for _ in range(levels):
        height, width = pyramid[-1].shape[2:]
        padded = F.pad(pyramid[-1], (0, width % 2, 0, height % 2))
        rows = padded[..., ::2, :] + padded[..., 1::2, :]
        pyramid.append(rows[..., ::2] + rows[..., 1::2])
    return pyramid


def count_levels(size: tuple[int, int]) -> int:
    """How many halvings take a picture of this size (height, width) to a single cell."""
    return (max(size) - 1).bit_length()
