"""Dense optical flow that remains between the source and a plate frame aligned by homography and mesh.

It is measured where the background is visible. Behind the person it is predicted from parallax: to first order, the
residual motion after a homography is proportional to relative inverse depth, in a direction given by the camera's
motion (plane + parallax: Irani & Anandan, ECCV 1996). Two plate frames show that parallax everywhere. Both motions
depend on the same depth, so a model with few parameters, fitted on the visible background, predicts one from the other.
"""

from typing import NamedTuple

import cv2
import numpy as np

from howard.align.pictures import resize_offsets, size_of
from howard.align.warp import pixel_grid

# Grey levels: a residual of this size after the flow halves its confidence; twice this leaves a fifth.
_RESIDUAL_SCALE = 6.0
# Squared grey levels per pixel: texture of this strength gives a confidence of one half.
_TEXTURE_SCALE = 4.0
# Weight of the coarser level's value against a pixel's own.
_SMOOTHNESS = 0.1
_SMALLEST_LEVEL = 4
# Fraction of the long side: homography and mesh leave less than this, so a longer flow is an error.
_LONGEST_FLOW = 1 / 40
_STEP = 4
_TRUSTED = 0.3
_FEWEST = 200
_FIT_ROUNDS = 6
# Lower bound of the error scale in pixels: smaller errors are noise.
_LEAST_SPREAD = 0.15
# Ridge regularisation of each coefficient relative to one sample.
_RIDGE = 1e-4
# The parallax is sampled at displaced positions, which depend on the prediction: a fixed-point iteration.
_PASSES = 2


class MeasuredFlow(NamedTuple):
    """``offsets`` (h, w, 2) float32 in pixels: the source pixel x corresponds to the plate position x + offset(x), y
    down; ``confidence`` is (h, w) float32 in [0, 1]."""

    offsets: np.ndarray
    confidence: np.ndarray


def measure_flow(source: np.ndarray, plate: np.ndarray, usable: np.ndarray) -> MeasuredFlow:
    """Flow from ``source`` to ``plate``, both (h, w, 3) uint8 RGB, nearly aligned and of the same exposure.

    Dense inverse search (Kroeger et al., ECCV 2016). The confidence is 0 where ``usable`` (h, w) bool is False: outside
    the plate's coverage, and on the person, whose motion would otherwise be applied to the plate.
    """
    plate_grey = cv2.cvtColor(plate, cv2.COLOR_RGB2GRAY)
    # Unusable pixels are the plate's in both images, so that their flow is zero instead of the person's motion.
    source_grey = np.where(usable, cv2.cvtColor(source, cv2.COLOR_RGB2GRAY), plate_grey)
    offsets = np.asarray(open_flow_search().calc(source_grey, plate_grey, None))  # type: ignore
    length = cv2.magnitude(offsets[..., 0], offsets[..., 1])
    plausible = usable & (length < _LONGEST_FLOW * max(source.shape[:2]))
    confidence = cv2.multiply(_confidence(source_grey, plate_grey, offsets), plausible.astype(np.float32))
    return MeasuredFlow(offsets, np.asarray(confidence))


def open_flow_search() -> cv2.DISOpticalFlow:
    """The medium preset, but down to the finest scale; a larger patch stride makes up for the cost.

    Variational refinement has almost no effect here.
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)
    search.setPatchStride(5)
    search.setGradientDescentIterations(8)
    search.setVariationalRefinementIterations(0)
    return search


def compose(first: np.ndarray, then: np.ndarray) -> np.ndarray:
    """Composition of two displacement fields, all (h, w, 2) float32: then(x) + first(x + then(x))."""
    moved = cv2.add(pixel_grid(size_of(then)), then)
    carried = cv2.remap(first, moved, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore
    return np.asarray(cv2.add(then, carried))


def push_pull(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Smooth (h, w, 2) values by (h, w) weights and fill in where the weight is 0 (push-pull, Gortler et al., 1996)."""
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
    """Confidence of a flow, (h, w) float32 in [0, 1]: high where there is texture and the warped pictures agree."""
    positions = cv2.add(pixel_grid(size_of(source)), flow)
    moved = cv2.remap(plate, positions, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore
    residual = cv2.GaussianBlur(cv2.absdiff(source, moved).astype(np.float32), (0, 0), 2)
    slope_x = cv2.Sobel(plate, cv2.CV_32F, 1, 0, scale=1 / 8)
    slope_y = cv2.Sobel(plate, cv2.CV_32F, 0, 1, scale=1 / 8)
    texture = cv2.GaussianBlur(slope_x**2 + slope_y**2, (0, 0), 3)
    return texture / (texture + _TEXTURE_SCALE) / (1 + (residual / _RESIDUAL_SCALE) ** 2)


def fill_occluded_flow(measured: MeasuredFlow, parallax: np.ndarray | None) -> np.ndarray:
    """The measured displacement where its confidence is high, extrapolated elsewhere: (h, w, 2) float32.

    ``parallax`` is the dense flow from the same plate frame to another one, both warped to the source by their
    homographies: (h, w, 2) float32 of any size, in its own pixels. If a linear model explains the displacement around
    the person by it, the model predicts the displacement behind the person; otherwise that is interpolated smoothly.
    """
    offsets, confidence = measured
    predicted = None if parallax is None else _predict(measured, parallax)
    if predicted is None:
        return push_pull(offsets, confidence)
    predicted = resize_offsets(predicted, size_of(offsets))
    return np.asarray(cv2.add(predicted, push_pull(cv2.subtract(offsets, predicted), confidence)))


def _predict(measured: MeasuredFlow, parallax: np.ndarray) -> np.ndarray | None:
    """The displacement predicted from the parallax, of its size and in its pixels; None if no model can be fitted."""
    size = size_of(parallax)
    confidence = cv2.resize(measured.confidence, size, interpolation=cv2.INTER_NEAREST)
    # Nearest neighbour, because averaging across a depth edge gives a value of neither side.
    offsets = cv2.resize(measured.offsets, size, interpolation=cv2.INTER_NEAREST)
    scale = np.array(size) / np.array(size_of(measured.offsets))
    offsets = np.asarray(cv2.multiply(offsets, (*scale.tolist(), 0, 0)))  # type: ignore
    predicted, filled = None, push_pull(offsets, confidence)
    for _ in range(_PASSES):
        moved = cv2.add(pixel_grid(size), filled)
        there = cv2.remap(parallax, moved, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore
        coefficients = _fit_parallax_model(np.asarray(there), MeasuredFlow(offsets, confidence))
        if coefficients is None:
            return None
        predicted = _apply_parallax_model(coefficients, np.asarray(there))
        filled = cv2.add(predicted, push_pull(cv2.subtract(offsets, predicted), confidence))
    return predicted


def _fit_parallax_model(parallax: np.ndarray, measured: MeasuredFlow) -> np.ndarray | None:
    """Coefficients (9, 2) of displacement = plane(x) + plane(x) u + plane(x) v, with (u, v) the parallax.

    Iteratively reweighted least squares with Cauchy weights; None where too few samples are reliable.
    """
    offsets, confidence = (array[::_STEP, ::_STEP] for array in measured)
    trusted = confidence > _TRUSTED
    if trusted.sum() < _FEWEST:
        return None
    x, y = _unit_axes(parallax)
    x, y = (np.broadcast_to(axis, parallax.shape[:2])[::_STEP, ::_STEP][trusted] for axis in (x, y))
    u, v = parallax[::_STEP, ::_STEP][trusted].T
    terms = np.stack(
        [plane * factor for factor in (np.ones_like(u), u, v) for plane in (np.ones_like(x), x, y)], axis=1
    )
    terms, target = terms.astype(np.float64), offsets[trusted].astype(np.float64)
    base = confidence[trusted].astype(np.float64)
    weight, ridge = base, _RIDGE * len(base) * np.eye(terms.shape[1])
    for _ in range(_FIT_ROUNDS):
        weighted = terms * weight[:, None]
        coefficients = np.linalg.solve(weighted.T @ terms + ridge, weighted.T @ target)
        error = np.linalg.norm(target - terms @ coefficients, axis=1)
        spread = max(1.4826 * float(np.median(error)), _LEAST_SPREAD)
        weight = base / (1 + (error / spread) ** 2)
    return coefficients


def _apply_parallax_model(coefficients: np.ndarray, parallax: np.ndarray) -> np.ndarray:
    x, y = _unit_axes(parallax)
    axes = []
    for number in coefficients.astype(np.float32).T:
        own, by_u, by_v = (n[0] + n[1] * x + n[2] * y for n in number.reshape(3, 3))
        axes.append(own + by_u * parallax[..., 0] + by_v * parallax[..., 1])
    return cv2.merge(axes)


def _unit_axes(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x (1, w) and y (h, 1), float32 from -0.5 to 0.5."""
    height, width = image.shape[:2]
    x = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None]
    return x, np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None]
