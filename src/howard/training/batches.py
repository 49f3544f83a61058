"""Preparing batches for a training step: clips as images, the paper's random crop, and the person prior's maps."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from howard.data.dataset import Batch
from howard.matting.person_maps import PersonMaps, find_people
from howard.matting.person_prior import PersonPrior, load_person_prior
from howard.matting.person_prior_views import box_from_mask, whole_frame

# Shift and scale of a box, as a fraction of its side: at inference the box comes from an imperfect residual.
_JITTER = 0.2
# Probability of using the whole frame instead of a box, as at inference where there is no residual.
_WHOLE_FRAME = 0.2


def count_frames(batch: Batch) -> int:
    """Frames per sample: T for (B, T, C, H, W), 1 for (B, C, H, W)."""
    source = batch["source"]
    return source.shape[1] if source.ndim == 5 else 1


def flatten_frames(batch: Batch) -> Batch:
    """Flatten (B, T, C, H, W) to (B T, C, H, W); (B, C, H, W) stays. The result is channels-last in memory."""
    return {name: image.flatten(0, -4).contiguous(memory_format=torch.channels_last) for name, image in batch.items()}


def crop_batch(batch: Batch, smallest: int, largest: int, rng: np.random.Generator, multiple: int = 1) -> Batch:
    """Resize square images to a random size and crop them to a random height and width around the centre.

    Follows ``random_crop`` of the reference implementation of Lin et al. 2021: the size and aspect ratio vary, but
    people are not distorted. Sides are uniform in [smallest, largest), then rounded down to a multiple.

    Args:
        batch: named (B, C, S, S) tensors; values per sample, (B, C, 1, 1), are left unchanged.
        smallest: smallest side in pixels.
        largest: exclusive upper bound of a side in pixels; if equal to ``smallest``, all sides have that size.
        rng: generator of the sides.
        multiple: sides are multiples of this; the refiner, which works on patches, needs 4.
    """
    sides = rng.integers(smallest, max(largest, smallest + 1), size=2)
    height, width = (int(side) // multiple * multiple for side in sides)
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    numbers = {name: value for name, value in batch.items() if value.shape[-2:] == (1, 1)}
    scaled = {
        name: F.interpolate(image, size=(side, side), mode="bilinear", align_corners=False)
        for name, image in batch.items()
        if name not in numbers
    }
    return numbers | {name: image[..., top : top + height, left : left + width] for name, image in scaled.items()}


class PriorSampler:
    """Runs the person prior on batches; its network is loaded at the first batch and kept on the batches' device."""

    def __init__(self) -> None:
        self._prior: PersonPrior | None = None

    def maps(self, batch: Batch, scale: float, rng: np.random.Generator | None) -> PersonMaps:
        """Person maps of a batch, without gradients.

        Args:
            batch: ``source`` (B, 3, H, W) and ``alpha`` (B, 1, H, W); samples whose ``has_person_prior`` (B, 1, 1, 1)
                is 0 get maps of 0.
            scale: the coarse network runs at 1 / ``scale`` of the batch's resolution.
            rng: generator of the boxes' jitter; None for validation, where boxes are exact.
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
    """Square boxes around the person in each alpha (B, 1, H, W), as (left, top, side) in pixels: (B, 3).

    The box of a frame without a person is the whole frame. With ``rng``, boxes are shifted and scaled by up to 20 % of
    their side, and a fifth of them are whole frames.
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
