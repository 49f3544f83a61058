"""What the plate itself says of depth: how its frames differ tells what a flow must be behind the person.

After a homography, what is left between two views is parallax: to first order it grows with (relative) inverse depth,
in a direction that the move of the camera decides (plane + parallax: Irani & Anandan, ECCV 1996). Two plate frames show
it everywhere, behind the person too; the source against a plate frame only around. Both have the depth in common, so
one follows from the other by a few numbers, which the visible background gives.
"""

import cv2
import numpy as np

from howard.align.flow import MeasuredFlow, push_pull
from howard.align.geometry import resize_offsets, size_of
from howard.align.warp import pixel_grid

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
