"""The aligned plate at full size: every layer sampled once, brought to the source's exposure, and laid together."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from howard.align.geometry import Size, resize_offsets, size_of
from howard.align.layer import Layer
from howard.align.levels import from_levels, to_levels
from howard.align.warp import Warped, covered, plate_positions, resample, shrink_plate


class Rendered(NamedTuple):
    """``image`` (H, W, 3) of the source's dtype, 0 where ``coverage`` (H, W) bool is False; ``shares`` says how much
    of it came from each layer."""

    image: np.ndarray
    coverage: np.ndarray
    shares: tuple[float, ...]


Renderer = Callable[[Sequence[Layer], Sequence[np.ndarray], Size, np.dtype], Rendered]


def render(layers: Sequence[Layer], weights: Sequence[np.ndarray], size: Size, dtype: np.dtype) -> Rendered:
    """Lay the layers together at ``size``, the source's, by their weights, (h, w) float32 of any size."""
    if len(layers) == 1:
        image, coverage = _render_layer(layers[0], size)
        shares = [1.0]
    else:
        image, coverage, shares = _blend(layers, weights, size)
    image = cv2.copyTo(from_levels(image, dtype), coverage.view(np.uint8))
    return Rendered(np.asarray(image), coverage, tuple(share / max(sum(shares), 1e-9) for share in shares))


def _blend(
    layers: Sequence[Layer], weights: Sequence[np.ndarray], size: Size
) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Weighted mean in levels, where there is any, and each layer's mean weight."""
    image = np.zeros((size.height, size.width, 3), np.float32)
    total = np.zeros((size.height, size.width), np.float32)
    shares = []
    for layer, weight in zip(layers, weights, strict=True):
        levels, coverage = _render_layer(layer, size)
        here = cv2.resize(weight, size, interpolation=cv2.INTER_LINEAR) * coverage
        cv2.accumulateProduct(levels, cv2.merge([here] * 3), image)
        cv2.accumulate(here, total)
        shares.append(float(here.mean(dtype=np.float64)))
    coverage = total > 0
    return cv2.divide(image, cv2.merge([np.where(coverage, total, 1)] * 3)), coverage, shares


def _render_layer(layer: Layer, size: Size) -> Warped:
    """One layer at full size in levels and in the source's exposure, which it has where it is not covered as well."""
    scaled = shrink_plate(to_levels(layer.frame), layer.candidate.estimate.matrix)
    displacement = None if layer.displacement is None else resize_offsets(layer.displacement, size)
    positions = plate_positions(scaled.matrix, size, displacement)
    image = layer.comparison.photometry.apply(resample(scaled.image, positions))
    return Warped(image, covered(positions, size_of(scaled.image), layer.candidate.valid))


def map_layer(layer: Layer, matrix: np.ndarray, size: Size) -> np.ndarray:
    """The plate pixel shown at every source pixel, by homography, mesh and flow together: (H, W, 2) float32.

    ``matrix`` is the layer's homography, from the plate's pixels or those of a resized copy.
    """
    displacement = None if layer.displacement is None else resize_offsets(layer.displacement, size)
    return plate_positions(matrix, size, displacement)
