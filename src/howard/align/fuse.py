"""Several layers over one another: at every pixel the more of each, the better it fits there."""

import cv2
import numpy as np

from howard.align.flow import push_pull
from howard.align.geometry import reduce_to, size_of
from howard.align.layer import Layer
from howard.align.levels import mean_difference
from howard.align.view import SMALL_SIDE, SourceView

# Grey levels: layers that fit better than this are taken to fit alike.
_FIT_SCALE = 2.0
# Pixels of a quarter of 1080p over which a fit is judged, and over which a layer fades out towards its edge.
_JUDGED = 2.0
_FADE = 5.0
# What is left of a layer in the outermost pixels that nothing else covers.
LEAST_WEIGHT = 1e-3


def fusion_weights(source: SourceView, layers: list[Layer]) -> list[np.ndarray]:
    """How much of each layer at every pixel, (h, w) float32 at a quarter of 1080p; they add up to about 1.

    The best layer comes first. Those that only fill begin where the others fade out.

    Outside the person a layer is judged by its difference from the source; behind it by what that is around, and by
    how far the layer is from the middle of all.
    """
    seen = reduce_to(source.half, SMALL_SIDE).astype(np.float32)
    pictures = [_matched(layer) for layer in layers]
    both = list(zip(layers, pictures, strict=True))
    person = cv2.resize(layers[0].comparison.person.astype(np.float32), size_of(seen)) > 0
    middle = _middle([picture for layer, picture in both if not layer.candidate.only_fills])
    weights, shown = [], np.zeros_like(pictures[0][..., 0])
    for layer, picture in both:
        coverage = reduce_to(layer.warped.coverage.astype(np.float32), SMALL_SIDE)
        residual = _around(mean_difference(picture, seen), (coverage > 0.99) & ~person)
        apart = cv2.GaussianBlur(mean_difference(picture, middle), (0, 0), _JUDGED)
        residual = np.where(person, np.hypot(residual, apart), residual)
        fading = cv2.erode(coverage, np.ones((3, 3)), borderType=cv2.BORDER_CONSTANT, borderValue=1.0)
        fading = cv2.GaussianBlur(fading, (0, 0), _FADE) ** 2
        if layer.candidate.only_fills:
            fading = fading * (1 - shown)
        shown = np.maximum(shown, fading)
        weights.append(fading / (residual**2 + _FIT_SCALE**2) + 1e-9)
    total = np.sum(weights, axis=0)
    return [np.maximum(weight / total, LEAST_WEIGHT).astype(np.float32) for weight in weights]


def _matched(layer: Layer) -> np.ndarray:
    return layer.comparison.photometry.apply(reduce_to(layer.warped.image, SMALL_SIDE))


def _middle(pictures: list[np.ndarray]) -> np.ndarray:
    """The median of the pictures, the mean if there are two."""
    if len(pictures) != 3:
        return np.median(pictures, axis=0)
    # Of three, as "best" fuses, a hundred times quicker.
    low, high = cv2.min(pictures[0], pictures[1]), cv2.max(pictures[0], pictures[1])
    return np.asarray(cv2.max(low, cv2.min(high, pictures[2])))


def _around(residual: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The residual, averaged over a few pixels, and where it is not known from around."""
    weight = cv2.GaussianBlur(known.astype(np.float32), (0, 0), _JUDGED)
    mean = cv2.GaussianBlur(residual * known, (0, 0), _JUDGED) / np.maximum(weight, 1e-3)
    filled = push_pull(np.repeat(mean[..., None], 2, axis=2), (weight > 0.1).astype(np.float32))[..., 0]
    return np.where(weight > 0.1, mean, filled)
