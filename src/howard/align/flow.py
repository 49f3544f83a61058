"""What the homography and the mesh leave: a smooth flow that never follows the person."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.align.geometry import size_of
from howard.align.warp import pixel_grid

# Grey levels: a residual of this size after the flow halves the trust in it, twice this leaves a fifth.
_RESIDUAL_SCALE = 6.0
# Squared grey levels per pixel: texture of this strength is trusted by half.
_TEXTURE_SCALE = 4.0
# Weight of the coarser level's value against a pixel's own.
_SMOOTHNESS = 0.1
_SMALLEST_LEVEL = 4
# Share of the long side; what comes before is not further off than this, so that a longer flow is a mistake.
_LONGEST_FLOW = 1 / 40


class MeasuredFlow(NamedTuple):
    """``offsets`` (h, w, 2) float32 in pixels: what the source shows at x, the plate shows at x + offset(x), y down;
    ``confidence`` (h, w) float32 in [0, 1] says how far to believe them."""

    offsets: np.ndarray
    confidence: np.ndarray


def measure_flow(source: np.ndarray, plate: np.ndarray, usable: np.ndarray) -> MeasuredFlow:
    """Flow from ``source`` to ``plate``, (h, w, 3) uint8 RGB, aligned but for little and of one exposure.

    By dense inverse search (Kroeger et al., ECCV 2016). Where ``usable`` (h, w) bool is False, on the person and where
    the plate saw nothing, the confidence is 0: a flow measured on the person pulls the plate behind along with it.
    """
    plate_grey = cv2.cvtColor(plate, cv2.COLOR_RGB2GRAY)
    # With the plate in both pictures the search finds no motion there, rather than the person's.
    source_grey = np.where(usable, cv2.cvtColor(source, cv2.COLOR_RGB2GRAY), plate_grey)
    offsets = np.asarray(_search().calc(source_grey, plate_grey, None))  # type: ignore
    length = cv2.magnitude(offsets[..., 0], offsets[..., 1])
    believable = usable & (length < _LONGEST_FLOW * max(source.shape[:2]))
    confidence = cv2.multiply(_confidence(source_grey, plate_grey, offsets), believable.astype(np.float32))
    return MeasuredFlow(offsets, np.asarray(confidence))


def _search() -> cv2.DISOpticalFlow:
    """The medium preset carried on to the finest scale, which a sparser grid of patches pays for.

    Refining it by variation as well changes next to nothing.
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)
    search.setPatchStride(5)
    search.setGradientDescentIterations(8)
    search.setVariationalRefinementIterations(0)
    return search


def compose(first: np.ndarray, then: np.ndarray) -> np.ndarray:
    """The displacement of two in a row, all (h, w, 2) float32: then(x) + first(x + then(x))."""
    moved = cv2.add(pixel_grid(size_of(then)), then)
    carried = cv2.remap(first, moved, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore
    return np.asarray(cv2.add(then, carried))


def push_pull(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Smooth (h, w, 2) values by their (h, w) weights and fill what has none (push-pull, Gortler et al., 1996)."""
    both = cv2.merge([weights, weights])
    pyramid = [(cv2.multiply(values, both), both)]
    while min(pyramid[-1][1].shape[:2]) > _SMALLEST_LEVEL:
        weighted, weight = pyramid[-1]
        pyramid.append((cv2.pyrDown(weighted), cv2.pyrDown(weight)))
    weighted, weight = pyramid.pop()
    estimate = weighted / np.maximum(weight, 1e-6)
    for weighted, weight in reversed(pyramid):
        coarser = cv2.pyrUp(estimate, dstsize=(weight.shape[1], weight.shape[0]))
        estimate = cv2.divide(cv2.scaleAdd(coarser, _SMOOTHNESS, weighted), weight + np.float32(_SMOOTHNESS))
    return np.asarray(estimate)


def _confidence(source: np.ndarray, plate: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Trust in a measured flow, (h, w) float32 in [0, 1]: high where there is texture and the pictures now agree."""
    positions = cv2.add(pixel_grid(size_of(source)), flow)
    moved = cv2.remap(plate, positions, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore
    residual = cv2.GaussianBlur(cv2.absdiff(source, moved).astype(np.float32), (0, 0), 2)
    slope_x = cv2.Sobel(plate, cv2.CV_32F, 1, 0, scale=1 / 8)
    slope_y = cv2.Sobel(plate, cv2.CV_32F, 0, 1, scale=1 / 8)
    texture = cv2.GaussianBlur(slope_x**2 + slope_y**2, (0, 0), 3)
    return texture / (texture + _TEXTURE_SCALE) / (1 + (residual / _RESIDUAL_SCALE) ** 2)
