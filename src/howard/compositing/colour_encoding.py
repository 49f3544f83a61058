"""Code values to light and back, for tensors on any device."""

import torch
from torch import Tensor

from howard.colour import linear_to_srgb, srgb_to_linear

# Largest code of each integer type; 16-bit codes come as int32, with which every device can compute.
FULL_CODES = {torch.uint8: 255, torch.int32: 65535}


def decode(codes: Tensor, is_linear: bool) -> Tensor:
    """What soft pixels mix, as float32 of the same shape: linear light, or the encoded values themselves.

    Args:
        codes: sRGB-encoded: uint8, int32 in [0, 65535], or float32 in [0, 1] and above for HDR.
        is_linear: whether they mix in linear light.
    """
    full = FULL_CODES.get(codes.dtype)
    if full is None:
        return srgb_to_linear(codes) if is_linear else codes
    table = torch.arange(full + 1, device=codes.device, dtype=torch.float32) / full
    if is_linear:
        table = srgb_to_linear(table)
    return table.index_select(0, codes.to(torch.int32).flatten()).view(codes.shape)


def encode(light: Tensor, is_linear: bool) -> Tensor:
    """Inverse of `decode`: float32 of at least 0 to sRGB-encoded float32."""
    return linear_to_srgb(light) if is_linear else light
