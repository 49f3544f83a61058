"""Hair masks of people, segmented once per person by the person prior's hair class and cached."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import islice

import cv2
import numpy as np
import torch

from howard.matting.person_prior import CLASSES, PersonPrior, load_person_prior
from howard.matting.person_prior_views import box_from_mask, crop_views, place_maps
from howard.synthesis import Person
from howard.synthesis.placement import find_head

# Returns a person's hair, (h, w) uint8 in [0, 255] covering the whole image at any resolution, or None if unknown.
HairSegmenter = Callable[[Person], np.ndarray | None]
# Long side in pixels of the masks: precise to a few pixels of a photo, a few kilobytes each.
_MASK_LONG_SIDE = 384
_MAX_CACHED = 2048
# People segmented at once by HairMaskCache.fill: 25 MB of network inputs, enough to keep a GPU busy.
FILL_BATCH = 32
_HAIR = CLASSES.index("hair")
# Side of the crop in head radii: head, shoulders and long hair, about as large as in the portraits the prior knows.
_CROP_SIDE = 7.0
# Distance of the crop's centre below the head's centre, in head radii.
_CROP_BELOW = 1.2
# sRGB value of the background behind the person in the crop: between dark and bright hair.
_GREY = 0.5


class HairMaskCache:
    """Segments hair on demand. The most recently used masks are cached, one bit per pixel.

    Args:
        segment: segments one person.
    """

    def __init__(self, segment: HairSegmenter) -> None:
        self._segment = segment
        self._cached: OrderedDict[str, tuple[tuple[int, int], np.ndarray] | None] = OrderedDict()

    def get(self, name: str, person: Person) -> np.ndarray | None:
        """The hair mask of the person ``name``, (h, w) uint8, 0 or 255, smaller than the image; None if unknown."""
        if name not in self._cached:
            self._add(name, self._segment(person))
        self._cached.move_to_end(name)
        packed = self._cached[name]
        if packed is None:
            return None
        shape, bits = packed
        return 255 * np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape)

    def fill(
        self,
        people: Iterable[tuple[str, Person]],
        segment_batch: Callable[[Sequence[Person]], Sequence[np.ndarray | None]],
    ) -> None:
        """Segment many people before workers are forked, so that the workers need not.

        Args:
            people: names and people.
            segment_batch: segments :data:`FILL_BATCH` people at once.
        """
        remaining = iter(people)
        while batch := list(islice(remaining, FILL_BATCH)):
            for (name, _), mask in zip(batch, segment_batch([person for _, person in batch]), strict=True):
                self._add(name, mask)

    def _add(self, name: str, mask: np.ndarray | None) -> None:
        self._cached[name] = _pack(mask)
        if len(self._cached) > _MAX_CACHED:
            self._cached.popitem(last=False)


def _pack(mask: np.ndarray | None) -> tuple[tuple[int, int], np.ndarray] | None:
    """Size (h, w) of the downscaled mask, and its pixels as bits."""
    if mask is None:
        return None
    scale = min(1.0, _MASK_LONG_SIDE / max(mask.shape))
    width, height = (max(1, round(scale * side)) for side in mask.shape[::-1])
    small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
    return (height, width), np.packbits(small > 127)


def segment_hair(person: Person) -> np.ndarray:
    """A person's hair, (h, w) uint8 in [0, 255] covering the whole image, with a long side of at most 384 pixels.

    The person prior sees the head and its surroundings, or the whole person if no head is found in the silhouette.
    """
    return segment_hair_batch([person], torch.device("cpu"))[0]


@torch.no_grad()
def segment_hair_batch(people: Sequence[Person], device: torch.device) -> list[np.ndarray]:
    """:func:`segment_hair` of several people, in one forward pass on a device."""
    crops, boxes = zip(*(_crop(person, device) for person in people), strict=True)
    batch = torch.cat(crops).contiguous(memory_format=torch.channels_last)
    probabilities = _prior(device)(batch).logits.softmax(dim=1)[:, _HAIR : _HAIR + 1]
    return [_uncrop(*each) for each in zip(probabilities.split(1), boxes, people, strict=True)]


def _crop(person: Person, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """The person prior's input, (1, 3, 256, 256) in [0, 1], and its box in the image, (1, 3)."""
    alpha = torch.tensor(person.alpha, device=device)[None, None].float() / 255
    image = torch.tensor(person.foreground, device=device).permute(2, 0, 1)[None].float() / 255
    head = find_head(person.alpha)
    if head is None:
        box = box_from_mask(alpha)
    else:
        left, top = head.centre + head.radius * np.array([-_CROP_SIDE / 2, _CROP_BELOW - _CROP_SIDE / 2])
        box = torch.tensor([[left, top, _CROP_SIDE * head.radius]], dtype=torch.float32, device=device)
    return crop_views(alpha * image + (1 - alpha) * _GREY, box), box


def _uncrop(probabilities: torch.Tensor, box: torch.Tensor, person: Person) -> np.ndarray:
    """The crop's probabilities (1, 1, h, w) resampled to the whole image."""
    height, width = person.alpha.shape
    scale = min(1.0, _MASK_LONG_SIDE / max(height, width))
    size = max(1, round(scale * height)), max(1, round(scale * width))
    placed = place_maps(probabilities, box, size, (height / size[0], width / size[1]))
    return (255 * placed.maps[0, 0]).round().byte().cpu().numpy()


@lru_cache(maxsize=2)
def _prior(device: torch.device) -> PersonPrior:
    return load_person_prior().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
