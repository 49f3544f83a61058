"""Finding the screen in a clip, and modelling its light in every frame, also behind the person."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from howard.errors import InputError
from howard.keying.fill import fill, smooth
from howard.keying.light import encode, to_linear, to_opponent

SCREENS = ("auto", "green", "blue")

# Hue in degrees: from yellow-green walls to turquoise ones, and from there to violet.
_HUES = {"green": (50, 175), "blue": (175, 270)}
_HUE_BIN, _HUE_REACH = 5, 18  # of the histogram, and around its peak what is the screen's
_COLOURED, _LIT = 0.35, 0.15  # least saturation and value of a screen, encoded
# Of the picture, to be found, and where somebody says that it is there.
_SMALLEST_SHARE, _SMALLEST_NAMED = 0.05, 0.005
# A channel that is so large beside the largest is the screen's too: yellow-green has two.
_RIVAL = 0.6
# A pixel is the screen's where it is nearly as pure as the screen, and not in the dark.
_PURE, _DARKEST = 0.8, 0.12
# Hair and the blur of black clothes are as pure as a shadow, but steeper: in encoded luma a pixel, at 360 rows.
_CALM, _STEEP, _MARGIN = 1.2, 0.015, 4.0
# Weights to try for what a yellow-green screen lacks, and the excess that may be left in nine tenths of what is less
# than so pure a screen.
_BALANCES, _EXCESS_LEFT, _IMPURE = np.arange(1.0, 4.01, 0.2), 0.02, 0.4
_MODEL_SIDE, _MODEL_SIGMA = 160, 2.0  # of the model's long side, and its smoothing, in its own pixels
_SAMPLES = 20_000  # of a picture, for what is the same all over it
_LEAST_NOISE = 0.5 / 255


class Screen(NamedTuple):
    """What is the same in all frames of a clip.

    ``name`` is green or blue; ``colour`` the screen's in linear light, (3,); ``noise`` the standard deviation on the
    screen of encoded luma and colour differences, (3,); ``balance`` weighs the channels that the screen lacks.
    """

    name: str
    colour: np.ndarray
    noise: np.ndarray
    balance: float = 1.0

    def excess(self, linear: np.ndarray) -> np.ndarray:
        """How much of the screen's colour is in linear (..., 3): 1 for its own, at most 0 for greys.

        The colour difference of P. Vlahos' blue-screen key (US patent 3,158,477), for any saturated hue: the least of
        the channels that the screen has, scaled alike, less the largest of those that it lacks.
        """
        return self._above(linear, np.max)

    def spill(self, linear: np.ndarray) -> np.ndarray:
        """How much light of the screen is on a person, (...), at least 0.

        What the screen's channels have over the middle between the larger and the mean of the others: between two
        rules of thumb, of which one leaves dark clothes cyan and the other turns skin pink.
        """
        return self._above(linear, lambda values, axis: (np.max(values, axis) + np.mean(values, axis)) / 2).clip(0)

    def _above(self, linear: np.ndarray, limit: Callable[..., np.ndarray]) -> np.ndarray:
        has = self.colour >= _RIVAL * self.colour.max()
        scale = self.colour[has].max() / self.colour[has]
        allowed = self.balance * limit(linear[..., ~has], axis=-1)
        own = self.colour.max() - self.balance * limit(self.colour[~has], axis=-1)
        return ((linear[..., has] * scale).min(axis=-1) - allowed) / own

    def is_pure(self, linear: np.ndarray) -> np.ndarray:
        """Whether pixels (..., 3) have the screen's hue and saturation at any brightness but the darkest, bool."""
        brightness = linear.max(axis=-1) / self.colour.max()
        return (self.excess(linear) > _PURE * brightness) & (brightness > _DARKEST)


def find_screen(images: Sequence[np.ndarray], choice: str = "auto") -> Screen:
    """Find the screen that pictures of one clip share; ``images`` as in `Frame`, ``choice`` one of SCREENS.

    Raises InputError where no saturated hue covers enough, saying what was found.
    """
    pixels = np.concatenate([_thinned(to_linear(image)) for image in images])
    name, colour = _reference(pixels, choice)
    screen = Screen(name, colour, np.full(3, _LEAST_NOISE, np.float32))
    screen = screen._replace(balance=_balance(screen, pixels))
    noise = np.array([_noise(to_linear(image), screen) for image in images])
    seen = noise[~np.isnan(noise[:, 0])]
    typical = np.median(seen, axis=0) if len(seen) else screen.noise
    return screen._replace(noise=np.maximum(typical, _LEAST_NOISE).astype(np.float32))


class ScreenLight(NamedTuple):
    """A frame's screen: ``colour`` (H, W, 3) in linear light, everywhere, and where it was ``sure`` to be seen."""

    colour: np.ndarray
    sure: np.ndarray


def screen_light(linear: np.ndarray, screen: Screen) -> ScreenLight:
    """The screen's own colour at every pixel of (H, W, 3), behind the person too, smooth; shadows on it are part of it.

    Learnt from the pixels that are surely the screen's; the clip's own colour where a picture has none.
    """
    height, width = linear.shape[:2]
    sure = _sure_screen(linear, screen)
    if not sure.any():
        return ScreenLight(np.broadcast_to(screen.colour, linear.shape), sure)
    factor = max(1.0, max(height, width) / _MODEL_SIDE)
    size = max(2, round(width / factor)), max(2, round(height / factor))
    weight = cv2.resize(sure.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    colours = cv2.resize(linear * sure[..., None], size, interpolation=cv2.INTER_AREA)
    mean, mean_weight = smooth(colours / np.maximum(weight, 1e-6)[..., None], weight, _MODEL_SIGMA)
    light = fill(mean, np.minimum(1, 4 * mean_weight))
    return ScreenLight(cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR), sure)


def _sure_screen(linear: np.ndarray, screen: Screen) -> np.ndarray:
    """Pixels (H, W) that are the screen and nothing else, bool: pure, flat, and away from what is not."""
    unit = min(linear.shape[:2]) / 360
    calm = cv2.GaussianBlur(linear, (0, 0), max(0.8, _CALM * unit))
    luma = to_opponent(encode(calm))[..., 0]
    steep = np.hypot(cv2.Scharr(luma, cv2.CV_32F, 1, 0), cv2.Scharr(luma, cv2.CV_32F, 0, 1)) * (unit / 32)
    pure = (screen.is_pure(calm) & (steep < _STEEP)).astype(np.uint8)
    radius = max(2, round(_MARGIN * unit))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.erode(pure, kernel, borderValue=1) > 0


def _thinned(linear: np.ndarray) -> np.ndarray:
    """About ``_SAMPLES`` pixels of a picture (H, W, 3), as (N, 3), each a small area's mean."""
    factor = max(1.0, (linear.shape[0] * linear.shape[1] / _SAMPLES) ** 0.5)
    size = max(1, round(linear.shape[1] / factor)), max(1, round(linear.shape[0] / factor))
    return cv2.resize(linear, size, interpolation=cv2.INTER_AREA).reshape(-1, 3)


def _reference(pixels: np.ndarray, choice: str) -> tuple[str, np.ndarray]:
    """The screen's name and median colour in linear light, (3,), from linear pixels (N, 3)."""
    hue, saturation, value = np.moveaxis(cv2.cvtColor(encode(pixels)[None], cv2.COLOR_RGB2HSV)[0], -1, 0)
    coloured = (saturation > _COLOURED) & (value > _LIT)
    masks = {name: coloured & (hue >= low) & (hue < high) for name, (low, high) in _HUES.items()}
    shares = {name: float(mask.mean()) for name, mask in masks.items()}
    name = max(shares, key=lambda each: shares[each]) if choice == "auto" else choice
    if shares[name] < (_SMALLEST_SHARE if choice == "auto" else _SMALLEST_NAMED):
        found = " and ".join(f"{each} {share:.0%}" for each, share in shares.items())
        wanted = "green or blue" if choice == "auto" else choice
        cure = "say screen=green or screen=blue" if choice == "auto" else "choose another screen="
        raise InputError(f"no {wanted} screen found, {found} of the picture; {cure}, or film it larger and evenly lit")
    low, high = _HUES[name]
    counts, edges = np.histogram(hue[masks[name]], bins=(high - low) // _HUE_BIN, range=(low, high))
    peak = edges[counts.argmax()] + _HUE_BIN / 2
    return name, np.median(pixels[masks[name] & (np.abs(hue - peak) < _HUE_REACH)], axis=0).astype(np.float32)


def _balance(screen: Screen, pixels: np.ndarray) -> float:
    """The weight of the lacking channels for which skin holds nothing of a yellow-green screen; 1 for true green.

    ``pixels`` are linear, (N, 3), of the clip. The least weight is sought that leaves no excess in what is no screen.
    """
    if (screen.colour >= _RIVAL * screen.colour.max()).sum() == 1:
        return 1.0
    balance = 1.0
    for balance in map(float, _BALANCES):
        candidate = screen._replace(balance=balance)
        brightness = pixels.max(axis=1) / screen.colour.max()
        others = pixels[candidate.excess(pixels) < _IMPURE * brightness]
        if not len(others) or np.quantile(candidate.excess(others), 0.9) < _EXCESS_LEFT:
            break
    return balance


def _noise(linear: np.ndarray, screen: Screen) -> np.ndarray:
    """The standard deviation of encoded luma and colour differences around the screen's model, (3,); NaN if unseen."""
    light = screen_light(linear, screen)
    if not light.sure.any():
        return np.full(3, np.nan)
    away = to_opponent(encode(linear[light.sure])) - to_opponent(encode(light.colour[light.sure]))
    return 1.4826 * np.median(np.abs(away - np.median(away, axis=0)), axis=0)
