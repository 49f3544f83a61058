"""Pictures as tensors, and back."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from howard.colour import srgb_to_linear
from howard.media import to_depth
from howard.pipeline.frames import MattedFrame


def device_of(frame: MattedFrame) -> Any:
    """The device of the network's matte, where what follows is computed too."""
    return getattr(frame.matte.alpha, "device", "cpu")


def as_tensor(picture: np.ndarray, device: Any) -> Tensor:
    """(H, W) or (H, W, C) as (1, C, H, W) on a device."""
    planes = picture[None] if picture.ndim == 2 else np.moveaxis(picture, -1, 0)
    return torch.from_numpy(np.ascontiguousarray(planes)[None]).to(device)


def as_light(picture: np.ndarray, device: Any) -> Tensor:
    """sRGB-encoded (H, W, 3) of any depth as linear light, (1, 3, H, W) float32."""
    return srgb_to_linear(as_tensor(to_depth(picture, np.float32), device))


def as_picture(planes: Tensor) -> np.ndarray:
    """(1, C, H, W) as (H, W, C) float32."""
    return np.ascontiguousarray(np.moveaxis(planes[0].float().cpu().numpy(), 0, -1))
