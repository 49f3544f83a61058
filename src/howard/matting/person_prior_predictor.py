"""The person prior for those who have numpy images: where people are in a frame, near what differs from the plate."""

import cv2
import numpy as np
import torch

from howard.matting.inference import prefer_onednn
from howard.matting.network import coarse_scale
from howard.matting.person_maps import PersonMaps, find_people
from howard.matting.person_prior import PersonPrior, load_person_prior
from howard.matting.prior_views import MARGIN, whole_frame

# Views of one frame; each takes the network's whole time.
_MOST_VIEWS = 4
# Share of the mask; smaller pieces are misalignment and noise, and get no view.
_SMALLEST_PIECE = 0.002


class PersonPriorPredictor:
    """Runs the person prior on frames.

    Args:
        device: where it runs.
        coarse_long_side: long side in pixels at which the matting network's coarse part sees the frames, from its
            metadata; the maps are of that size.
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
            mask: (h, w) bool of any size, True where somebody may be, in most cases where the source differs from the
                plate: each of its pieces is seen closely. None, or one without pieces: the whole frame is.
        """
        height, width = source.shape[:2]
        boxes = whole_frame(height, width) if mask is None else boxes_around_pieces(mask, height, width)
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
        # A few numbers: the copy need not be waited for.
        boxes = boxes.to(self._device, non_blocking=True)
        owner = None if owner is None else owner.to(self._device, non_blocking=True)
        return find_people(self._prior, image, boxes, size, owner)


def prepare_prior(device: torch.device, dtype: torch.dtype = torch.float32) -> PersonPrior:
    """The prior with its weights on a device, channels-last in memory."""
    prior = load_person_prior().to(device)
    prefer_onednn(prior, device)
    return prior.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]


def boxes_around_pieces(mask: np.ndarray, height: int, width: int) -> torch.Tensor:
    """Square views of the connected pieces of a mask, at most four, the largest pieces first.

    Pieces whose views overlap share one.

    Args:
        mask: (h, w) bool of any size.
        height: of the frame in pixels.
        width: of the frame in pixels.

    Returns:
        (N, 3) left, top, side in pixels of the frame; the whole frame where the mask has no piece of any size.
    """
    count, _, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    pieces = statistics[1:count]
    pieces = pieces[pieces[:, cv2.CC_STAT_AREA] >= _SMALLEST_PIECE * mask.size]
    if not len(pieces):
        return whole_frame(height, width)
    scale = np.array([width / mask.shape[1], height / mask.shape[0]])
    corners = pieces[:, [cv2.CC_STAT_LEFT, cv2.CC_STAT_TOP]]
    extents = pieces[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    rectangles = np.concatenate([corners * scale, (corners + extents) * scale], axis=1)
    rectangles = _merge_overlapping(list(rectangles[np.argsort(-pieces[:, cv2.CC_STAT_AREA], kind="stable")]))
    return torch.tensor(np.array([_square(each) for each in rectangles[:_MOST_VIEWS]]), dtype=torch.float32)


def _merge_overlapping(rectangles: list[np.ndarray]) -> list[np.ndarray]:
    """Rectangles (left, top, right, bottom), those whose squares overlap replaced by one around both."""
    for first, one in enumerate(rectangles):
        for second in range(first + 1, len(rectangles)):
            other = rectangles[second]
            if _overlap(_square(one), _square(other)):
                both = np.concatenate([np.minimum(one[:2], other[:2]), np.maximum(one[2:], other[2:])])
                rest = [each for number, each in enumerate(rectangles) if number not in (first, second)]
                return _merge_overlapping([*rest[:first], both, *rest[first:]])
    return rectangles


def _square(rectangle: np.ndarray) -> np.ndarray:
    """The view (left, top, side) around a rectangle."""
    side = MARGIN * (rectangle[2:] - rectangle[:2]).max()
    return np.append((rectangle[:2] + rectangle[2:] - side) / 2, side)


def _overlap(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((np.maximum(one[:2], other[:2]) < np.minimum(one[:2] + one[2], other[:2] + other[2])).all())
