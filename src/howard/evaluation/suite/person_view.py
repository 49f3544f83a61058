"""What the person prior is shown of composites: a box as an alignment leaves it, from the true alpha."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from howard.matting.network import coarse_scale
from howard.matting.person_maps import PersonMaps, find_people
from howard.matting.person_prior import load_person_prior
from howard.matting.prior_views import box_from_mask, whole_frame
from howard.pipeline import Predictor

# Largest shift of the box, and change of its size, as a share of its side: how far a box from an alignment's residual
# is off; half of what training samples.
_JITTER = 0.1


class PersonView:
    """Runs the person prior on frames as inference does.

    Args:
        device: where it runs.
        coarse_long_side: of the matting network, as its metadata say.
    """

    def __init__(self, device: torch.device, coarse_long_side: int) -> None:
        self._prior = load_person_prior().to(device)
        self._device, self._long_side = device, coarse_long_side

    @torch.inference_mode()
    def maps(self, source: np.ndarray, boxes: Tensor) -> PersonMaps:
        """The prior's maps of frames (T, H, W, 3) uint8, each seen through its box, (T, 3)."""
        height, width = source.shape[1:3]
        scale = coarse_scale(height, width, self._long_side)
        image = torch.from_numpy(source).to(self._device).permute(0, 3, 1, 2).float() / 255
        return find_people(self._prior, image, boxes.to(self._device), (round(height / scale), round(width / scale)))


def open_person_view(predictor: Predictor) -> PersonView | None:
    """The view for a predictor whose network takes the prior's maps; None for all others."""
    if not getattr(predictor.metadata, "person_prior", False):
        return None
    return PersonView(predictor.device, predictor.metadata.coarse_long_side)


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
