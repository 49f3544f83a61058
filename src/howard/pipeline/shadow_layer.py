"""A frame's shadow pass, from its pictures as they come out of the pipeline."""

import numpy as np
import torch

from howard.compositing.shadow import estimate_shadow
from howard.pipeline.frames import MattedFrame
from howard.pipeline.tensors import as_light, as_picture, as_plane, device_of


@torch.inference_mode()
def make_shadow(frame: MattedFrame) -> np.ndarray:
    """The factor by which the person changes the light on the place, (H, W, 3) float32; 1 where they do not."""
    device = device_of(frame)
    source, plate = (as_light(image, device) for image in (frame.source.image, frame.plate.image))
    coverage, alpha = (as_plane(each, device) for each in (frame.plate.coverage, frame.alpha))
    return as_picture(estimate_shadow(source, plate, coverage, alpha))
