"""The trainer's numeric precision, by what the device computes fast."""

import time
from functools import cache

import torch
import torch.nn.functional as F

# A CPU without bfloat16 instructions emulates them, which takes about ten times as long as float32.
_LARGEST_RATIO = 1.0


def resolve_precision(precision: str, accelerator: str) -> str:
    """Lightning's ``precision`` for ``auto``: bfloat16 where the device computes it faster than float32.

    Args:
        precision: ``auto``, or anything Lightning knows, which is returned as it is.
        accelerator: as Lightning's: ``auto``, ``cpu``, ``gpu``, ...
    """
    if precision != "auto":
        return precision
    if accelerator != "cpu" and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"
    return "bf16-mixed" if bfloat16_ratio() < _LARGEST_RATIO else "32-true"


@cache  # seconds where bfloat16 is slow, in every run of a sweep
@torch.no_grad()
def bfloat16_ratio() -> float:
    """Time of a convolution in bfloat16 on this CPU over that in float32, the least of three each; measured once."""
    image, kernel = torch.rand(1, 64, 64, 64), torch.rand(64, 64, 3, 3)
    times = {}
    for dtype in (torch.float32, torch.bfloat16):
        operands = image.to(dtype), kernel.to(dtype)
        F.conv2d(*operands, padding=1)
        times[dtype] = min(_seconds(*operands) for _ in range(3))
    return times[torch.bfloat16] / times[torch.float32]


def _seconds(image: torch.Tensor, kernel: torch.Tensor) -> float:
    start = time.perf_counter()
    F.conv2d(image, kernel, padding=1)
    return time.perf_counter() - start
