"""Everything random about a sample, drawn on the CPU by numpy from (seed, sample number); a device only applies it.

A clip's first frame is drawn like a still, and what moves it comes from a stream of its own: a clip of one frame is the
first frame of a longer one.


How the sensors and codecs of two recordings of one scene see it, sampled as numbers."""

from typing import NamedTuple

import numpy as np

from howard.synthesis.random_sampling import Drawn, Generator, held, sometimes
from howard.synthesis.recipe import TakeRecipe

NOISE_TILE = 512  # side of the fixed noise that samples take parts of
# Standard deviations of the noise's spatial correlation, in pixels of a frame 512 pixels wide; the first is none.
CORRELATIONS_PX = (0.0, 0.5, 0.8, 1.2)
# Probability that the noise of a recording depends on the signal; others were denoised to one level by their camera.
_SIGNAL_DEPENDENT = 0.5
# Probability that a dark shot's plate is as dark; else it was filmed in better light.
_BOTH_DARK = 0.6
# Probability that a dark recording was brought back to normal brightness, by the camera's gain or in grading.
_PUSHED = 0.5
# By how much more noise a recording has that lost all of its light, before it is brought back.
_DARK_NOISE = 1.0
# Least noise of a dark recording, as a share of the recipe's largest.
_LEAST_DARK_NOISE = 0.3
# Encoding of light by a camera: a loss of light is a factor on the encoded values.
_GAMMA = 2.2


class BlurDraw(NamedTuple):
    """A lens out of focus and a moving camera, in pixels: ``defocus`` (T,), ``way`` (T, 2) x then y.

    ``defocus`` is the standard deviation of a Gaussian, or where ``disc`` (T,) is 1 that of a disc in each direction.
    """

    defocus: Drawn
    way: Drawn
    disc: Drawn


class Sensor(NamedTuple):
    """What sensor and codec of one recording do; every field (T,).

    ``exposure`` is a factor on the encoded values, ``noise`` one on the noise's standard deviation, and ``least_noise``
    its smallest. ``signal`` is the share of its variance at middle grey that grows with the light, ``correlation``
    (int64) the index of its spatial correlation in :data:`CORRELATIONS_PX`. ``step`` is that of the values, 0 for none.
    Where ``predicts`` is 1 the codec codes frames as differences from the frame before.
    """

    exposure: Drawn
    noise: Drawn
    least_noise: Drawn
    signal: Drawn
    correlation: Drawn
    step: Drawn
    predicts: Drawn


class Sensors(NamedTuple):
    """Those of the two recordings; ``plate`` is given in the shot's exposure, as alignment leaves it."""

    shot: Sensor
    plate: Sensor


class _NoiseModel(NamedTuple):
    signal: float
    correlation: int
    predicts: float


class TakeDraw(NamedTuple):
    """What lens, sensor and codec do to one take.

    ``noise`` (T,) is a standard deviation; ``tile`` (T, 4) int64 says which part of the noise: row, column, and whether
    either is turned round; ``compression`` (T,) is a factor on the quantiser's tables, 0 for none; ``sensor`` is what
    exposure changes about them.
    """

    blur: BlurDraw
    noise: Drawn
    tile: Drawn
    compression: Drawn
    sensor: Sensor


def sample_sensors(shot: TakeRecipe, plate: TakeRecipe, frames: int, rng: Generator) -> Sensors:
    """Sample both recordings' sensors; with recipes that have none of it the result changes nothing."""
    noise, plate_noise = (_sample_noise(each, rng) for each in (shot, plate))
    is_dark, both, plate_alone, is_pushed = rng.random(4) < (
        shot.dark_probability,
        _BOTH_DARK,
        plate.dark_probability * (1 - _BOTH_DARK),
        _PUSHED,
    )
    # Often much of the largest loss: faint losses are within the recipes' other variations.
    share = rng.random() ** 0.5
    loss = shot.dark * share * is_dark
    plate_loss = plate.dark * share * (both if is_dark else plate_alone)
    exposure = 1.0 if is_pushed else _encoded_gain(loss)
    return Sensors(
        _make_sensor(shot.noise, loss, exposure, noise, frames),
        _make_sensor(plate.noise, plate_loss, exposure, plate_noise, frames),
    )


def draw_take(recipe: TakeRecipe, frames: int, unit: float, rng: Generator, sensor: Sensor) -> TakeDraw:
    """Draw what lens, sensor and codec do; only the noise is another in every frame."""
    angle = rng.uniform(0, np.pi)
    way = sometimes(rng, recipe.motion_probability, recipe.motion_px * unit) * np.array([np.cos(angle), np.sin(angle)])
    blur = BlurDraw(
        held(sometimes(rng, recipe.defocus_probability, recipe.defocus_px * unit), frames),
        held(way, frames),
        held(0.0, frames),
    )
    compression = recipe.compression * rng.uniform(0.1, 1)
    compression *= rng.random() < recipe.compression_probability
    noise = sometimes(rng, recipe.noise_probability, recipe.noise)
    # One seed, whatever the number of frames: a clip's first tile is a still's.
    tiles = np.random.default_rng(rng.integers(2**62)).integers(0, NOISE_TILE, (frames, 4))
    tiles[:, 2:] %= 2
    return TakeDraw(blur, held(noise, frames), tiles, held(compression, frames), sensor)


def _encoded_gain(loss: float) -> float:
    return (1 - loss) ** (1 / _GAMMA)


def _make_sensor(largest_noise: float, loss: float, exposure: float, noise: _NoiseModel, frames: int) -> Sensor:
    # From the values that were recorded to those that are shown.
    factor = exposure / _encoded_gain(loss)
    is_dark = loss > 0
    return Sensor(
        exposure=held(exposure, frames),
        noise=held(factor * (1 + _DARK_NOISE * loss), frames),
        least_noise=held(_LEAST_DARK_NOISE * largest_noise * factor * is_dark, frames),
        signal=held(noise.signal, frames),
        correlation=np.full(frames, noise.correlation, np.int64),
        step=held(factor / 255 * is_dark, frames),
        predicts=held(noise.predicts, frames),
    )


def _sample_noise(recipe: TakeRecipe, rng: Generator) -> _NoiseModel:
    depends, share, sigma, predicts = rng.random(4)
    signal = recipe.noise_signal * (1 - 0.1 * share) if depends < _SIGNAL_DEPENDENT else 0.0
    correlation = int(np.abs(np.array(CORRELATIONS_PX) - sigma * recipe.noise_correlation_px).argmin())
    return _NoiseModel(signal, correlation, float(predicts < recipe.prediction_probability))
