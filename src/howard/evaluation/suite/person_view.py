"""What the person prior is shown of composites: a box as an alignment leaves it, from the true alpha."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from howard.matting.prior_predictor import PersonPriorPredictor
from howard.matting.prior_views import box_from_mask, whole_frame
from howard.pipeline import Predictor

# Largest shift of the box, and change of its size, as a share of its side: how far a box from an alignment's residual
# is off; half of what training samples.
_JITTER = 0.1


def open_person_view(predictor: Predictor) -> PersonPriorPredictor | None:
    """What runs the person prior for a predictor whose network takes its maps; None for all others."""
    if not getattr(predictor.metadata, "person_prior", False):
        return None
    return PersonPriorPredictor(predictor.device, predictor.metadata.coarse_long_side)


def jittered_boxes(alpha: np.ndarray, coverage: np.ndarray, seeds: Sequence[tuple[int, ...]]) -> Tensor:
    """Square boxes (left, top, side) around the persons of frames, shifted and scaled by up to 10 % of their side.

    A frame that the plate covers nowhere has no residual to take a box from, and gets the whole frame, as does one
    without a person.

    Args:
        alpha: (T, H, W) uint8, the truth.
        coverage: (T, H, W) uint8.
        seeds: of the jitter of each frame.

    Returns:
        (T, 3) float32 in pixels.
    """
    count, height, width = alpha.shape
    mask = torch.from_numpy(alpha)[:, None] > 127
    is_known = ((torch.from_numpy(coverage).flatten(1) > 0).any(dim=1) & mask.flatten(1).any(dim=1))[:, None]
    random = np.stack([np.random.default_rng(seed).uniform(-_JITTER, _JITTER, 3) for seed in seeds])
    shift, growth = torch.from_numpy(random).float().split((2, 1), dim=1)
    boxes = box_from_mask(mask.float())
    side = boxes[:, 2:] * growth.exp()
    corner = boxes[:, :2] + boxes[:, 2:] * (0.5 + shift) - side / 2
    return torch.where(is_known, torch.cat([corner, side], dim=1), whole_frame(height, width, count))
