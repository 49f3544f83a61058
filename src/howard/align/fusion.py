"""Fusion of layers: per-pixel weights of the plate frames, and their weighted mean at full size."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from howard.align.aligned import DeviceArray
from howard.align.features import SMALL_SIDE, SourceView
from howard.align.flow import push_pull
from howard.align.layer import Layer
from howard.align.pictures import Size, from_levels, mean_difference, reduce_to, resize_offsets, size_of
from howard.align.warp import OUTSIDE, Warped, covered, interpolated_positions, plate_positions, resample, shrink_plate

# In levels: layers whose residuals are smaller than this count as equally good.
_FIT_SCALE = 2.0
# Pixels at a quarter of 1080p over which residuals are averaged, and over which a layer fades out towards its edge.
_RESIDUAL_SIGMA = 2.0
_FADE_SIGMA = 5.0
# Weight of a layer in its outermost pixels, so that pixels that no other layer covers are still filled.
LEAST_WEIGHT = 1e-3
# At a quarter of 1080p: coverage from which a pixel counts as fully covered, ...
_FULLY_COVERED = 0.999
# ... multiple of the least weight from which a layer contributes, and the dilation of the contributing area in pixels.
_CONTRIBUTING_WEIGHTS = 2.0
_MARGIN = 2
# Fraction of the image below which only a layer's contributing pixels are sampled, in rows of this many.
_SPARSE_FRACTION = 0.3
_ROW = 1024


def fusion_weights(source: SourceView, layers: list[Layer]) -> list[np.ndarray]:
    """The weight of each layer at every pixel, (h, w) float32 at a quarter of 1080p; the weights sum to about 1.
    Fillers are used only where the other layers fade out.

        Outside the person, weights depend on a layer's difference from the source; behind the person on that difference
        around it, and on the layer's difference from the median of all layers.
    """
    seen = reduce_to(source.half, SMALL_SIDE).astype(np.float32)
    pictures = [_matched(layer) for layer in layers]
    both = list(zip(layers, pictures, strict=True))
    person = cv2.resize(layers[0].comparison.person.astype(np.float32), size_of(seen)) > 0
    middle = _middle([picture for layer, picture in both if not layer.candidate.is_filler])
    weights, shown = [], np.zeros_like(pictures[0][..., 0])
    for layer, picture in both:
        coverage = reduce_to(layer.warped.coverage.astype(np.float32), SMALL_SIDE)
        residual = _around(mean_difference(picture, seen), (coverage > 0.99) & ~person)
        apart = cv2.GaussianBlur(mean_difference(picture, middle), (0, 0), _RESIDUAL_SIGMA)
        residual = np.where(person, np.hypot(residual, apart), residual)
        fading = cv2.erode(coverage, np.ones((3, 3)), borderType=cv2.BORDER_CONSTANT, borderValue=1.0)
        fading = cv2.GaussianBlur(fading, (0, 0), _FADE_SIGMA) ** 2
        if layer.candidate.is_filler:
            fading = fading * (1 - shown)
        shown = np.maximum(shown, fading)
        weights.append(fading / (residual**2 + _FIT_SCALE**2) + 1e-9)
    total = np.sum(weights, axis=0)
    return [np.maximum(weight / total, LEAST_WEIGHT).astype(np.float32) for weight in weights]


def _matched(layer: Layer) -> np.ndarray:
    return layer.comparison.photometry.apply(reduce_to(layer.warped.image, SMALL_SIDE))


def _middle(pictures: list[np.ndarray]) -> np.ndarray:
    """The median of the layers' images; the mean of two."""
    if len(pictures) != 3:
        return np.median(pictures, axis=0)
    # For three layers, as quality "best" uses, this is a hundred times as fast as np.median.
    low, high = cv2.min(pictures[0], pictures[1]), cv2.max(pictures[0], pictures[1])
    return np.asarray(cv2.max(low, cv2.min(high, pictures[2])))


def _around(residual: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The residual averaged over a few pixels, and extrapolated to pixels where it is unknown."""
    weight = cv2.GaussianBlur(known.astype(np.float32), (0, 0), _RESIDUAL_SIGMA)
    mean = cv2.GaussianBlur(residual * known, (0, 0), _RESIDUAL_SIGMA) / np.maximum(weight, 1e-3)
    filled = push_pull(np.repeat(mean[..., None], 2, axis=2), (weight > 0.1).astype(np.float32))[..., 0]
    return np.where(weight > 0.1, mean, filled)


class Rendered(NamedTuple):
    """``image`` (H, W, 3) of the source's dtype, 0 where not covered; ``coverage`` (H, W) float32, 0 or 1;
    ``fractions``, the part of the image that comes from each layer, which sum to 1."""

    image: np.ndarray | DeviceArray
    coverage: np.ndarray | DeviceArray
    fractions: tuple[float, ...]


Renderer = Callable[[Sequence[Layer], Sequence[np.ndarray], Size, np.dtype], Rendered]


def render(layers: Sequence[Layer], weights: Sequence[np.ndarray], size: Size, dtype: np.dtype) -> Rendered:
    """Blend the layers at ``size``, the source's, by their weights, (h, w) float32 of any size."""
    image, coverage = _render_layer(layers[0], size) if len(layers) == 1 else _blend(layers, weights, size)
    image = cv2.copyTo(from_levels(image, dtype), coverage.view(np.uint8))
    return Rendered(np.asarray(image), coverage.astype(np.float32), layer_fractions(layers, weights))


def layer_fractions(layers: Sequence[Layer], weights: Sequence[np.ndarray]) -> tuple[float, ...]:
    """The part of the image that comes from each layer, from weights and coverage at a reduced size; they sum to 1."""
    means = []
    for layer, weight in zip(layers, weights, strict=True):
        coverage = layer.warped.coverage.astype(np.float32)
        enlarged = cv2.resize(weight, size_of(coverage), interpolation=cv2.INTER_LINEAR)
        means.append(float((enlarged * coverage).mean(dtype=np.float64)))
    return tuple(mean / max(sum(means), 1e-9) for mean in means)


def _blend(layers: Sequence[Layer], weights: Sequence[np.ndarray], size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean of the layers in levels, and the mask of pixels that any layer covers."""
    image = np.zeros((size.height, size.width, 3), np.float32)
    total = np.zeros((size.height, size.width), np.float32)
    for layer, weight, counts in zip(layers, weights, _find_contributing(layers, weights), strict=True):
        enlarged = cv2.resize(weight, size, interpolation=cv2.INTER_LINEAR)
        if counts.mean() < _SPARSE_FRACTION:
            pixels = np.flatnonzero(cv2.resize(counts, size, interpolation=cv2.INTER_NEAREST))
            levels, coverage = _render_pixels(layer, size, pixels)
            here = enlarged.ravel()[pixels] * coverage
            image.reshape(-1, 3)[pixels] += levels * here[:, None]
            total.reshape(-1)[pixels] += here
            continue
        levels, coverage = _render_layer(layer, size)
        here = enlarged * coverage
        cv2.accumulateProduct(levels, cv2.merge([here] * 3), image)
        cv2.accumulate(here, total)
    coverage = total > 0
    return cv2.divide(image, cv2.merge([np.where(coverage, total, 1)] * 3)), coverage


def _find_contributing(layers: Sequence[Layer], weights: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Where each layer contributes, by its weight or because no other one covers a pixel fully: (h, w) uint8, 0 or
    1."""
    size = size_of(weights[0])
    covers = [
        cv2.resize(layer.warped.coverage.astype(np.float32), size, interpolation=cv2.INTER_AREA) for layer in layers
    ]
    covering = np.sum([cover > _FULLY_COVERED for cover in covers], axis=0)
    found = []
    for cover, weight in zip(covers, weights, strict=True):
        is_alone = (cover > 0) & (covering == (cover > _FULLY_COVERED))
        counts = (is_alone | (weight > _CONTRIBUTING_WEIGHTS * LEAST_WEIGHT)).astype(np.uint8)
        found.append(cv2.dilate(counts, np.ones((2 * _MARGIN + 1,) * 2)))
    return found


def _render_layer(layer: Layer, size: Size) -> Warped:
    """One layer at full size, in levels and with the source's exposure, and its coverage."""
    scaled, positions = _expose_and_place(layer, size)
    coverage = covered(positions, size_of(scaled), layer.candidate.valid)
    return Warped(resample(scaled, positions), coverage)


def _render_pixels(layer: Layer, size: Size, pixels: np.ndarray) -> Warped:
    """`_render_layer` for some pixels only, given by flat indices (N,): ``image`` (N, 3) and ``coverage`` (N,)."""
    scaled, positions = _expose_and_place(layer, size)
    # In rows, because OpenCV's remap is limited to 32767 pixels per side.
    chosen = np.full((-(-len(pixels) // _ROW), _ROW, 2), OUTSIDE, np.float32)
    chosen.reshape(-1, 2)[: len(pixels)] = positions.reshape(-1, 2)[pixels]
    coverage = covered(chosen, size_of(scaled), layer.candidate.valid)
    image = resample(scaled, chosen)
    return Warped(image.reshape(-1, 3)[: len(pixels)], coverage.ravel()[: len(pixels)])


def _expose_and_place(layer: Layer, size: Size) -> tuple[np.ndarray, np.ndarray]:
    """A plate frame in levels with the source's exposure, and the plate position of every source pixel."""
    # Exposure and sampling are both linear, so they commute; for uint8 the exposure is a lookup table.
    levels = layer.comparison.photometry.expose(layer.frame)
    scaled = shrink_plate(levels, layer.candidate.estimate.matrix)
    return scaled.image, interpolated_positions(scaled.matrix, size, layer.displacement)


def map_layer(layer: Layer, matrix: np.ndarray, size: Size) -> np.ndarray:
    """The plate position of every source pixel by homography, mesh and flow together: (H, W, 2) float32.

    ``matrix`` is the layer's homography, from the plate's pixels or those of a resized copy.
    """
    displacement = None if layer.displacement is None else resize_offsets(layer.displacement, size)
    return plate_positions(matrix, size, displacement)
