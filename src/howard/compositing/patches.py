"""Patches of 4x4 pixels: which ones of a matte are unknown, and reading and writing their pixels.

Pictures are (B, H, W, C), whose H and W divide by 4. Values of patches are planes, (C, n, 16): for each of n patches a
row of its 16 pixels, line by line from the upper left.
"""

from functools import reduce
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

PATCH = 4
PIXELS = PATCH * PATCH
# Alpha nearer to 0 or 1 than this is not soft: half a code value of 8 bits.
SOFT = 0.5 / 255
# Share of all patches that are solved at most. Long hair in a close-up needs 17 % at 960x540; the larger the picture,
# the smaller the share.
MOST_PATCHES = 0.25


class Patches(NamedTuple):
    """n patches of a batch of pictures, (n,) each."""

    picture: Tensor
    row: Tensor  # in patches
    column: Tensor
    is_wanted: Tensor  # False for those that only fill up a list
    is_refined: Tensor  # whether the refiner worked there or beside it

    def moved(self, rows: int, columns: int) -> "Patches":
        """The same patches of pictures whose upper left corner lies so many patches further down and to the right."""
        return self._replace(row=self.row - rows, column=self.column - columns)


def find_unknown(alpha: Tensor, refined: Tensor) -> Patches:
    """The patches with soft pixels, and of those that the refiner worked on, or beside, all near an edge of alpha.

    Where alpha is 0 all around a patch, or 1, it stays as it is, and needs no solving.

    On a CPU exactly those are listed. Elsewhere the list has a fixed length, `MOST_PATCHES` of all, so that nothing
    waits for the device. Where more are wanted, any device drops the same ones, last the soft ones.

    Args:
        alpha: (B, H, W, 1) in [0, 1].
        refined: (B, 1, H / 4, W / 4), above 0 where the refiner worked.
    """
    batch, height, width = alpha.shape[:3]
    blocks = alpha.view(batch, height // PATCH, PATCH, width // PATCH, PATCH)
    # Lines first: whole ones are contiguous.
    largest, smallest = reduce(torch.maximum, blocks.unbind(2)).amax(3), reduce(torch.minimum, blocks.unbind(2)).amin(3)
    soft = (largest > SOFT) & (smallest < 1 - SOFT)
    is_edge = _with_neighbours(largest > 0) & _with_neighbours(smallest < 1)
    near = _with_neighbours(refined[:, 0] > 0) & is_edge
    wanted = near | soft
    available = wanted[0].numel()
    most = max(1, round(MOST_PATCHES * available))
    if alpha.device.type == "cpu" and int(wanted.flatten(1).sum(dim=1).max()) <= most:
        picture, row, column = wanted.nonzero(as_tuple=True)
        return Patches(picture, row, column, torch.ones_like(row, dtype=torch.bool), near[picture, row, column])
    # Distinct ranks: which of equals come first would depend on the device.
    order = torch.arange(available, device=alpha.device, dtype=torch.float32) / available
    rank = 4.0 * soft.flatten(1) + 2.0 * near.flatten(1) + order
    chosen = rank.topk(most, dim=1).indices
    picture = torch.arange(batch, device=alpha.device)[:, None].expand_as(chosen)
    is_wanted, is_refined = (each.flatten(1).gather(1, chosen).flatten() for each in (wanted, near))
    columns = wanted.shape[2]
    rows = torch.div(chosen, columns, rounding_mode="floor")
    return Patches(picture.flatten(), rows.flatten(), (chosen - rows * columns).flatten(), is_wanted, is_refined)


def read_patches(image: Tensor, patches: Patches) -> Tensor:
    """The pixels of patches of pictures (B, H, W, C) of any type: (C, n, 16)."""
    height, width, channels = image.shape[1:]
    lines = image.reshape(-1, PATCH * channels)
    values = lines.index_select(0, _lines_of(patches, height, width))
    return values.view(-1, PIXELS, channels).permute(2, 0, 1).contiguous()


def write_patches(image: Tensor, values: Tensor, patches: Patches, *, in_place: bool = False) -> Tensor:
    """Pictures (B, H, W, C) with ``values`` (C, n, 16) written into the wanted patches; a copy unless ``in_place``."""
    height, width, channels = image.shape[1:]
    lines = image.reshape(-1, PATCH * channels)
    numbers = _lines_of(patches, height, width)
    new = values.permute(1, 2, 0).reshape(-1, PATCH * channels).to(image.dtype)
    # A CPU is asked first, for it need not wait.
    if image.device.type != "cpu" or not patches.is_wanted.all():
        is_wanted = patches.is_wanted[:, None].expand(-1, PATCH).reshape(-1, 1)
        new = torch.where(is_wanted, new, lines.index_select(0, numbers))
    written = lines.index_copy_(0, numbers, new) if in_place else lines.index_copy(0, numbers, new)
    return written.view(image.shape)


def read_cells(cells: Tensor, patches: Patches, stride: int) -> Tensor:
    """What smaller pictures hold at the pixels of patches: (B, C, h, w) to (C, n, 16).

    ``stride`` is the side of one of their cells in pixels, a power of 2. Where each patch lies in one cell the result
    is (C, n, 1).
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
    """Pictures (B, H, W, C) of any size, their last row and column repeated until both sides divide by 4."""
    height, width = image.shape[1:3]
    if below := -height % PATCH:
        image = torch.cat([image, image[:, -1:].expand(-1, below, -1, -1)], dim=1)
    if beside := -width % PATCH:
        image = torch.cat([image, image[:, :, -1:].expand(-1, -1, beside, -1)], dim=2)
    return image


def _with_neighbours(flags: Tensor) -> Tensor:
    """Flags (B, h, w) bool, and the eight around each."""
    for axis, sides in ((2, (1, 1, 0, 0)), (1, (0, 0, 1, 1))):
        padded, size = F.pad(flags, sides), flags.shape[axis]
        flags = padded.narrow(axis, 0, size) | padded.narrow(axis, 1, size) | padded.narrow(axis, 2, size)
    return flags


def _lines_of(patches: Patches, height: int, width: int) -> Tensor:
    """Numbers of the rows of 4 pixels that patches consist of, counted through pictures of this size: (4 n,)."""
    rows = patches.row[:, None] * PATCH + torch.arange(PATCH, device=patches.row.device)
    lines = (patches.picture[:, None] * height + rows) * (width // PATCH) + patches.column[:, None]
    return lines.flatten()
