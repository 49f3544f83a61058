"""Square tiles of an image that contain patches to refine: cropped with a border, and pasted back.

A patch is 4x4 pixels. A tile is ``size`` x ``size`` patches, of which at least one is to be refined. Tiles of one patch
suit scattered errors; where errors are clustered, as on a contour, larger tiles have fewer border pixels in total.
Nothing is copied, padded or upsampled at full size, only inside the tiles.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import reduce
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

PATCH = 4
TILE_SIZES = (1, 2, 4, 8, 16)
# Border of a tile's input, in pixels at full resolution: 3 pixels at half resolution.
BORDER = 6
# Returns the pixels (n, r, c, C) at rows (n, r) and columns (n, c) of images (n,).
WindowReader = Callable[[Tensor, Tensor, Tensor], Tensor]


class Tiles(NamedTuple):
    """n tiles of ``size`` x ``size`` patches: image index in the batch, row and column in tiles, (n,) each."""

    size: int
    batch: Tensor
    row: Tensor
    column: Tensor

    def split(self, pixels: int) -> Iterator["Tiles"]:
        """Split into parts whose windows have about ``pixels`` pixels, to limit the size of intermediate results."""
        count = max(1, pixels // _window_side(self.size) ** 2)
        for part in zip(*(index.split(count) for index in self[1:]), strict=True):
            yield Tiles(self.size, *part)


def cover_patches(patches: Tensor, sizes: tuple[int, ...] = TILE_SIZES) -> Tiles:
    """The tiles that contain all patches to refine, of the size whose windows have the fewest pixels in total.

    Args:
        patches: (B, 1, h, w), 1 where a patch is to be refined, else 0.
        sizes: allowed sizes of tiles, in patches.
    """
    occupied = {size: F.max_pool2d(patches, size, ceil_mode=True)[:, 0] for size in sizes}
    size = min(sizes, key=lambda size: float(occupied[size].sum()) * _window_side(size) ** 2)
    return Tiles(size, *occupied[size].nonzero().unbind(1))


def fixed_patches(patches: Tensor, count: int) -> Tiles:
    """``count`` tiles of one patch per image, which include all patches to refine if there are at most ``count``.

    Shapes do not depend on values, so that a GPU is not synchronised and the graph can be exported.

    Args:
        patches: (B, 1, h, w), 1 where a patch is to be refined, else 0.
        count: at most h w.
    """
    index = patches.flatten(1).topk(count, sorted=False).indices  # (B, count)
    batch = torch.arange(len(index), device=index.device)[:, None].expand_as(index)
    width = patches.shape[3]
    return Tiles(1, batch.flatten(), (index // width).flatten(), (index % width).flatten())


def crop(image: Tensor, tiles: Tiles, border: int, stride: int = PATCH) -> Tensor:
    """Crop the tiles, each with a border, from an image that has ``stride`` pixels per patch.

    (B, C, H, W) of any type to (n, s, s, C) with s = stride size + 2 border; pixels outside the image are 0. H and W
    are multiples of ``stride``.
    """
    batch, channels, height, width = image.shape
    # Pixels are read in units of one patch's width: each unit is completely inside or outside the image.
    margin = -(-border // stride)
    rows = tiles.row[:, None] * (stride * tiles.size) - border
    rows = rows + torch.arange(stride * tiles.size + 2 * border, device=image.device)
    units = tiles.column[:, None] * tiles.size - margin + torch.arange(tiles.size + 2 * margin, device=image.device)
    lines = image.permute(0, 2, 3, 1).reshape(batch, height, width // stride, stride * channels)
    pixels = gather_windows(lines.permute(0, 3, 1, 2), tiles.batch, rows, units)
    pixels *= within(rows, height)[:, :, None, None].to(image.dtype)
    pixels *= within(units, width // stride)[:, None, :, None].to(image.dtype)
    first = margin * stride - border
    return pixels.unflatten(3, (stride, channels)).flatten(2, 3)[:, :, first : first + rows.shape[1]]


def crop_enlarged(image: Tensor, tiles: Tiles, size: tuple[int, int], stride: int, border: int) -> Tensor:
    """Crop the tiles from an image upsampled bilinearly, computing only their pixels.

    Equals a crop of ``F.interpolate(image, size, mode="bilinear")``, computed as two small matrix products per tile; a
    row of zeros in a matrix gives a pixel outside the image.

    Args:
        image: (B, C, h, w).
        tiles: on the patch grid.
        size: (H, W) after upsampling, with ``stride`` pixels per patch.
        stride: pixels per patch at that size.
        border: pixels at that size added on all four sides.

    Returns:
        (n, s, s, C) with s = stride size + 2 border.
    """
    if image.shape[2:] == size:
        return crop(image, tiles, border, stride)

    def read(batch: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        return gather_windows(image, batch, rows, columns)

    return enlarge_windows(read, (image.shape[2], image.shape[3]), tiles, size, stride, border, image.dtype)


def enlarge_windows(
    read: WindowReader,
    shape: tuple[int, int],
    tiles: Tiles,
    size: tuple[int, int],
    stride: int,
    border: int,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """:func:`crop_enlarged` of an image that is read through a function and need not exist as a whole.

    Args:
        read: returns the pixels (n, r, c, C) at consecutive rows (n, r) and columns (n, c) of images (n,); any finite
            values outside the image.
        shape: height and width of the image.
        tiles: on the patch grid.
        size: (H, W) after upsampling.
        stride: pixels per patch at that size.
        border: pixels at that size added on all four sides.
        dtype: of the pixels.
    """
    side = stride * tiles.size + 2 * border
    rows, down = _upsampling_weights(tiles.row * (stride * tiles.size) - border, side, shape[0], size[0], dtype)
    columns, across = _upsampling_weights(tiles.column * (stride * tiles.size) - border, side, shape[1], size[1], dtype)
    window = read(tiles.batch, rows, columns)  # (n, r, c, C)
    device = window.device.type
    # Conversion to half precision would take longer than it saves.
    with torch.autocast(device, enabled=False) if torch.amp.is_autocast_available(device) else nullcontext():
        window = torch.bmm(down, window.flatten(2)).unflatten(2, window.shape[2:])  # (n, s, c, C)
        return torch.matmul(across[:, None], window)


def enlarge_patches(image: Tensor, tiles: Tiles, size: tuple[int, int]) -> Tensor:
    """:func:`crop_enlarged` for many tiles of one patch, without a border: (B, C, h, w) to (n, 4, 4, C).

    Sums over the few pixels that are read, with the tiles as the last dimension, take half the time of small matrix
    products.
    """
    rows, down = _upsampling_weights(tiles.row * PATCH, PATCH, image.shape[2], size[0], image.dtype)
    columns, across = _upsampling_weights(tiles.column * PATCH, PATCH, image.shape[3], size[1], image.dtype)
    window = gather_windows(image, tiles.batch, rows, columns).permute(1, 2, 3, 0).contiguous()  # (r, c, C, n)
    down, across = (weights.permute(2, 1, 0).contiguous() for weights in (down, across))  # (r, 4, n), (c, 4, n)
    lines = reduce(torch.add, (weight[:, None, None] * row for weight, row in zip(down, window, strict=True)))
    pairs = zip(across, lines.unbind(1), strict=True)  # lines are (4, c, C, n)
    return reduce(torch.add, (weight[:, None] * column[:, None] for weight, column in pairs)).permute(3, 0, 1, 2)


def paste(grids: Sequence[Tensor], detail: Tensor, tiles: Tiles, patches: Tensor) -> None:
    """Write the refined patches of the tiles into images, in place; other patches keep their values.

    Args:
        grids: images as returned by :func:`by_patch`, whose numbers of channels add up to C.
        detail: (n, C, 4 size, 4 size), the tiles' content.
        tiles: n tiles.
        patches: (B, 1, H / 4, W / 4), 1 where a patch is to be written, else 0.
    """
    details = by_patch(detail).split([grid.shape[-1] for grid in grids], dim=-1)  # (n, size, size, 4, 4, C)
    if tiles.size == 1:
        where = (tiles.batch, tiles.row, tiles.column)
        wanted = patches[:, 0][where].bool()[:, None, None, None]
        for grid, own in zip(grids, details, strict=True):
            grid[where] = torch.where(wanted, own[:, 0, 0], grid[where])
        return
    within_tile = torch.arange(tiles.size, device=detail.device)
    rows = (tiles.row[:, None] * tiles.size + within_tile)[:, :, None]  # (n, size, 1)
    columns = (tiles.column[:, None] * tiles.size + within_tile)[:, None, :]  # (n, 1, size)
    height, width = patches.shape[2:]
    wanted = patches[:, 0][tiles.batch[:, None, None], rows.clamp(max=height - 1), columns.clamp(max=width - 1)].bool()
    wanted &= (rows < height) & (columns < width)
    tile, row, column = wanted.nonzero().unbind(1)
    where = tiles.batch[tile], rows[tile, row, 0], columns[tile, 0, column]
    for grid, own in zip(grids, details, strict=True):
        grid[where] = own[tile, row, column]


def by_patch(image: Tensor) -> Tensor:
    """A view of (B, C, 4 h, 4 w) as (B, h, w, 4, 4, C)."""
    return image.unflatten(3, (-1, PATCH)).unflatten(2, (-1, PATCH)).permute(0, 2, 4, 3, 5, 1)


def window_extent(side: int, length: int, target: int) -> int:
    """Pixels read along one axis for ``side`` pixels of an image upsampled from ``length`` to ``target`` pixels."""
    return int((side - 1) * length / target) + 3


def _window_side(size: int) -> int:
    return PATCH * size + 2 * BORDER


def within(index: Tensor, length: int) -> Tensor:
    """Whether each index is in [0, length)."""
    return (index >= 0) & (index < length)


def gather_windows(image: Tensor, batch: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Pixels (n, r, c, C) of (B, C, H, W) at rows (n, r) and columns (n, c) of the images ``batch`` (n,).

    Outside the image its border is replicated.
    """
    height, width = image.shape[2:]
    rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    table = image.permute(0, 2, 3, 1).reshape(-1, image.shape[1])  # a view if the memory layout is channels-last
    index = (batch[:, None, None] * height + rows[:, :, None]) * width + columns[:, None, :]
    return table.index_select(0, index.flatten()).unflatten(0, index.shape)


def _upsampling_weights(
    start: Tensor, side: int, length: int, target: int, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """One axis of bilinear upsampling from ``length`` to ``target`` pixels, for n windows of ``side`` from ``start``.

    Returns:
        The consecutive indices (n, r) of the pixels read, and their weights (n, side, r), 0 outside the image.
    """
    wanted = start[:, None] + torch.arange(side, device=start.device)
    # Pixel centres as in F.interpolate(align_corners=False), in its own precision.
    scale = torch.tensor(length / target, dtype=dtype, device=start.device)
    position = ((wanted.to(dtype) + 0.5) * scale - 0.5).clamp(0, length - 1)
    extent = window_extent(side, length, target)
    index = position[:, :1].floor() + torch.arange(extent, device=start.device)
    weights = (1 - (position[:, :, None] - index[:, None, :]).abs()).clamp(min=0)
    return index.long(), weights * within(wanted, target)[:, :, None].to(dtype)
