"""Matted frames without a network: a soft edge over a known plate, or without a plate."""

from fractions import Fraction

import numpy as np
import torch

from howard.align import AlignedPlate, AlignmentStatus
from howard.colour import mix
from howard.media import Frame, to_depth
from howard.pipeline import MattedFrame
from howard.pipeline.frame_tensors import upload_frame
from tests.pipeline.difference_key import KeyCoarse, KeyMatte

HEIGHT, WIDTH = 72, 96


def matted_frame(dtype: type = np.uint8, status: AlignmentStatus = AlignmentStatus.GOOD) -> MattedFrame:
    """Frame 7: a plain reddish person with soft left and right edges over a grey ramp, mixed in linear light."""
    columns = np.arange(WIDTH, dtype=np.float32)
    edge = np.clip(np.minimum(columns - 20, WIDTH - 20 - columns) / 12, 0, 1)
    alpha = np.tile(edge, (HEIGHT, 1)).astype(np.float32)
    person = np.broadcast_to(np.array([0.7, 0.3, 0.2], np.float32), (HEIGHT, WIDTH, 3))
    place = np.tile(np.linspace(0.3, 0.6, WIDTH, dtype=np.float32)[:, None], (HEIGHT, 1, 3))
    source = mix(person, place, alpha[..., None]).astype(np.float32)
    plate = AlignedPlate(
        image=to_depth(place, dtype),
        coverage=np.ones((HEIGHT, WIDTH), np.float32),
        homography=np.eye(3),
        plate_indices=(4,),
        plate_weights=(1.0,),
        gain=np.ones(3),
        bias=np.zeros(3),
        inliers=90,
        error_px=0.4,
        status=status,
    )
    coarse = KeyCoarse(alpha[None, None, ::4, ::4], np.full((1, 1, HEIGHT // 4, WIDTH // 4), 0.125, np.float32))
    foreground = np.moveaxis(person, -1, 0)[None].copy()
    matte = KeyMatte(alpha[None, None], foreground, coarse, np.ones((1, 1, HEIGHT // 4, WIDTH // 4), np.float32))
    image = to_depth(source, dtype)
    tensors = upload_frame(image, plate)
    return MattedFrame(
        Frame(image, 6, 7, Fraction(6, 24)), plate, matte, tensors, tensors.coverage.new_tensor(alpha[None, ..., None])
    )


def with_soft_edge(frame: Frame) -> MattedFrame:
    """The frame with a matte whose alpha rises from left to right, and without a plate."""
    height, width = frame.image.shape[:2]
    ramp = np.clip(np.linspace(-1, 2, width, dtype=np.float32), 0, 1)
    plate = AlignedPlate(
        image=np.zeros_like(frame.image),
        coverage=np.zeros((height, width), np.float32),
        homography=np.eye(3),
        plate_indices=(),
        plate_weights=(),
        gain=np.ones(3),
        bias=np.zeros(3),
        inliers=0,
        error_px=float("nan"),
        status=AlignmentStatus.FAILED,
    )
    alpha = np.tile(ramp, (height, 1))
    quarter = alpha[None, None, ::4, ::4]
    grey = np.full((1, 3, height, width), 0.25, np.float32)
    matte = KeyMatte(alpha[None, None], grey, KeyCoarse(quarter, quarter), quarter)
    tensors = upload_frame(frame.image, plate)
    return MattedFrame(frame, plate, matte, tensors, torch.from_numpy(alpha)[None, ..., None])
