"""The person prior in training: what it is shown of a batch, and its maps of it."""

import numpy as np
import torch
from torch import Tensor

from howard.data.dataset import Batch
from howard.matting.person_maps import PersonMaps, find_people
from howard.matting.person_prior import PersonPrior, load_person_prior
from howard.matting.prior_views import box_from_mask, whole_frame

# At inference the box comes from an imperfect alignment residual: share of the box's side.
_JITTER = 0.2
# Probability of the whole frame instead of a box, as at inference where there is no residual to take a box from.
_WHOLE_FRAME = 0.2


class PriorSampler:
    """Runs the person prior on batches; the network is loaded at the first one, and stays on the batches' device."""

    def __init__(self) -> None:
        self._prior: PersonPrior | None = None

    def maps(self, batch: Batch, scale: float, rng: np.random.Generator | None) -> PersonMaps:
        """Person maps of a batch, without gradients.

        Args:
            batch: ``source`` (B, 3, H, W) and ``alpha`` (B, 1, H, W); where ``has_person_prior`` (B, 1, 1, 1) is 0 the
                maps are 0.
            scale: the coarse network runs at 1 / ``scale`` of the batch's size.
            rng: of the box's jitter; None for validation, whose boxes are exact.
        """
        source, alpha = batch["source"], batch["alpha"]
        if self._prior is None:
            self._prior = load_person_prior()
        self._prior = self._prior.to(source.device)
        height, width = source.shape[2:]
        size = max(1, round(height / scale)), max(1, round(width / scale))
        with torch.no_grad():
            maps = find_people(self._prior, source, sample_boxes(alpha, rng), size)
        return maps.masked(batch["has_person_prior"]) if "has_person_prior" in batch else maps


def sample_boxes(alpha: Tensor, rng: np.random.Generator | None) -> Tensor:
    """Square boxes (left, top, side) in pixels around the persons of alpha (B, 1, H, W): (B, 3).

    A frame without a person gets the whole frame. With ``rng``, boxes are shifted and scaled by up to 20 % of their
    side, and a fifth of them are whole frames.
    """
    count, (height, width) = len(alpha), alpha.shape[2:]
    frame = whole_frame(height, width, count, alpha.device)
    boxes = box_from_mask(alpha)
    if rng is None:
        return boxes
    random = torch.from_numpy(rng.random((count, 4), np.float32)).to(alpha.device)
    shift, growth, gate = _JITTER * (2 * random[:, :2] - 1), _JITTER * (2 * random[:, 2:3] - 1), random[:, 3:]
    centre, side = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:]
    grown = side * growth.exp()
    jittered = torch.cat([centre + shift * side - grown / 2, grown], dim=1)
    return torch.where(gate < _WHOLE_FRAME, frame, jittered)
