"""Images as code values, uint8, 16 bits, or float32 in [0, 1]: resized and padded without a whole copy as float."""

from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor

# The code value of white; floating-point images are in [0, 1] already.
FULL_CODES = {torch.uint8: 255, torch.uint16: 65535, torch.int32: 65535}
# Side in pixels of the largest cell whose sum of 8-bit values fits into int16.
_LARGEST_SHORT_CELL = 11


def check_same_shape(source: Tensor, plate: Tensor) -> None:
    """Raise ValueError if the shapes of two batches of images differ."""
    if source.shape != plate.shape:
        raise ValueError(f"source {tuple(source.shape)} and plate {tuple(plate.shape)} differ in shape")


def to_unit(codes: Tensor) -> Tensor:
    """Code values of any shape to float32 in [0, 1]; floating-point values are returned unchanged."""
    full = FULL_CODES.get(codes.dtype)
    return codes if full is None else codes.float().div_(full)


def resize(codes: Tensor, size: tuple[int, int]) -> Tensor:
    """``F.interpolate(to_unit(codes), size, mode="bilinear")``, up to rounding.

    Args:
        codes: (B, C, H, W).
        size: height and width of the result.

    Returns:
        (B, C, *size), floating-point; channels-last in memory where ``codes`` are.
    """
    factor = _even_factor(codes, size)
    if factor is None or codes.dtype not in FULL_CODES or not codes.is_contiguous(memory_format=torch.channels_last):
        return F.interpolate(to_unit(codes), size=size, mode="bilinear", align_corners=False)
    batch, channels, _, width = codes.shape
    # For an even factor, bilinear weights are 1/2: the result is the mean of the 2x2 pixels in the middle of a cell.
    middle = factor // 2
    lines = codes.permute(0, 2, 3, 1).unflatten(1, (size[0], factor)).flatten(3)  # (B, h, factor, W C)
    wide = torch.int16 if codes.dtype == torch.uint8 else torch.int32
    rows = lines[:, :, middle - 1].to(wide) + lines[:, :, middle].to(wide)
    cells = rows.view(batch, size[0], width // factor, factor, channels)
    total = cells[..., middle - 1, :] + cells[..., middle, :]
    return total.float().div_(4 * FULL_CODES[codes.dtype]).permute(0, 3, 1, 2)


def shrink(codes: Tensor, factor: int) -> Tensor:
    """Means over cells of ``factor`` x ``factor`` pixels: (B, C, H, W) to (B, C, H / factor, W / factor), rounded up.

    Equals ``F.avg_pool2d(to_unit(codes), factor, ceil_mode=True)`` up to rounding.
    """
    height, width = codes.shape[2:]
    if factor == 1:
        return to_unit(codes)
    if codes.dtype not in FULL_CODES or height % factor or width % factor:
        return F.avg_pool2d(to_unit(codes), factor, ceil_mode=True)
    # Pooling takes several times as long on a CPU.
    lines = codes.permute(0, 2, 3, 1).unflatten(1, (-1, factor)).flatten(3)  # (B, h, factor, W C)
    wide = torch.int16 if codes.dtype == torch.uint8 and factor <= _LARGEST_SHORT_CELL else torch.int32
    rows = reduce(torch.add, (line.to(wide) for line in lines.unbind(2)))
    cells = rows.unflatten(2, (-1, factor, codes.shape[1]))  # (B, h, w, factor, C)
    planes = [reduce(torch.add, plane.unbind(3)) for plane in cells.unbind(4)]
    return torch.stack(planes, dim=1).float().mul_(1 / (FULL_CODES[codes.dtype] * factor**2))


def pad_to_multiple(codes: Tensor, side: int) -> Tensor:
    """(B, C, H, W) of any type, padded with its last row and column until both sides are multiples of ``side``."""
    height, width = codes.shape[2:]
    if below := -height % side:
        codes = torch.cat([codes, codes[:, :, -1:].expand(-1, -1, below, -1)], dim=2)
    if right := -width % side:
        codes = torch.cat([codes, codes[..., -1:].expand(-1, -1, -1, right)], dim=3)
    return codes


def _even_factor(codes: Tensor, size: tuple[int, int]) -> int | None:
    """The factor from (B, C, H, W) to ``size`` if it is the same even integer in both directions, else None."""
    factor = codes.shape[2] // size[0]
    exact = codes.shape[2:] == (factor * size[0], factor * size[1])
    return factor if exact and factor >= 2 and factor % 2 == 0 else None
