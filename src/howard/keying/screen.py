"""Finds a clip's green or blue screen, and models its colour in every frame, also behind the person."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from howard.errors import InputError
from howard.keying.image_operations import encode, fill, smooth, to_linear, to_opponent

SCREENS = ("auto", "green", "blue")

# Hue ranges in degrees: from yellow-green to turquoise, and from there to violet.
_HUES = {"green": (50, 175), "blue": (175, 270)}
# Bin width of the hue histogram, and the half-width of the screen's range around its peak, in degrees.
_HUE_BIN = 5
_HUE_RANGE = 18
# Least saturation and value (HSV of encoded colours) of a screen.
_MIN_SATURATION = 0.35
_MIN_VALUE = 0.15
# Least fraction of the frame for a screen to be found, and if the user names its colour.
_MIN_FRACTION = 0.05
_MIN_FRACTION_NAMED = 0.005
# Fraction of the largest channel from which another channel is a primary of the screen too: yellow-green has two.
_SECOND_PRIMARY = 0.6
# Least excess, as a fraction of the screen's at equal brightness, and least brightness of a pixel of the screen.
_MIN_PURITY = 0.8
_MIN_BRIGHTNESS = 0.12
# Standard deviation of the blur before gradients are measured, in pixels at a height of 360.
_GRADIENT_SIGMA = 1.2
# Largest gradient of certain screen, in encoded luma per pixel at a height of 360: hair and motion blur of dark clothes
# are as pure as a shadow on the screen, but have larger gradients.
_MAX_GRADIENT = 0.015
# Radius by which certain screen is eroded, in pixels at a height of 360.
_EROSION = 4.0
# Weights of the channels that a yellow-green screen lacks, from which the least sufficient one is chosen.
_BALANCES = np.arange(1.0, 4.01, 0.2)
# Largest excess left in 90 % of the pixels below this purity, with a sufficient weight.
_MAX_EXCESS_LEFT = 0.02
_MAX_PURITY_OF_OTHERS = 0.4
# Long side of the screen model in pixels, and the standard deviation of its smoothing in these pixels.
_MODEL_SIDE = 160
_MODEL_SIGMA = 2.0
# Pixels of a frame from which global statistics are estimated.
_STATISTICS_PIXELS = 20_000
# Least standard deviation of noise in encoded values: half an 8-bit level.
_MIN_NOISE = 0.5 / 255


class Screen(NamedTuple):
    """What all frames of a clip have in common.

    ``name`` is green or blue. ``colour`` is the screen's in linear light, (3,). ``noise`` is the standard deviation of
    encoded luma and colour differences on the screen, (3,). ``balance`` is the weight of the channels that the screen
    lacks.
    """

    name: str
    colour: np.ndarray
    noise: np.ndarray
    balance: float = 1.0

    def excess(self, linear: np.ndarray) -> np.ndarray:
        """Colour difference of linear light (..., 3): 1 for the screen's own colour, at most 0 for greys.

        The colour-difference key of P. Vlahos (US patent 3,158,477), generalised to any saturated hue: the minimum of
        the screen's primary channels, scaled to equal size, minus the maximum of the other channels.
        """
        return self._colour_difference(linear, np.max)

    def spill(self, linear: np.ndarray) -> np.ndarray:
        """Spill of the screen's light in linear light (..., 3), (...), at least 0.

        Relative to the average of the maximum and the mean of the other channels: the maximum alone leaves dark
        clothes cyan, the mean alone turns skin pink.
        """
        return self._colour_difference(
            linear, lambda values, axis: (np.max(values, axis) + np.mean(values, axis)) / 2
        ).clip(0)

    def _colour_difference(self, linear: np.ndarray, limit: Callable[..., np.ndarray]) -> np.ndarray:
        is_primary = self.colour >= _SECOND_PRIMARY * self.colour.max()
        scale = self.colour[is_primary].max() / self.colour[is_primary]
        allowed = self.balance * limit(linear[..., ~is_primary], axis=-1)
        own = self.colour.max() - self.balance * limit(self.colour[~is_primary], axis=-1)
        return ((linear[..., is_primary] * scale).min(axis=-1) - allowed) / own

    def is_pure(self, linear: np.ndarray) -> np.ndarray:
        """Whether pixels (..., 3) have the screen's hue and saturation, whatever their brightness unless very dark."""
        brightness = linear.max(axis=-1) / self.colour.max()
        return (self.excess(linear) > _MIN_PURITY * brightness) & (brightness > _MIN_BRIGHTNESS)


def find_screen(images: Sequence[np.ndarray], choice: str = "auto") -> Screen:
    """Find the screen that frames of one clip have in common; ``images`` as in `Frame`, ``choice`` one of SCREENS.

    Raises InputError, with the fractions found, if no saturated hue covers enough of the frames.
    """
    pixels = np.concatenate([_subsample(to_linear(image)) for image in images])
    name, colour = _find_colour(pixels, choice)
    screen = Screen(name, colour, np.full(3, _MIN_NOISE, np.float32))
    screen = screen._replace(balance=_find_balance(screen, pixels))
    noise = np.array([_measure_noise(to_linear(image), screen) for image in images])
    measured = noise[~np.isnan(noise[:, 0])]
    typical = np.median(measured, axis=0) if len(measured) else screen.noise
    return screen._replace(noise=np.maximum(typical, _MIN_NOISE).astype(np.float32))


class ScreenModel(NamedTuple):
    """A frame's screen: its ``colour`` (H, W, 3) in linear light, everywhere, and where it ``is_certain``, (H, W)."""

    colour: np.ndarray
    is_certain: np.ndarray


def model_screen(linear: np.ndarray, screen: Screen) -> ScreenModel:
    """The screen's smooth colour at every pixel of (H, W, 3) linear light, also behind the person, shadows included.

    Interpolated from pixels that are certainly screen; the clip's screen colour if the frame has none.
    """
    height, width = linear.shape[:2]
    certain = _certain_screen(linear, screen)
    if not certain.any():
        return ScreenModel(np.broadcast_to(screen.colour, linear.shape), certain)
    factor = max(1.0, max(height, width) / _MODEL_SIDE)
    size = max(2, round(width / factor)), max(2, round(height / factor))
    weight = cv2.resize(certain.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    colours = cv2.resize(linear * certain[..., None], size, interpolation=cv2.INTER_AREA)
    mean, mean_weight = smooth(colours / np.maximum(weight, 1e-6)[..., None], weight, _MODEL_SIGMA)
    colour = fill(mean, np.minimum(1, 4 * mean_weight))
    return ScreenModel(cv2.resize(colour, (width, height), interpolation=cv2.INTER_LINEAR), certain)


def _certain_screen(linear: np.ndarray, screen: Screen) -> np.ndarray:
    """Pixels (H, W) that are certainly screen, bool: pure colour, small gradient, and not near other pixels."""
    unit = min(linear.shape[:2]) / 360
    blurred = cv2.GaussianBlur(linear, (0, 0), max(0.8, _GRADIENT_SIGMA * unit))
    luma = to_opponent(encode(blurred))[..., 0]
    gradient = np.hypot(cv2.Scharr(luma, cv2.CV_32F, 1, 0), cv2.Scharr(luma, cv2.CV_32F, 0, 1)) * (unit / 32)
    pure = (screen.is_pure(blurred) & (gradient < _MAX_GRADIENT)).astype(np.uint8)
    radius = max(2, round(_EROSION * unit))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.erode(pure, kernel, borderValue=1) > 0


def _subsample(linear: np.ndarray) -> np.ndarray:
    """A frame (H, W, 3) reduced to about ``_STATISTICS_PIXELS`` pixels, (N, 3), each the mean of a small area."""
    factor = max(1.0, (linear.shape[0] * linear.shape[1] / _STATISTICS_PIXELS) ** 0.5)
    size = max(1, round(linear.shape[1] / factor)), max(1, round(linear.shape[0] / factor))
    return cv2.resize(linear, size, interpolation=cv2.INTER_AREA).reshape(-1, 3)


def _find_colour(pixels: np.ndarray, choice: str) -> tuple[str, np.ndarray]:
    """The screen's name and median colour in linear light, (3,), from linear pixels (N, 3)."""
    hue, saturation, value = np.moveaxis(cv2.cvtColor(encode(pixels)[None], cv2.COLOR_RGB2HSV)[0], -1, 0)
    is_saturated = (saturation > _MIN_SATURATION) & (value > _MIN_VALUE)
    masks = {name: is_saturated & (hue >= low) & (hue < high) for name, (low, high) in _HUES.items()}
    fractions = {name: float(mask.mean()) for name, mask in masks.items()}
    name = max(fractions, key=lambda each: fractions[each]) if choice == "auto" else choice
    if fractions[name] < (_MIN_FRACTION if choice == "auto" else _MIN_FRACTION_NAMED):
        found = " and ".join(f"{each} {fraction:.0%}" for each, fraction in fractions.items())
        wanted = "green or blue" if choice == "auto" else choice
        cure = "set screen=green or screen=blue" if choice == "auto" else "choose another screen="
        raise InputError(f"no {wanted} screen found, {found} of the picture; {cure}, or film it larger and evenly lit")
    low, high = _HUES[name]
    counts, edges = np.histogram(hue[masks[name]], bins=(high - low) // _HUE_BIN, range=(low, high))
    peak = edges[counts.argmax()] + _HUE_BIN / 2
    return name, np.median(pixels[masks[name] & (np.abs(hue - peak) < _HUE_RANGE)], axis=0).astype(np.float32)


def _find_balance(screen: Screen, pixels: np.ndarray) -> float:
    """The weight of the lacking channels at which skin has no excess of a yellow-green screen; 1 for pure green.

    ``pixels`` are linear, (N, 3), of the clip. It is the least weight that leaves no excess in pixels off the screen.
    """
    if (screen.colour >= _SECOND_PRIMARY * screen.colour.max()).sum() == 1:
        return 1.0
    balance = 1.0
    for balance in map(float, _BALANCES):
        candidate = screen._replace(balance=balance)
        brightness = pixels.max(axis=1) / screen.colour.max()
        others = pixels[candidate.excess(pixels) < _MAX_PURITY_OF_OTHERS * brightness]
        if not len(others) or np.quantile(candidate.excess(others), 0.9) < _MAX_EXCESS_LEFT:
            break
    return balance


def _measure_noise(linear: np.ndarray, screen: Screen) -> np.ndarray:
    """Standard deviation (from the MAD) of encoded opponent colour around the model, (3,); NaN without screen."""
    model = model_screen(linear, screen)
    if not model.is_certain.any():
        return np.full(3, np.nan)
    seen, expected = linear[model.is_certain], model.colour[model.is_certain]
    difference = to_opponent(encode(seen)) - to_opponent(encode(expected))
    return 1.4826 * np.median(np.abs(difference - np.median(difference, axis=0)), axis=0)
