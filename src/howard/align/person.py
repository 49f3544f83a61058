"""Where the person is, without a network: what differs from the plate, in one piece and grown a little."""

import cv2
import numpy as np

# Grey levels and multiples of the picture's own noise; the larger of the two counts.
LEAST_DIFFERENCE = 12.0
_NOISE_FACTOR = 4.0
# Share of the picture; smaller pieces are misalignment, leaves, noise.
_LEAST_PIECE = 0.002
# Diameter of the disc that the mask is grown by, in reduced pixels: hair and motion blur reach beyond the threshold.
_GROWTH = 5
# Share of a reduced pixel that another finder must call person.
_FOUND = 0.3


def find_person(source: np.ndarray, plate: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    """Mask of what is in the source and not in the plate, (h, w) bool, on the safe (large) side.

    ``source`` and ``plate`` are (h, w, 3) float32 in 8-bit levels, reduced (about 1/8 of 1080p), aligned and of one
    exposure; ``coverage`` (h, w) bool.
    """
    difference = shift_tolerant_difference(source, plate)
    difference[~coverage] = 0
    noise = 1.4826 * np.median(difference[coverage]) if coverage.any() else 0.0
    changed = (difference > max(LEAST_DIFFERENCE, _NOISE_FACTOR * noise)).astype(np.uint8)
    for operation in (cv2.MORPH_CLOSE, cv2.MORPH_OPEN):
        changed = cv2.morphologyEx(changed, operation, _disc(3))
    return cv2.dilate(_fill(_large_pieces(changed)), _disc(_GROWTH)).astype(bool)


def refine_person(residual: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Mask of the person, (h, w) bool, from the mask by ``residual`` and one ``found`` by other means, in [0, 1].

    Both are of one reduced size. Pieces of the residual that touch what was found belong to the person (a shadow, a
    bag); the others are misalignment, and left to the flow.
    """
    core = cv2.dilate((found > _FOUND).astype(np.uint8), _disc(_GROWTH))
    _, labels = cv2.connectedComponents(residual.astype(np.uint8), connectivity=8)
    touched = np.unique(np.asarray(labels)[core > 0])
    return (core > 0) | np.isin(labels, touched[touched > 0])


def _disc(diameter: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter))


def shift_tolerant_difference(source: np.ndarray, plate: np.ndarray) -> np.ndarray:
    """Largest channel of |source - plate|, the least over shifts of the plate by up to one (reduced) pixel."""
    padded = cv2.copyMakeBorder(plate, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    height, width = source.shape[:2]
    least = np.full((height, width), np.inf, np.float32)
    for y in range(3):
        for x in range(3):
            red, green, blue = cv2.split(cv2.absdiff(source, padded[y : y + height, x : x + width]))
            least = cv2.min(least, cv2.max(cv2.max(red, green), blue))
    return np.asarray(least)


def _large_pieces(mask: np.ndarray) -> np.ndarray:
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    large = statistics[:, cv2.CC_STAT_AREA] >= _LEAST_PIECE * mask.size
    large[0] = False
    return large[np.asarray(labels, np.intp)].astype(np.uint8)


def _fill(mask: np.ndarray) -> np.ndarray:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros_like(mask), contours, -1, 1, thickness=cv2.FILLED)
