"""Dense motion between two frames of a shot, in both directions, at a reduced size."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.align.flow import open_flow_search
from howard.align.pictures import reduce_to, scale_pixels, size_of, to_bytes
from howard.align.warp import pixel_grid

# Long side of the images in which the motion is measured: a quarter of 1080p.
MOTION_SIDE = 480


class ShotMotion(NamedTuple):
    """Motion from one frame to another.

    ``offsets`` (h, w, 2) float32, in pixels of the full frame, x and y: what the frame shows at x, the other one shows
    at x + offset(x). ``inconsistency`` (h, w) float32: the distance, in pixels at a long side of 1920, from a point to
    where the motion to the other frame and back leads; large where one of the frames hides the point.
    """

    offsets: np.ndarray
    inconsistency: np.ndarray


def reduce_grey(image: np.ndarray) -> np.ndarray:
    """A frame (H, W, 3) of any dtype, as :func:`measure_shot_motion` takes it: (h, w) uint8 grey levels."""
    return cv2.cvtColor(reduce_to(to_bytes(image), MOTION_SIDE), cv2.COLOR_RGB2GRAY)


def measure_shot_motion(first: np.ndarray, second: np.ndarray, width: int) -> tuple[ShotMotion, ShotMotion]:
    """Motion from the first frame to the second one, and from the second to the first.

    By dense inverse search (Kroeger et al., ECCV 2016) and its forward-backward distance.

    Args:
        first: from `reduce_grey`.
        second: of the same size.
        width: of the full frame, in pixels.
    """
    search = open_flow_search()
    there, back = (np.asarray(search.calc(*pair, None)) for pair in ((first, second), (second, first)))  # type: ignore
    scale = width / first.shape[1]
    return ShotMotion(there * scale, _inconsistency(there, back)), ShotMotion(back * scale, _inconsistency(back, there))


def _inconsistency(there: np.ndarray, back: np.ndarray) -> np.ndarray:
    positions = cv2.add(pixel_grid(size_of(there)), there)
    returned = cv2.remap(back, positions, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore
    x, y = cv2.split(cv2.add(there, returned))
    return cv2.magnitude(x, y) / scale_pixels(1, size_of(there))
