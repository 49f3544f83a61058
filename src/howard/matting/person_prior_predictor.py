"""Runs the person prior on numpy images, in views around the regions that differ from the plate."""

import cv2
import numpy as np
import torch

from howard.matting.inference import prefer_onednn
from howard.matting.network import coarse_scale
from howard.matting.person_maps import PersonMaps, find_people
from howard.matting.person_prior import PersonPrior, load_person_prior
from howard.matting.person_prior_views import MARGIN, whole_frame

# Maximum number of views of one frame; the time is proportional to it.
_MAX_VIEWS = 4
# Fraction of the mask's area; smaller components are misalignment and noise and get no view.
_MIN_COMPONENT = 0.002


class PersonPriorPredictor:
    """Runs the person prior on frames.

    Args:
        device: where it runs.
        coarse_long_side: long side in pixels of the coarse network's input, from its metadata; the maps have the same
            size.
        dtype: of weights and features.
    """

    def __init__(self, device: torch.device, coarse_long_side: int, dtype: torch.dtype = torch.float32) -> None:
        self._prior = prepare_prior(device, dtype)
        self._device, self._long_side = device, coarse_long_side

    def __call__(self, source: np.ndarray | torch.Tensor, mask: np.ndarray | None = None) -> PersonMaps:
        """Find people in one frame.

        Args:
            source: (H, W, 3) RGB, uint8, uint16, or float32 in [0, 1]; sRGB-encoded. A tensor is on the device
                already, with 16-bit values as int32.
            mask: (h, w) bool of any size, True where a person may be, usually where the source differs from the plate:
                each connected component gets a view. Without components, or if None, the view is the whole frame.
        """
        height, width = source.shape[:2]
        boxes = whole_frame(height, width) if mask is None else boxes_around_components(mask, height, width)
        return self.find(source[None], boxes, torch.zeros(len(boxes), dtype=torch.long))

    @torch.inference_mode()
    def find(
        self, sources: np.ndarray | torch.Tensor, boxes: torch.Tensor, owner: torch.Tensor | None = None
    ) -> PersonMaps:
        """Find people in frames (B, H, W, 3) through boxes; see :func:`howard.matting.person_maps.find_people`."""
        height, width = sources.shape[1:3]
        scale = coarse_scale(height, width, self._long_side)
        size = max(1, round(height / scale)), max(1, round(width / scale))
        if isinstance(sources, np.ndarray):
            sources = torch.from_numpy(np.ascontiguousarray(sources)).to(self._device)
        image = sources.permute(0, 3, 1, 2)
        image = image.clamp(0, 1) if image.is_floating_point() else image
        # Not blocking, since the host does not change these few numbers.
        boxes = boxes.to(self._device, non_blocking=True)
        owner = None if owner is None else owner.to(self._device, non_blocking=True)
        return find_people(self._prior, image, boxes, size, owner)


def prepare_prior(device: torch.device, dtype: torch.dtype = torch.float32) -> PersonPrior:
    """Load the prior on a device, in channels-last memory layout."""
    prior = load_person_prior().to(device)
    prefer_onednn(prior, device)
    return prior.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]


def boxes_around_components(mask: np.ndarray, height: int, width: int) -> torch.Tensor:
    """Square views of the connected components of a mask, at most four, the largest components first.

    Components whose views overlap get one view.

    Args:
        mask: (h, w) bool of any size.
        height: of the frame in pixels.
        width: of the frame in pixels.

    Returns:
        (N, 3) left, top, side in pixels of the frame; the whole frame if the mask has no component of sufficient size.
    """
    count, _, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    components = statistics[1:count]
    components = components[components[:, cv2.CC_STAT_AREA] >= _MIN_COMPONENT * mask.size]
    if not len(components):
        return whole_frame(height, width)
    scale = np.array([width / mask.shape[1], height / mask.shape[0]])
    corners = components[:, [cv2.CC_STAT_LEFT, cv2.CC_STAT_TOP]]
    extents = components[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    rectangles = np.concatenate([corners * scale, (corners + extents) * scale], axis=1)
    rectangles = _merge_overlapping(list(rectangles[np.argsort(-components[:, cv2.CC_STAT_AREA], kind="stable")]))
    return torch.tensor(np.array([_square(each) for each in rectangles[:_MAX_VIEWS]]), dtype=torch.float32)


def _merge_overlapping(rectangles: list[np.ndarray]) -> list[np.ndarray]:
    """Rectangles (left, top, right, bottom), with those whose squares overlap replaced by their bounding rectangle."""
    for first, one in enumerate(rectangles):
        for second in range(first + 1, len(rectangles)):
            other = rectangles[second]
            if _overlap(_square(one), _square(other)):
                both = np.concatenate([np.minimum(one[:2], other[:2]), np.maximum(one[2:], other[2:])])
                rest = [each for number, each in enumerate(rectangles) if number not in (first, second)]
                return _merge_overlapping([*rest[:first], both, *rest[first:]])
    return rectangles


def _square(rectangle: np.ndarray) -> np.ndarray:
    """The square view (left, top, side) around a rectangle."""
    side = MARGIN * (rectangle[2:] - rectangle[:2]).max()
    return np.append((rectangle[:2] + rectangle[2:] - side) / 2, side)


def _overlap(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((np.maximum(one[:2], other[:2]) < np.minimum(one[:2] + one[2], other[:2] + other[2])).all())
