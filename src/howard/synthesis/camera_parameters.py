"""Sampling the parameters of lens, sensor and codec for shot and plate; all on the CPU.

:mod:`howard.synthesis.camera_degradation` applies them.
"""

from typing import NamedTuple

import numpy as np

from howard.synthesis.random_sampling import Generator, Sampled, bernoulli_gate, broadcast
from howard.synthesis.recipe import CameraRecipe

NOISE_TILE = 512  # side of the fixed noise tile, in pixels
# Standard deviations of the Gaussian that correlates noise spatially, in recipe pixels; the first is none.
CORRELATIONS_PX = (0.0, 0.5, 0.8, 1.2)
# Probability that the noise depends on the signal. Other recordings were denoised in the camera to a constant level.
_SIGNAL_DEPENDENT = 0.5
# Probability that the plate of an underexposed shot is underexposed as well.
_BOTH_DARK = 0.6
# Probability that an underexposed recording was brightened again, by the camera's gain or in grading.
_PUSHED = 0.5
# Relative increase of the noise for a recording that lost all of its light, before it is brightened.
_DARK_NOISE = 1.0
# Smallest noise of an underexposed recording, as a fraction of the recipe's largest.
_LEAST_DARK_NOISE = 0.3
# Encoding gamma of a camera: a loss of light is a factor on the encoded values.
_GAMMA = 2.2


class BlurParameters(NamedTuple):
    """Defocus and motion blur, in pixels: ``defocus`` (T,), ``motion_vector`` (T, 2) as (x, y) over the exposure.

    ``defocus`` is a standard deviation in each direction: of a disc where ``disc`` (T,) is 1, else of a Gaussian.
    """

    defocus: Sampled
    motion_vector: Sampled
    disc: Sampled


class SensorParameters(NamedTuple):
    """Sensor and codec of one recording; every field is (T,).

    ``exposure`` is a factor on the encoded values and ``noise`` a factor on the standard deviation of the noise, whose
    minimum is ``least_noise``. ``signal`` is the fraction of the noise variance at middle grey that is proportional to
    the light (shot noise). ``correlation`` (int64) indexes :data:`CORRELATIONS_PX`. ``step`` is the quantisation step
    of the values, 0 for none. Where ``predicts`` is 1 the codec codes frames as differences from the previous frame.
    """

    exposure: Sampled
    noise: Sampled
    least_noise: Sampled
    signal: Sampled
    correlation: Sampled
    step: Sampled
    predicts: Sampled


class SensorPair(NamedTuple):
    """Parameters of both recordings; the plate's are relative to the shot's exposure, to which it is aligned."""

    shot: SensorParameters
    plate: SensorParameters


class _NoiseModel(NamedTuple):
    signal: float
    correlation: int
    predicts: float


class CameraParameters(NamedTuple):
    """Lens, sensor and codec of one recording.

    ``noise`` (T,) is a standard deviation. ``tile`` (T, 4) int64 selects the part of the noise tile: row, column, and
    whether rows and columns are reversed. ``compression`` (T,) is a factor on the quantisation tables, 0 for none.
    ``sensor`` holds what depends on the exposure.
    """

    blur: BlurParameters
    noise: Sampled
    tile: Sampled
    compression: Sampled
    sensor: SensorParameters


def sample_sensors(shot: CameraRecipe, plate: CameraRecipe, frames: int, rng: Generator) -> SensorPair:
    """Sample the sensors of both recordings; recipes without such effects give parameters that change nothing."""
    noise, plate_noise = (_sample_noise(each, rng) for each in (shot, plate))
    is_dark, both, plate_alone, is_pushed = rng.random(4) < (
        shot.dark_probability,
        _BOTH_DARK,
        plate.dark_probability * (1 - _BOTH_DARK),
        _PUSHED,
    )
    # The square root favours large losses: small ones are covered by the other variations of a recipe.
    fraction = rng.random() ** 0.5
    loss = shot.dark * fraction * is_dark
    plate_loss = plate.dark * fraction * (both if is_dark else plate_alone)
    exposure = 1.0 if is_pushed else _encoded_gain(loss)
    return SensorPair(
        _make_sensor(shot.noise, loss, exposure, noise, frames),
        _make_sensor(plate.noise, plate_loss, exposure, plate_noise, frames),
    )


def sample_camera(
    recipe: CameraRecipe, frames: int, unit: float, rng: Generator, sensor: SensorParameters
) -> CameraParameters:
    """Sample lens, sensor and codec of a recording; only the noise differs from frame to frame.

    Args:
        recipe: probabilities and strengths.
        frames: T, of the clip.
        unit: frame pixels per recipe pixel.
        rng: random generator.
        sensor: of the same recording.
    """
    angle = rng.uniform(0, np.pi)
    motion_vector = bernoulli_gate(rng, recipe.motion_probability, recipe.motion_px * unit) * np.array(
        [np.cos(angle), np.sin(angle)]
    )
    blur = BlurParameters(
        broadcast(bernoulli_gate(rng, recipe.defocus_probability, recipe.defocus_px * unit), frames),
        broadcast(motion_vector, frames),
        broadcast(0.0, frames),
    )
    compression = recipe.compression * rng.uniform(0.1, 1)
    compression *= rng.random() < recipe.compression_probability
    noise = bernoulli_gate(rng, recipe.noise_probability, recipe.noise)
    # One seed for any number of frames: the first tile of a clip equals that of a still.
    tiles = np.random.default_rng(rng.integers(2**62)).integers(0, NOISE_TILE, (frames, 4))
    tiles[:, 2:] %= 2
    return CameraParameters(blur, broadcast(noise, frames), tiles, broadcast(compression, frames), sensor)


def _encoded_gain(loss: float) -> float:
    return (1 - loss) ** (1 / _GAMMA)


def _make_sensor(
    largest_noise: float, loss: float, exposure: float, noise: _NoiseModel, frames: int
) -> SensorParameters:
    # From the recorded values to the displayed ones.
    factor = exposure / _encoded_gain(loss)
    is_dark = loss > 0
    return SensorParameters(
        exposure=broadcast(exposure, frames),
        noise=broadcast(factor * (1 + _DARK_NOISE * loss), frames),
        least_noise=broadcast(_LEAST_DARK_NOISE * largest_noise * factor * is_dark, frames),
        signal=broadcast(noise.signal, frames),
        correlation=np.full(frames, noise.correlation, np.int64),
        step=broadcast(factor / 255 * is_dark, frames),
        predicts=broadcast(noise.predicts, frames),
    )


def _sample_noise(recipe: CameraRecipe, rng: Generator) -> _NoiseModel:
    depends, fraction, sigma, predicts = rng.random(4)
    signal = recipe.noise_signal * (1 - 0.1 * fraction) if depends < _SIGNAL_DEPENDENT else 0.0
    correlation = int(np.abs(np.array(CORRELATIONS_PX) - sigma * recipe.noise_correlation_px).argmin())
    return _NoiseModel(signal, correlation, float(predicts < recipe.prediction_probability))
