"""Things that stand between camera and person: part of the place, and of the plate, and never of the matte."""

import cv2
import numpy as np

from howard.synthesis.dice import Generator
from howard.synthesis.placement import Size


def draw_outline(frame: Size, rng: Generator) -> np.ndarray:
    """A table that rises into the frame from below, or a post that stands at a side: corners (4, 2) in frame pixels."""
    height, width = frame
    if rng.random() < 0.7:
        left, right = np.sort(rng.uniform(-0.3, 1.3, 2)) + np.array([-0.2, 0.2])
        top = rng.uniform(0.55, 0.9, 2)
        corners = [[left, 1.3], [left + rng.uniform(0, 0.1), top[0]], [right, top[1]], [right, 1.3]]
    else:
        middle, breadth, lean = rng.uniform(0, 1), rng.uniform(0.03, 0.12), rng.uniform(-0.05, 0.05)
        corners = [[middle - breadth, 1.3], [middle - breadth + lean, -0.3], [middle + breadth + lean, -0.3]]
        corners += [[middle + breadth, 1.3]]
    return np.array(corners) * [width, height]


def put_furniture(place: np.ndarray, material: np.ndarray, outline: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fill an outline in a place with another picture.

    Args:
        place: (h, w, 3) uint8.
        material: (H, W, 3) uint8, of any size.
        outline: (4, 2), convex, in the place's pixels.

    Returns:
        The place with the furniture in it, and where that is, (h, w) uint8 in [0, 255].
    """
    height, width = place.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    shift = 4  # fractional bits
    cv2.fillConvexPoly(mask, np.round(outline * 2**shift).astype(np.int32), 255, cv2.LINE_AA, shift)
    cover = cv2.resize(material, (width, height), interpolation=cv2.INTER_AREA)
    share = mask[..., None] / np.float32(255)
    return np.round(share * cover + (1 - share) * place).astype(np.uint8), mask
