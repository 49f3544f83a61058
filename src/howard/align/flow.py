"""Dense motion left between a plate frame, aligned by homography and mesh, and the source.

It is measured where the background is visible. Behind the person it is predicted from parallax: to first order, what
a homography leaves grows with (relative) inverse depth, in a direction that the camera's motion decides (plane +
parallax: Irani & Anandan, ECCV 1996). Two plate frames show it everywhere; both motions have the depth in common, so
one follows from the other by a few numbers, which the visible background gives.
"""

from typing import NamedTuple

import cv2
import numpy as np

from howard.align.pictures import resize_offsets, size_of
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
_STEP = 4
_TRUSTED = 0.3
_FEWEST = 200
_FIT_ROUNDS = 6
# Pixels: an error below this is noise, whatever the rest.
_LEAST_SPREAD = 0.15
# Weight of zero against a sample, for each of the numbers.
_RIDGE = 1e-4
# The prediction is read where the displacement points, and the displacement comes from the prediction.
_PASSES = 2


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


def fill_by_parallax(measured: MeasuredFlow, parallax: np.ndarray | None) -> np.ndarray:
    """The measured displacement where it is believed, and continued where it is not: (h, w, 2) float32.

    ``parallax`` is the flow, known everywhere, from the same plate frame to another, both under the source by their
    homographies: (h, w, 2) float32 of any size and in its own pixels. Where it explains the displacement around the
    person it says what that is behind; without it, that is smoothly continued from around.
    """
    offsets, confidence = measured
    predicted = None if parallax is None else _predict(measured, parallax)
    if predicted is None:
        return push_pull(offsets, confidence)
    predicted = resize_offsets(predicted, size_of(offsets))
    return np.asarray(cv2.add(predicted, push_pull(cv2.subtract(offsets, predicted), confidence)))


def _predict(measured: MeasuredFlow, parallax: np.ndarray) -> np.ndarray | None:
    """The displacement that the parallax implies, of its size and in its pixels; None if it implies none."""
    size = size_of(parallax)
    confidence = cv2.resize(measured.confidence, size, interpolation=cv2.INTER_NEAREST)
    # Sampled rather than averaged: over an edge in depth a mean is neither side's.
    offsets = cv2.resize(measured.offsets, size, interpolation=cv2.INTER_NEAREST)
    scale = np.array(size) / np.array(size_of(measured.offsets))
    offsets = np.asarray(cv2.multiply(offsets, (*scale.tolist(), 0, 0)))  # type: ignore
    predicted, filled = None, push_pull(offsets, confidence)
    for _ in range(_PASSES):
        moved = cv2.add(pixel_grid(size), filled)
        there = cv2.remap(parallax, moved, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore
        law = _fit_law(np.asarray(there), MeasuredFlow(offsets, confidence))
        if law is None:
            return None
        predicted = _apply_law(law, np.asarray(there))
        filled = cv2.add(predicted, push_pull(cv2.subtract(offsets, predicted), confidence))
    return predicted


def _fit_law(parallax: np.ndarray, measured: MeasuredFlow) -> np.ndarray | None:
    """Numbers (9, 2) of displacement = plane(x) + plane(x) u + plane(x) v, with (u, v) the parallax; None if unknown.

    Least squares with Cauchy weights.
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
        law = np.linalg.solve(weighted.T @ terms + ridge, weighted.T @ target)
        error = np.linalg.norm(target - terms @ law, axis=1)
        spread = max(1.4826 * float(np.median(error)), _LEAST_SPREAD)
        weight = base / (1 + (error / spread) ** 2)
    return law


def _apply_law(law: np.ndarray, parallax: np.ndarray) -> np.ndarray:
    x, y = _unit_axes(parallax)
    axes = []
    for number in law.astype(np.float32).T:
        own, by_u, by_v = (n[0] + n[1] * x + n[2] * y for n in number.reshape(3, 3))
        axes.append(own + by_u * parallax[..., 0] + by_v * parallax[..., 1])
    return cv2.merge(axes)


def _unit_axes(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x (1, w) and y (h, 1), float32 from -0.5 to 0.5."""
    height, width = image.shape[:2]
    x = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None]
    return x, np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None]
