"""Sums over ever larger cells and the way back: what push-pull methods share.

After Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.4.
"""

import torch.nn.functional as F
from torch import Tensor


def sum_pyramid(values: Tensor, levels: int) -> list[Tensor]:
    """``values`` (B, C, h, w) and ``levels`` sums of it over cells of 2, 4, 8 ... pixels, the finest first.

    Cells at the right and lower edges may reach beyond the picture, where everything is 0.
    """
    pyramid = [values]
    for _ in range(levels):
        height, width = pyramid[-1].shape[2:]
        padded = F.pad(pyramid[-1], (0, width % 2, 0, height % 2))
        rows = padded[..., ::2, :] + padded[..., 1::2, :]
        pyramid.append(rows[..., ::2] + rows[..., 1::2])
    return pyramid


def double(values: Tensor, size: tuple[int, int]) -> Tensor:
    """A level (B, C, h, w) of a pyramid enlarged bilinearly to the size (height, width) of the next finer one."""
    enlarged = F.interpolate(values, scale_factor=2, mode="bilinear", align_corners=False)
    return enlarged[..., : size[0], : size[1]]


def count_levels(size: tuple[int, int]) -> int:
    """How many halvings take a picture of this size (height, width) to a single cell."""
    return (max(size) - 1).bit_length()
