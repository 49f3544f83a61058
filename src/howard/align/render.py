"""The aligned plate at full size: every layer sampled once, brought to the source's exposure, and laid together."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from howard.align.aligned import DeviceArray
from howard.align.geometry import Size, resize_offsets, size_of
from howard.align.layer import Layer
from howard.align.levels import from_levels, to_levels
from howard.align.warp import Warped, covered, plate_positions, resample, shrink_plate


class Rendered(NamedTuple):
    """``image`` (H, W, 3) of the source's dtype, 0 where ``coverage`` (H, W) float32 is 0, which is 1 elsewhere;
    ``shares`` says how much of it came from each layer."""

    image: np.ndarray | DeviceArray
    coverage: np.ndarray | DeviceArray
    shares: tuple[float, ...]


Renderer = Callable[[Sequence[Layer], Sequence[np.ndarray], Size, np.dtype], Rendered]


def render(layers: Sequence[Layer], weights: Sequence[np.ndarray], size: Size, dtype: np.dtype) -> Rendered:
    """Lay the layers together at ``size``, the source's, by their weights, (h, w) float32 of any size."""
    image, coverage = _render_layer(layers[0], size) if len(layers) == 1 else _blend(layers, weights, size)
    image = cv2.copyTo(from_levels(image, dtype), coverage.view(np.uint8))
    return Rendered(np.asarray(image), coverage.astype(np.float32), layer_shares(layers, weights))


def layer_shares(layers: Sequence[Layer], weights: Sequence[np.ndarray]) -> tuple[float, ...]:
    """How much of the picture comes from each layer, in sum 1, from its weights and its coverage at a reduced size."""
    means = []
    for layer, weight in zip(layers, weights, strict=True):
        coverage = layer.warped.coverage.astype(np.float32)
        enlarged = cv2.resize(weight, size_of(coverage), interpolation=cv2.INTER_LINEAR)
        means.append(float((enlarged * coverage).mean(dtype=np.float64)))
    return tuple(mean / max(sum(means), 1e-9) for mean in means)


def _blend(layers: Sequence[Layer], weights: Sequence[np.ndarray], size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean in levels, and where there is any."""
    image = np.zeros((size.height, size.width, 3), np.float32)
    total = np.zeros((size.height, size.width), np.float32)
    for layer, weight in zip(layers, weights, strict=True):
        levels, coverage = _render_layer(layer, size)
        here = cv2.resize(weight, size, interpolation=cv2.INTER_LINEAR) * coverage
        cv2.accumulateProduct(levels, cv2.merge([here] * 3), image)
        cv2.accumulate(here, total)
    coverage = total > 0
    return cv2.divide(image, cv2.merge([np.where(coverage, total, 1)] * 3)), coverage


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
