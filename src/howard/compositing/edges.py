"""The part of pictures that some patches depend on."""

from typing import NamedTuple

import torch
from torch import Tensor

from howard.compositing.patches import PATCH, Patches
from howard.compositing.surroundings import find_grid


class Window(NamedTuple):
    """A part of pictures, in pixels; it may reach beyond their lower and right ends, where the last ones repeat."""

    top: int
    left: int
    bottom: int
    right: int

    def of(self, image: Tensor) -> Tensor:
        """The part of (B, H, W, C)."""
        height, width = image.shape[1:3]
        part = image[:, self.top : min(self.bottom, height), self.left : min(self.right, width)]
        below, beside = max(0, self.bottom - height), max(0, self.right - width)
        if below:
            part = torch.cat([part, part[:, -1:].expand(-1, below, -1, -1)], dim=1)
        if beside:
            part = torch.cat([part, part[:, :, -1:].expand(-1, -1, beside, -1)], dim=2)
        return part


def find_window(patches: Patches, height: int, width: int) -> Window:
    """The part of pictures that the pixels of patches depend on; on devices all of it, for its size is not asked."""
    grid = find_grid(height, width)
    end = tuple(-(-size // grid.unit) * grid.unit for size in (height, width))
    if patches.row.device.type != "cpu":
        return Window(0, 0, *end)
    corners = []
    for at, last in zip((patches.row, patches.column), end, strict=True):
        first = max(0, int(at.min()) * PATCH - grid.margin) // grid.origin * grid.origin
        corners.append((first, min(last, -(-(int(at.max() + 1) * PATCH + grid.margin) // grid.origin) * grid.origin)))
    (top, bottom), (left, right) = corners
    return Window(top, left, bottom, right)
