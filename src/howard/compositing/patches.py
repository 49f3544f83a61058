"""Patches of 4x4 pixels: selection of the unknown patches of a matte, reading and writing of their pixels.

Images are (B, H, W, C) with H and W multiples of 4. Values of patches are planes (C, n, 16): for each of n patches its
16 pixels in row-major order.
"""

from functools import reduce
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

PATCH = 4
PIXELS = PATCH * PATCH
# Alpha within this distance of 0 or 1 is not soft: half an 8-bit code value.
SOFT = 0.5 / 255
# Maximum fraction of all patches that is solved. Long hair in a close-up needs 17 % at 960x540, and less in larger
# images.
MAX_PATCHES = 0.25


class Patches(NamedTuple):
    """n patches of a batch of images, (n,) each."""

    picture: Tensor  # index of the image
    row: Tensor  # in patches
    column: Tensor  # in patches
    is_wanted: Tensor  # False for padding of a list of fixed length
    is_refined: Tensor  # whether the patch or a neighbour of it was refined

    def moved(self, rows: int, columns: int) -> "Patches":
        """The same patches relative to a crop whose upper left corner is at these numbers of patches."""
        return self._replace(row=self.row - rows, column=self.column - columns)


def find_unknown(alpha: Tensor, refined: Tensor) -> Patches:
    """The patches to solve: those with soft pixels, and those near an edge of alpha that are or adjoin refined ones.

    A patch whose neighbourhood has alpha 0 everywhere, or 1 everywhere, needs no solving.

    On a CPU exactly these are listed. On other devices the list has the fixed length of the fraction `MAX_PATCHES`, to
    avoid synchronisation. If there are too many, the same patches are dropped on all devices, those with soft pixels
    last.

    Args:
        alpha: (B, H, W, 1) in [0, 1].
        refined: (B, 1, H / 4, W / 4), above 0 in refined patches.
    """
    batch, height, width = alpha.shape[:3]
    blocks = alpha.view(batch, height // PATCH, PATCH, width // PATCH, PATCH)
    # Reduced over rows first, whose memory is contiguous.
    largest, smallest = reduce(torch.maximum, blocks.unbind(2)).amax(3), reduce(torch.minimum, blocks.unbind(2)).amin(3)
    soft = (largest > SOFT) & (smallest < 1 - SOFT)
    is_edge = _with_neighbours(largest > 0) & _with_neighbours(smallest < 1)
    near = _with_neighbours(refined[:, 0] > 0) & is_edge
    wanted = near | soft
    available = wanted[0].numel()
    limit = max(1, round(MAX_PATCHES * available))
    if alpha.device.type == "cpu" and int(wanted.flatten(1).sum(dim=1).max()) <= limit:
        picture, row, column = wanted.nonzero(as_tuple=True)
        return Patches(picture, row, column, torch.ones_like(row, dtype=torch.bool), near[picture, row, column])
    # Ranks are distinct, since the order of equal values would depend on the device.
    order = torch.arange(available, device=alpha.device, dtype=torch.float32) / available
    rank = 4.0 * soft.flatten(1) + 2.0 * near.flatten(1) + order
    chosen = rank.topk(limit, dim=1).indices
    picture = torch.arange(batch, device=alpha.device)[:, None].expand_as(chosen)
    is_wanted, is_refined = (each.flatten(1).gather(1, chosen).flatten() for each in (wanted, near))
    columns = wanted.shape[2]
    rows = torch.div(chosen, columns, rounding_mode="floor")
    return Patches(picture.flatten(), rows.flatten(), (chosen - rows * columns).flatten(), is_wanted, is_refined)


def read_patches(image: Tensor, patches: Patches) -> Tensor:
    """Read the pixels of patches of images (B, H, W, C) of any type: (C, n, 16)."""
    height, width, channels = image.shape[1:]
    lines = image.reshape(-1, PATCH * channels)
    values = lines.index_select(0, _lines_of(patches, height, width))
    return values.view(-1, PIXELS, channels).permute(2, 0, 1).contiguous()


def write_patches(image: Tensor, values: Tensor, patches: Patches, *, in_place: bool = False) -> Tensor:
    """Write ``values`` (C, n, 16) into the wanted patches of images (B, H, W, C); in a copy unless ``in_place``."""
    height, width, channels = image.shape[1:]
    lines = image.reshape(-1, PATCH * channels)
    numbers = _lines_of(patches, height, width)
    new = values.permute(1, 2, 0).reshape(-1, PATCH * channels).to(image.dtype)
    # Only a CPU can check the values without synchronisation.
    if image.device.type != "cpu" or not patches.is_wanted.all():
        is_wanted = patches.is_wanted[:, None].expand(-1, PATCH).reshape(-1, 1)
        new = torch.where(is_wanted, new, lines.index_select(0, numbers))
    written = lines.index_copy_(0, numbers, new) if in_place else lines.index_copy(0, numbers, new)
    return written.view(image.shape)


def read_cells(cells: Tensor, patches: Patches, stride: int) -> Tensor:
    """Values of a grid of cells at the pixels of patches: (B, C, h, w) to (C, n, 16).

    ``stride`` is the side of a cell in pixels, a power of 2. If each patch lies in one cell, the result is (C, n, 1).
    """
    channels, height, width = cells.shape[1:]
    table = cells.permute(0, 2, 3, 1).reshape(-1, channels)
    side, shared = max(1, PATCH // stride), max(1, stride // PATCH)
    inside = torch.arange(side, device=cells.device)
    rows, columns = (
        torch.div(at, shared, rounding_mode="floor")[:, None] * side + inside for at in (patches.row, patches.column)
    )
    numbers = (patches.picture[:, None, None] * height + rows[:, :, None]) * width + columns[:, None, :]
    values = table.index_select(0, numbers.flatten()).view(-1, side, side, channels).permute(3, 0, 1, 2)
    if side in (1, PATCH):
        return values.reshape(channels, -1, side * side)
    repeat = PATCH // side
    enlarged = values[:, :, :, None, :, None].expand(-1, -1, -1, repeat, -1, repeat)
    return enlarged.reshape(channels, -1, PIXELS)


def pad_to_patches(image: Tensor) -> Tensor:
    """Pad images (B, H, W, C) with their last row and column until both sides are multiples of 4."""
    height, width = image.shape[1:3]
    if below := -height % PATCH:
        image = torch.cat([image, image[:, -1:].expand(-1, below, -1, -1)], dim=1)
    if right := -width % PATCH:
        image = torch.cat([image, image[:, :, -1:].expand(-1, -1, right, -1)], dim=2)
    return image


def _with_neighbours(flags: Tensor) -> Tensor:
    """Dilate flags (B, h, w) bool by their eight neighbours."""
    for axis, sides in ((2, (1, 1, 0, 0)), (1, (0, 0, 1, 1))):
        padded, size = F.pad(flags, sides), flags.shape[axis]
        flags = padded.narrow(axis, 0, size) | padded.narrow(axis, 1, size) | padded.narrow(axis, 2, size)
    return flags


def _lines_of(patches: Patches, height: int, width: int) -> Tensor:
    """Indices of the patches' rows of 4 pixels in flattened images of this size, (4 n,)."""
    rows = patches.row[:, None] * PATCH + torch.arange(PATCH, device=patches.row.device)
    lines = (patches.picture[:, None] * height + rows) * (width // PATCH) + patches.column[:, None]
    return lines.flatten()
