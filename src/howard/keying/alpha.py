"""Alpha and the person's own colour, pixel by pixel, between a screen that is known and a core that is."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.keying.fill import fill, smooth
from howard.keying.light import encode, from_opponent, to_linear, to_opponent
from howard.keying.screen import Screen, ScreenLight

# Excess is that of `Screen.excess`, 1 on the screen itself. Less is the person's, safe at some pixels from the edge.
_CORE_EXCESS, _RIM = 0.3, 2.0  # in pixels, at 360 rows
# More is the screen's, if its colour is off by no more than so many standard deviations of noise and unevenness.
_SCREEN_EXCESS, _GATE = 0.7, 3.06
# Creases and uneven dye that the smooth model does not follow, encoded.
_UNEVEN = 0.0171
# Colour comes at half the resolution in video: near an edge it is off by a share of the step there.
_CHROMA_BLEED = 0.12
_LEAST_VARIATION = 0.01  # standard deviation of a person's colours nearby, encoded: nothing is of one colour
_NEARBY = 0.008  # of the shorter side of the picture: how far a person's colours are looked for, standard deviation
_STEPS = 24  # of alpha, before the parabola through three of them
_WINDOW, _STIFF = 2, 1e-4  # of the guided filter: pixels to either side, and epsilon in squared linear light
_CHUNK = 1 << 16  # pixels solved at once, to bound memory


class Regions(NamedTuple):
    """Three masks (H, W), bool, that share out a picture: nothing but screen, nothing but person, and neither."""

    screen: np.ndarray
    core: np.ndarray
    unknown: np.ndarray


class Unmixed(NamedTuple):
    """``alpha`` (H, W) in [0, 1]; ``colour`` (H, W, 3) encoded, as filmed: screen light on the person still in it."""

    alpha: np.ndarray
    colour: np.ndarray


def find_regions(linear: np.ndarray, light: ScreenLight, screen: Screen) -> Regions:
    """Share out a picture, linear (H, W, 3), given the screen's light there."""
    height, width = linear.shape[:2]
    calm = cv2.blur(linear, (3, 3))
    excess = screen.excess(calm) / np.maximum(screen.excess(light.colour), 1e-3)
    away = to_opponent(encode(calm)) - to_opponent(encode(light.colour))
    distance = ((away / (_GATE * screen.noise + _UNEVEN)) ** 2).sum(axis=2)
    is_screen = light.sure | ((distance < 1) & (excess > _SCREEN_EXCESS))
    solid = (excess < _CORE_EXCESS) & ~is_screen
    radius = max(2, round(_RIM * min(height, width) / 360))
    core = cv2.erode(solid.astype(np.uint8), _disc(radius), borderValue=1) > 0
    core |= _enclosed(core, is_screen)
    return Regions(is_screen & ~core, core, ~core & ~is_screen)


def unmix(linear: np.ndarray, light: np.ndarray, screen: Screen, regions: Regions) -> Unmixed:
    """Find the alpha and the colour that explain every unknown pixel best, in ``linear`` (H, W, 3) before ``light``.

    A pixel is alpha F + (1 - alpha) S in linear light, S known, F spread like the core's colours nearby, and off by
    the camera's noise: the most probable alpha, then the most probable F (after Y.-Y. Chuang et al., "A Bayesian
    Approach to Digital Matting", CVPR 2001, with the background given).
    """
    encoded = encode(linear)
    opponent = to_opponent(encoded)
    near, spread = _nearby(opponent, regions.core)
    nearest = _nearest(opponent, regions.core)
    alpha, colour = regions.core.astype(np.float32), encoded.copy()
    where = np.flatnonzero(regions.unknown)
    flat = [each.reshape(-1, 3) for each in (linear, opponent, light, near, nearest, spread)]
    for start in range(0, len(where), _CHUNK):
        part = where[start : start + _CHUNK]
        seen, seen_opponent, behind, mean, other, variance = (each[part] for each in flat)
        pixels = _Pixels(seen, seen_opponent, behind, variance, screen.noise**2 + _bleed(mean, behind))
        alpha.reshape(-1)[part], colour.reshape(-1, 3)[part] = _solve(pixels, mean, other)
    colour[regions.screen] = from_opponent(near[regions.screen]).clip(0, 1)
    return Unmixed(np.where(regions.unknown, _guided(alpha, linear, regions.unknown), alpha), colour)


class _Pixels(NamedTuple):
    """Pixels to be solved, each (N, 3): as seen, the screen ``behind`` in linear light, and two variances, opponent."""

    seen: np.ndarray
    seen_opponent: np.ndarray
    behind: np.ndarray
    variance: np.ndarray
    noise: np.ndarray


def _solve(pixels: _Pixels, near: np.ndarray, nearest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Alpha (N,) and colour (N, 3), encoded, with whichever of two opponent colours (N, 3) explains a pixel better."""
    alpha, cost = _most_probable(pixels, near)
    other_alpha, other_cost = _most_probable(pixels, nearest)
    is_other = other_cost < cost
    alpha = np.where(is_other, other_alpha, alpha)
    return alpha, _own_colour(pixels, np.where(is_other[:, None], nearest, near), alpha)


def _nearby(opponent: np.ndarray, core: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the core's opponent colours around every pixel, each (H, W, 3)."""
    height, width = core.shape
    sigma = max(1.5, _NEARBY * min(height, width))
    # What is smooth needs no full resolution.
    shrink = max(1, int(sigma / 2))
    size = max(1, width // shrink), max(1, height // shrink)
    weight = cv2.resize(core.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    moments = np.concatenate([opponent, opponent**2], axis=2) * core[..., None]
    moments = cv2.resize(moments, size, interpolation=cv2.INTER_AREA) / np.maximum(weight, 1e-6)[..., None]
    mean, weight = smooth(moments, weight, sigma / shrink)
    mean = cv2.resize(fill(mean, np.minimum(1, 8 * weight)), (width, height), interpolation=cv2.INTER_LINEAR)
    return mean[..., :3], np.maximum(mean[..., 3:] - mean[..., :3] ** 2, _LEAST_VARIATION**2)


def _nearest(opponent: np.ndarray, core: np.ndarray) -> np.ndarray:
    """The opponent colour of the nearest core pixel, a little smoothed, at every pixel (H, W, 3)."""
    if not core.any():
        return opponent
    calm, _ = smooth(opponent, core, 1.5)
    kind = cv2.DIST_LABEL_PIXEL
    _, labels = cv2.distanceTransformWithLabels((~core).astype(np.uint8), cv2.DIST_L2, 5, labelType=kind)
    colours = np.zeros((int(labels.max()) + 1, 3), np.float32)
    numbers = labels.astype(np.intp)
    colours[numbers[core]] = calm[core]
    return colours[numbers]


def _bleed(mean: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """Variance of colour (N, 3) from neighbours that differ, by how much person and screen do; luma has none."""
    step = mean - to_opponent(encode(behind))
    step[:, 0] = 0
    return (_CHROMA_BLEED * step) ** 2


def _most_probable(pixels: _Pixels, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Alpha (N,), and what it costs, where the person's colour is ``mean``, opponent (N, 3), give or take."""
    front = to_linear(from_opponent(mean).clip(0, 1))
    cost = np.empty((_STEPS + 1, len(mean)), np.float32)
    for step, alpha in enumerate(np.linspace(0, 1, _STEPS + 1, dtype=np.float32)):
        mixed = to_opponent(encode(alpha * front + (1 - alpha) * pixels.behind))
        total = pixels.noise + alpha**2 * pixels.variance
        cost[step] = ((pixels.seen_opponent - mixed) ** 2 / total + np.log(total)).sum(axis=1)
    best = cost.argmin(axis=0)
    inner = best.clip(1, _STEPS - 1)
    before, middle, after = (cost[inner + offset, np.arange(len(mean))] for offset in (-1, 0, 1))
    # The vertex of the parabola through three neighbours, no further off than they are.
    bend = np.maximum(before - 2 * middle + after, 1e-6)
    shift = np.where(best == inner, (before - after) / (2 * bend), np.sign(best - inner)).clip(-1, 1)
    return ((inner + shift) / _STEPS).clip(0, 1).astype(np.float32), cost.min(axis=0)


def _own_colour(pixels: _Pixels, mean: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The person's colour (N, 3), encoded: the pixel less its screen, trusted as far as alpha lets it be known."""
    alpha = alpha[:, None]
    own = to_opponent(encode((pixels.seen - (1 - alpha) * pixels.behind) / np.maximum(alpha, 0.02)))
    trust = alpha**2 * pixels.variance / (alpha**2 * pixels.variance + pixels.noise)
    return from_opponent(mean + trust * (own - mean)).clip(0, 1)


def _guided(alpha: np.ndarray, linear: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Alpha (H, W) made a linear function of colour in every small window, which takes its noise away, not its hair.

    The guided filter (K. He et al., "Guided Image Filtering", PAMI 2013, section 3.5), right near ``where`` only.
    """
    size = (2 * _WINDOW + 1, 2 * _WINDOW + 1)
    mean, mean_alpha = cv2.blur(linear, size), cv2.blur(alpha, size)
    near = cv2.dilate(where.astype(np.uint8), np.ones(size, np.uint8)) > 0
    together = cv2.blur(linear * alpha[..., None], size)[near] - mean[near] * mean_alpha[near, None]
    spread = np.empty((len(together), 3, 3), np.float32)
    for row, column in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
        products = cv2.blur(linear[..., row] * linear[..., column], size)[near]
        spread[:, row, column] = spread[:, column, row] = products - mean[near, row] * mean[near, column]
    spread += _STIFF * np.eye(3, dtype=np.float32)
    slope, offset = np.zeros_like(linear), np.zeros_like(alpha)
    slope[near] = np.linalg.solve(spread, together[..., None])[..., 0]
    offset[near] = mean_alpha[near] - (slope[near] * mean[near]).sum(axis=1)
    return ((cv2.blur(slope, size) * linear).sum(axis=2) + cv2.blur(offset, size)).clip(0, 1)


def _enclosed(core: np.ndarray, is_screen: np.ndarray) -> np.ndarray:
    """Gaps in the core that hold no screen and do not reach the picture's border."""
    count, labels, _, _ = cv2.connectedComponentsWithStats((~core).astype(np.uint8), connectivity=4)
    numbers = labels.astype(np.intp)
    is_open = np.zeros(count, bool)
    is_open[numbers[is_screen]] = True
    for border in (numbers[0], numbers[-1], numbers[:, 0], numbers[:, -1]):
        is_open[border] = True
    return ~core & ~is_open[numbers]


def _disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
