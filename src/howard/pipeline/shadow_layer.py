"""A frame's shadow pass, from its pictures as they come out of the pipeline."""

import numpy as np
import torch
from torch import Tensor

from howard.colour import srgb_to_linear
from howard.compositing.shadow import estimate_shadow
from howard.media import to_depth
from howard.pipeline.frames import MattedFrame


@torch.inference_mode()
def make_shadow(frame: MattedFrame) -> np.ndarray:
    """The factor by which the person changes the light on the place, (H, W, 3) float32; 1 where they do not.

    It is computed on the device of the network's matte.
    """
    device = getattr(frame.matte.alpha, "device", "cpu")

    def tensor(picture: np.ndarray) -> Tensor:
        planes = picture[None] if picture.ndim == 2 else np.moveaxis(picture, -1, 0)
        return torch.from_numpy(np.ascontiguousarray(planes)[None]).to(device)

    source, plate = (
        srgb_to_linear(tensor(to_depth(image, np.float32))) for image in (frame.source.image, frame.plate.image)
    )
    factor = estimate_shadow(source, plate, tensor(frame.plate.coverage), tensor(frame.alpha))
    return np.ascontiguousarray(np.moveaxis(factor[0].float().cpu().numpy(), 0, -1))
