"""Joining and parting feature maps along their channels."""

import torch
from torch import Tensor


def join(*maps: Tensor) -> Tensor:
    """Concatenate (B, C, H, W) maps along C; the memory layout stays that of the first.

    ``torch.cat`` along the second axis copies channels-last maps value by value, which takes up to thirty times as long
    as copying whole pixels.
    """
    if not maps[0].is_contiguous(memory_format=torch.channels_last):
        return torch.cat(maps, dim=1)
    for values in maps:
        if values.requires_grad:
            values.register_hook(_whole_pixels)
    return torch.cat([values.permute(0, 2, 3, 1) for values in maps], dim=3).permute(0, 3, 1, 2)


def part(maps: Tensor, *channels: int) -> tuple[Tensor, ...]:
    """The first so many channels of (B, C, H, W) maps, then the next so many, and so on; those left over are dropped.

    Gradients come back as whole pixels: those of ``torch.split`` along the second axis would lose the channels-last
    layout, and be turned round value by value.
    """
    pixels = maps.permute(0, 2, 3, 1)
    return tuple(each.permute(0, 3, 1, 2) for each in pixels[..., : sum(channels)].split(channels, dim=3))


def _whole_pixels(gradient: Tensor | None) -> Tensor | None:
    """The gradient of one of the joined maps without the gaps of a view, with which that of an upsampling takes six
    times as long; None, where nothing depends on the map, stays."""
    return None if gradient is None else gradient.contiguous(memory_format=torch.channels_last)
