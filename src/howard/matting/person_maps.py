"""The person prior's probabilities and features in frames, resampled to the coarse network's strides.

Inference and training both call :func:`find_people`, so that the network is trained with the inputs of inference.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from howard.matting.code_values import shrink
from howard.matting.network_operations import concat_channels
from howard.matting.person_prior import CLASSES, PersonPrior, PriorMaps
from howard.matting.person_prior_views import crop_views, place_maps

STRIDES = (4, 8, 16)
# Channels of the maps at each stride: probabilities of the classes, then features.
STRIDE_CHANNELS = tuple(len(CLASSES) + channels for channels in PersonPrior.FEATURE_CHANNELS)
# Factors that give the features the scale of the probabilities and of normalised features: the reciprocals of the
# median standard deviation of a channel over composites of real and rendered people (0.069, 0.054 and 0.049).
FEATURE_SCALES = (14.0, 18.0, 20.0)
# Frames with a longer side are reduced by an integer factor before views are cropped. In pixels: three times a view.
_LARGEST_SIDE = 3 * 256


class PersonMaps(NamedTuple):
    """The prior's output for a batch of frames, at a size (h, w) and at strides of it; 0 outside the views.

    The maps of stride s are (ceil(h / s), ceil(w / s)): the probabilities of the six
    :data:`howard.matting.person_prior.CLASSES`, then the features, scaled to a standard deviation of about 1.
    """

    probabilities: Tensor  # (B, 6, h, w), their sum is 1
    stride4: Tensor  # (B, 6 + 128, h / 4, w / 4)
    stride8: Tensor  # (B, 6 + 128, h / 8, w / 8)
    stride16: Tensor  # (B, 6 + 192, h / 16, w / 16)
    covered: Tensor  # (B, 1, h, w) in [0, 1], fraction of the pixel inside the views

    def person(self) -> Tensor:
        """Probability of any class but the background, (B, 1, h, w); 0 outside the views."""
        return self.probabilities[:, 1:].sum(dim=1, keepdim=True)

    def mirrored(self) -> "PersonMaps":
        """The maps of the frames mirrored left to right."""
        return PersonMaps(*(each.flip(-1) for each in self))

    def masked(self, weight: Tensor) -> "PersonMaps":
        """The maps times a weight (B, 1, 1, 1); 0 means that there is no prior for the frame."""
        return PersonMaps(*(each * weight for each in self))


def find_people(
    prior: PersonPrior, image: Tensor, boxes: Tensor, size: tuple[int, int], owner: Tensor | None = None
) -> PersonMaps:
    """Run the prior on square views of frames.

    Args:
        prior: on the device of the frames.
        image: (B, 3, H, W) sRGB, code values or floating-point in [0, 1].
        boxes: (N, 3) left, top and side of the views in pixels of the frames; see
            :mod:`howard.matting.person_prior_views`.
        size: height and width of the maps, those of the coarse network's input.
        owner: (N,) index of the frame that each view belongs to; None: one view for each frame, in their order.
    """
    batch, _, height, width = image.shape
    factor = max(1, max(height, width) // _LARGEST_SIDE)
    reduced = shrink(image, factor)
    views = crop_views(reduced if owner is None else reduced[owner], boxes / factor)
    found = prior(views)
    step = height / size[0], width / size[1]
    probabilities = found.logits.softmax(dim=1)
    frame = place_maps(probabilities, boxes, size, step, owner, batch)
    strided = []
    for stride, scale, features in zip(STRIDES, FEATURE_SCALES, _features(found), strict=True):
        coarse_size = -(-size[0] // stride), -(-size[1] // stride)
        coarse_step = step[0] * stride, step[1] * stride
        placed = [
            place_maps(each, boxes, coarse_size, coarse_step, owner, batch).maps
            for each in (probabilities, features.to(probabilities.dtype) * scale)
        ]
        strided.append(concat_channels(*placed))
    stride4, stride8, stride16 = strided
    return PersonMaps(frame.maps, stride4, stride8, stride16, frame.covered)


def no_people(batch: int, size: tuple[int, int], device: torch.device | str = "cpu") -> PersonMaps:
    """Maps of frames without views: all 0."""
    stride4, stride8, stride16 = (
        torch.zeros(batch, channels, -(-size[0] // stride), -(-size[1] // stride), device=device)
        for channels, stride in zip(STRIDE_CHANNELS, STRIDES, strict=True)
    )
    probabilities = torch.zeros(batch, len(CLASSES), *size, device=device)
    return PersonMaps(probabilities, stride4, stride8, stride16, torch.zeros(batch, 1, *size, device=device))


def _features(found: PriorMaps) -> tuple[Tensor, Tensor, Tensor]:
    return found.stride4, found.stride8, found.stride16
