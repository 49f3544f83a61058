"""Alpha and foreground colour of each pixel between known screen and known foreground (Bayesian matting)."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.keying.image_operations import encode, fill, from_opponent, smooth, to_linear, to_opponent
from howard.keying.screen import Screen, ScreenModel

# `Screen.excess`, 1 on the screen itself, below which a pixel belongs to the foreground.
_FOREGROUND_EXCESS = 0.3
# Radius by which the known foreground is eroded, in pixels at a height of 360.
_EROSION = 2.0
# `Screen.excess` above which a pixel belongs to the screen, if its colour is close to the screen model's.
_SCREEN_EXCESS = 0.7
# Largest distance from the screen model, in standard deviations of noise plus unevenness.
_MAX_DEVIATIONS = 3.06
# Creases and uneven dye that the smooth screen model does not follow, in encoded values.
_UNEVENNESS = 0.0171
# Chroma is subsampled in video: its standard deviation near an edge, as a fraction of the chroma step across the edge.
_CHROMA_BLEED = 0.12
# Least standard deviation of a person's colours in a neighbourhood, in encoded values: no surface has a single colour.
_MIN_VARIATION = 0.01
# Standard deviation of the neighbourhood for the person's colours, as a fraction of the shorter side.
_NEIGHBOURHOOD = 0.008
# Steps of alpha in the grid search, before the parabola fit.
_ALPHA_STEPS = 24
# Radius in pixels, and epsilon in squared linear light, of the guided filter.
_GUIDED_RADIUS = 2
_GUIDED_EPSILON = 1e-4
# Pixels solved at once, to limit memory.
_CHUNK = 1 << 16


class Trimap(NamedTuple):
    """Three disjoint masks (H, W), bool: known background (screen), known foreground, and unknown."""

    background: np.ndarray
    foreground: np.ndarray
    unknown: np.ndarray


class Unmixed(NamedTuple):
    """``alpha`` (H, W) in [0, 1]; ``colour`` (H, W, 3), encoded foreground with the screen's spill still in it."""

    alpha: np.ndarray
    colour: np.ndarray


def make_trimap(linear: np.ndarray, model: ScreenModel, screen: Screen) -> Trimap:
    """The trimap of an image in linear light, (H, W, 3), from its screen model."""
    height, width = linear.shape[:2]
    blurred = cv2.blur(linear, (3, 3))
    excess = screen.excess(blurred) / np.maximum(screen.excess(model.colour), 1e-3)
    difference = to_opponent(encode(blurred)) - to_opponent(encode(model.colour))
    distance = ((difference / (_MAX_DEVIATIONS * screen.noise + _UNEVENNESS)) ** 2).sum(axis=2)
    is_screen = model.is_certain | ((distance < 1) & (excess > _SCREEN_EXCESS))
    solid = (excess < _FOREGROUND_EXCESS) & ~is_screen
    radius = max(2, round(_EROSION * min(height, width) / 360))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    foreground = cv2.erode(solid.astype(np.uint8), kernel, borderValue=1) > 0
    foreground |= _enclosed_gaps(foreground, is_screen)
    return Trimap(is_screen & ~foreground, foreground, ~foreground & ~is_screen)


def unmix(linear: np.ndarray, background: np.ndarray, screen: Screen, trimap: Trimap) -> Unmixed:
    """The most probable alpha and foreground colour of unknown pixels; ``linear`` and ``background`` are (H, W, 3).

    A pixel is alpha F + (1 - alpha) B in linear light, with B known, F distributed like nearby foreground colours, and
    camera noise added: first the most probable alpha, then the most probable F (Y.-Y. Chuang et al., "A Bayesian
    Approach to Digital Matting", CVPR 2001, with known background).
    """
    encoded = encode(linear)
    opponent = to_opponent(encoded)
    near, spread = _local_statistics(opponent, trimap.foreground)
    nearest = _nearest_colour(opponent, trimap.foreground)
    alpha, colour = trimap.foreground.astype(np.float32), encoded.copy()
    where = np.flatnonzero(trimap.unknown)
    flat = [each.reshape(-1, 3) for each in (linear, opponent, background, near, nearest, spread)]
    for start in range(0, len(where), _CHUNK):
        part = where[start : start + _CHUNK]
        seen, seen_opponent, behind, mean, other, variance = (each[part] for each in flat)
        pixels = _Pixels(seen, seen_opponent, behind, variance, screen.noise**2 + _chroma_variance(mean, behind))
        alpha.reshape(-1)[part], colour.reshape(-1, 3)[part] = _solve(pixels, mean, other)
    colour[trimap.background] = from_opponent(near[trimap.background]).clip(0, 1)
    return Unmixed(np.where(trimap.unknown, _guided_filter(alpha, linear, trimap.unknown), alpha), colour)


class _Pixels(NamedTuple):
    """Pixels to solve, (N, 3) each: observed, the screen ``behind`` (linear light), and variances of F and noise.

    ``variance`` and ``noise`` are in opponent colour.
    """

    seen: np.ndarray
    seen_opponent: np.ndarray
    behind: np.ndarray
    variance: np.ndarray
    noise: np.ndarray


def _solve(pixels: _Pixels, near: np.ndarray, nearest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Alpha (N,) and encoded colour (N, 3), with the more probable of two opponent foreground colours (N, 3)."""
    alpha, cost = _most_probable_alpha(pixels, near)
    other_alpha, other_cost = _most_probable_alpha(pixels, nearest)
    is_other = other_cost < cost
    alpha = np.where(is_other, other_alpha, alpha)
    return alpha, _most_probable_colour(pixels, np.where(is_other[:, None], nearest, near), alpha)


def _local_statistics(opponent: np.ndarray, foreground: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of known foreground's opponent colours around every pixel, each (H, W, 3)."""
    height, width = foreground.shape
    sigma = max(1.5, _NEIGHBOURHOOD * min(height, width))
    # The result is smooth, so a reduced resolution suffices.
    shrink = max(1, int(sigma / 2))
    size = max(1, width // shrink), max(1, height // shrink)
    weight = cv2.resize(foreground.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    moments = np.concatenate([opponent, opponent**2], axis=2) * foreground[..., None]
    moments = cv2.resize(moments, size, interpolation=cv2.INTER_AREA) / np.maximum(weight, 1e-6)[..., None]
    mean, weight = smooth(moments, weight, sigma / shrink)
    mean = cv2.resize(fill(mean, np.minimum(1, 8 * weight)), (width, height), interpolation=cv2.INTER_LINEAR)
    return mean[..., :3], np.maximum(mean[..., 3:] - mean[..., :3] ** 2, _MIN_VARIATION**2)


def _nearest_colour(opponent: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """The slightly smoothed opponent colour of the nearest known foreground pixel, (H, W, 3)."""
    if not foreground.any():
        return opponent
    smoothed, _ = smooth(opponent, foreground, 1.5)
    label_type = cv2.DIST_LABEL_PIXEL
    _, labels = cv2.distanceTransformWithLabels((~foreground).astype(np.uint8), cv2.DIST_L2, 5, labelType=label_type)
    colours = np.zeros((int(labels.max()) + 1, 3), np.float32)
    numbers = labels.astype(np.intp)
    colours[numbers[foreground]] = smoothed[foreground]
    return colours[numbers]


def _chroma_variance(mean: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """Variance (N, 3) of the colour differences due to chroma subsampling at an edge to the screen; 0 for luma."""
    step = mean - to_opponent(encode(behind))
    step[:, 0] = 0
    return (_CHROMA_BLEED * step) ** 2


def _most_probable_alpha(pixels: _Pixels, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Alpha (N,) and its cost (negative log-likelihood), for foreground colours around ``mean``, opponent (N, 3)."""
    front = to_linear(from_opponent(mean).clip(0, 1))
    cost = np.empty((_ALPHA_STEPS + 1, len(mean)), np.float32)
    for step, alpha in enumerate(np.linspace(0, 1, _ALPHA_STEPS + 1, dtype=np.float32)):
        mixed = to_opponent(encode(alpha * front + (1 - alpha) * pixels.behind))
        total = pixels.noise + alpha**2 * pixels.variance
        cost[step] = ((pixels.seen_opponent - mixed) ** 2 / total + np.log(total)).sum(axis=1)
    best = cost.argmin(axis=0)
    inner = best.clip(1, _ALPHA_STEPS - 1)
    before, middle, after = (cost[inner + offset, np.arange(len(mean))] for offset in (-1, 0, 1))
    # The vertex of the parabola through three neighbouring steps, limited to the interval between them.
    bend = np.maximum(before - 2 * middle + after, 1e-6)
    shift = np.where(best == inner, (before - after) / (2 * bend), np.sign(best - inner)).clip(-1, 1)
    return ((inner + shift) / _ALPHA_STEPS).clip(0, 1).astype(np.float32), cost.min(axis=0)


def _most_probable_colour(pixels: _Pixels, mean: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Foreground colour (N, 3), encoded: the observation minus the screen, shrunk towards ``mean`` for low alpha."""
    alpha = alpha[:, None]
    own = to_opponent(encode((pixels.seen - (1 - alpha) * pixels.behind) / np.maximum(alpha, 0.02)))
    trust = alpha**2 * pixels.variance / (alpha**2 * pixels.variance + pixels.noise)
    return from_opponent(mean + trust * (own - mean)).clip(0, 1)


def _guided_filter(alpha: np.ndarray, linear: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Alpha (H, W) filtered with the image as guide, which removes noise but keeps hair; valid near ``where`` only.

    K. He et al., "Guided Image Filtering", PAMI 2013, section 3.5.
    """
    size = (2 * _GUIDED_RADIUS + 1, 2 * _GUIDED_RADIUS + 1)
    mean, mean_alpha = cv2.blur(linear, size), cv2.blur(alpha, size)
    near = cv2.dilate(where.astype(np.uint8), np.ones(size, np.uint8)) > 0
    cross_covariance = cv2.blur(linear * alpha[..., None], size)[near] - mean[near] * mean_alpha[near, None]
    covariance = np.empty((len(cross_covariance), 3, 3), np.float32)
    for row, column in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
        products = cv2.blur(linear[..., row] * linear[..., column], size)[near]
        covariance[:, row, column] = covariance[:, column, row] = products - mean[near, row] * mean[near, column]
    covariance += _GUIDED_EPSILON * np.eye(3, dtype=np.float32)
    slope, offset = np.zeros_like(linear), np.zeros_like(alpha)
    slope[near] = np.linalg.solve(covariance, cross_covariance[..., None])[..., 0]
    offset[near] = mean_alpha[near] - (slope[near] * mean[near]).sum(axis=1)
    return ((cv2.blur(slope, size) * linear).sum(axis=2) + cv2.blur(offset, size)).clip(0, 1)


def _enclosed_gaps(foreground: np.ndarray, is_screen: np.ndarray) -> np.ndarray:
    """Gaps in the foreground mask that contain no screen and do not touch the frame's border."""
    count, labels, _, _ = cv2.connectedComponentsWithStats((~foreground).astype(np.uint8), connectivity=4)
    numbers = labels.astype(np.intp)
    is_open = np.zeros(count, bool)
    is_open[numbers[is_screen]] = True
    for border in (numbers[0], numbers[-1], numbers[:, 0], numbers[:, -1]):
        is_open[border] = True
    return ~foreground & ~is_open[numbers]
