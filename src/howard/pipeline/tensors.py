"""A frame's pictures as tensors of planes, and back."""

from typing import Any

import numpy as np
from torch import Tensor

from howard.compositing.light import decode
from howard.compositing.transfer import upload
from howard.pipeline.frames import MattedFrame


def device_of(frame: MattedFrame) -> Any:
    """The device of the network's matte, where what follows is computed too."""
    return getattr(frame.matte.alpha, "device", "cpu")


def as_plane(picture: np.ndarray, device: Any) -> Tensor:
    """(H, W) as (1, 1, H, W) on a device."""
    return upload(picture[None, None], device)


def as_light(picture: np.ndarray, device: Any) -> Tensor:
    """sRGB-encoded (H, W, 3) of any depth as linear light, (1, 3, H, W) float32, on a device."""
    return decode(upload(picture[None], device), is_linear=True).movedim(3, 1)


def as_picture(planes: Tensor) -> np.ndarray:
    """(1, C, H, W) as (H, W, C) float32."""
    return np.ascontiguousarray(np.moveaxis(planes[0].float().cpu().numpy(), 0, -1))
