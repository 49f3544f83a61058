"""Conversion between code values, linear light and output types, for tensors on any device."""

import torch
from torch import Tensor

from howard.colour import linear_to_srgb, srgb_to_linear

# Largest code of each integer type; 16-bit codes are stored as int32, which every device supports.
FULL_CODES = {torch.uint8: 255, torch.int32: 65535}
# Types of output images by name: the tensor's type and its largest code.
OUTPUT_TYPES = {"uint8": (torch.uint8, 255), "uint16": (torch.int32, 65535), "float32": (torch.float32, 1)}


def decode(codes: Tensor, is_linear: bool) -> Tensor:
    """Code values to the values in which foreground and background mix, float32: linear light or encoded values.

    Args:
        codes: sRGB-encoded: uint8, int32 in [0, 65535], or float32 in [0, 1] and above for HDR.
        is_linear: whether to convert to linear light.
    """
    full = FULL_CODES.get(codes.dtype)
    if full is None:
        return srgb_to_linear(codes) if is_linear else codes
    table = torch.arange(full + 1, device=codes.device, dtype=torch.float32) / full
    if is_linear:
        table = srgb_to_linear(table)
    return table.index_select(0, codes.to(torch.int32).flatten()).view(codes.shape)


def encode(light: Tensor, is_linear: bool) -> Tensor:
    """Inverse of `decode`: non-negative float32 to sRGB-encoded float32."""
    return linear_to_srgb(light) if is_linear else light


def round_alpha(alpha: Tensor, depth: str) -> Tensor:
    """Round alpha in [0, 1] to the values of an output type, float32 images being stored as half floats."""
    if depth == "float32":
        return alpha.to(torch.float16).float()
    full = OUTPUT_TYPES[depth][1]
    return (alpha * full).round() / full


def convert_codes(codes: Tensor, depth: str) -> Tensor:
    """Convert sRGB-encoded code values to another output type, rounded."""
    dtype, full = OUTPUT_TYPES[depth]
    if codes.dtype == dtype:
        return codes
    return to_codes(codes.float() / FULL_CODES.get(codes.dtype, 1), dtype, full)


def to_codes(values: Tensor, dtype: torch.dtype, full: int) -> Tensor:
    """Float values, 1 for white, to rounded codes of a type whose largest code is ``full``."""
    if dtype == torch.float32:
        return values
    return (values.clamp(0, 1) * full).round().to(dtype)
