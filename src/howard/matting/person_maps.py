"""The person prior on frames: where people are, and its features, laid into the frame at the coarse network's strides.

Inference and training both call :func:`find_people`, so that the network is trained on what it is given later.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from howard.matting.code_values import shrink
from howard.matting.joining import join
from howard.matting.person_prior import CLASSES, PersonPrior, PriorMaps
from howard.matting.prior_views import crop_views, place_maps

STRIDES = (4, 8, 16)
# Channels of the maps at each stride: probabilities of the classes, then features.
STRIDE_CHANNELS = tuple(len(CLASSES) + channels for channels in PersonPrior.FEATURE_CHANNELS)
# Bring the features to the scale of the probabilities and of normalised features elsewhere: the reciprocals of the
# median deviation of a channel over composites of real and rendered people (0.069, 0.054 and 0.049).
FEATURE_SCALES = (14.0, 18.0, 20.0)
# A longer side than this is reduced by whole factors before views are cut, to three times what a view shows at most.
_LARGEST_SIDE = 3 * 256


class PersonMaps(NamedTuple):
    """What the prior says of a batch of frames, at a size (h, w) and its strides; 0 where it did not look.

    The maps of stride s are (ceil(h / s), ceil(w / s)); they hold the probabilities of the six
    :data:`howard.matting.person_prior.CLASSES`, then the features, scaled to deviations of about 1.
    """

    probabilities: Tensor  # (B, 6, h, w), their sum is 1
    stride4: Tensor  # (B, 6 + 128, h / 4, w / 4)
    stride8: Tensor  # (B, 6 + 128, h / 8, w / 8)
    stride16: Tensor  # (B, 6 + 192, h / 16, w / 16)
    looked: Tensor  # (B, 1, h, w) in [0, 1]

    def person(self) -> Tensor:
        """Probability of any class but the background, (B, 1, h, w); 0 where the prior did not look."""
        return self.probabilities[:, 1:].sum(dim=1, keepdim=True)

    def mirrored(self) -> "PersonMaps":
        """The maps of the frames mirrored left to right."""
        return PersonMaps(*(each.flip(-1) for each in self))

    def masked(self, weight: Tensor) -> "PersonMaps":
        """The maps times a weight (B, 1, 1, 1); 0 stands for frames that the prior did not see."""
        return PersonMaps(*(each * weight for each in self))


def find_people(
    prior: PersonPrior, image: Tensor, boxes: Tensor, size: tuple[int, int], owner: Tensor | None = None
) -> PersonMaps:
    """Run the prior on square views of frames.

    Args:
        prior: on the device of the frames.
        image: (B, 3, H, W) sRGB, code values or floating-point in [0, 1].
        boxes: (N, 3) left, top and side of the views in pixels of the frames; see
            :mod:`howard.matting.prior_views`.
        size: height and width of the maps, those at which the coarse network sees the frames.
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
        strided.append(join(*placed))
    stride4, stride8, stride16 = strided
    return PersonMaps(frame.maps, stride4, stride8, stride16, frame.looked)


def no_people(batch: int, size: tuple[int, int], device: torch.device | str = "cpu") -> PersonMaps:
    """Maps of frames that the prior did not look at: all 0."""
    stride4, stride8, stride16 = (
        torch.zeros(batch, channels, -(-size[0] // stride), -(-size[1] // stride), device=device)
        for channels, stride in zip(STRIDE_CHANNELS, STRIDES, strict=True)
    )
    probabilities = torch.zeros(batch, len(CLASSES), *size, device=device)
    return PersonMaps(probabilities, stride4, stride8, stride16, torch.zeros(batch, 1, *size, device=device))


def _features(found: PriorMaps) -> tuple[Tensor, Tensor, Tensor]:
    return found.stride4, found.stride8, found.stride16
