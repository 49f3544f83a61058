"""Noise follows its law, whatever the exposure, and nothing changes where nothing was sampled."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.colour import mix
from howard.synthesis import Recipe, level_recipe, with_lessons
from howard.synthesis.batch_rendering import film
from howard.synthesis.camera_degradation import add_noise, correlate, quantise
from howard.synthesis.camera_parameters import CORRELATIONS_PX, BlurDraw, Sensor, TakeDraw, sample_sensors
from howard.synthesis.recipe import TakeRecipe
from tests.synthesis.conftest import FRAME, make_shoot, without_noise

SIZE = (48, 64)
DARK = TakeRecipe(noise=0.02, dark_probability=1.0, dark=0.85)


def picture(count: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, *SIZE, generator=torch.Generator().manual_seed(0))


def noise_of(sigma: list[float], parts: list[list[int]], signal: float = 0.0, correlation: int = 0) -> TakeDraw:
    none, one = torch.zeros(len(sigma)), torch.ones(len(sigma))
    sensor = Sensor(
        exposure=one,
        noise=one,
        least_noise=none,
        signal=torch.full_like(none, signal),
        correlation=torch.full((len(sigma),), correlation),
        step=none,
        predicts=none,
    )
    still = BlurDraw(none, torch.zeros(len(sigma), 2), none)
    return TakeDraw(still, torch.tensor(sigma), torch.tensor(parts), none, sensor)


@pytest.mark.parametrize("size", [(48, 64), (600, 520)])
def test_noise_has_its_deviation_at_any_size(size: tuple[int, int]) -> None:
    grey = torch.full((2, 3, *size), 0.5)
    noisy = add_noise(grey, noise_of([0.02, 0.0], [[500, 3, 1, 0], [0, 0, 0, 0]]))
    assert abs(float(noisy[0].std()) - 0.02) < 0.002
    assert torch.equal(noisy[1], grey[1])


def test_noise_is_another_part_of_the_same_tile() -> None:
    grey = torch.full((3, 3, *SIZE), 0.5)
    first, moved, turned = add_noise(grey, noise_of([0.02] * 3, [[10, 20, 0, 0], [15, 20, 0, 0], [10, 20, 1, 0]]))
    torch.testing.assert_close(first[:, 5:], moved[:, :-5])
    torch.testing.assert_close(first, turned.flip(1))


@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
@pytest.mark.parametrize("grey", [0.2, 0.5, 0.8])
def test_the_variance_grows_with_the_light(share: float, grey: float) -> None:
    """a + b L in the light, L the square of the encoded value; at middle grey it is sigma squared."""
    sigma = 0.01
    image = torch.full((1, 3, 256, 256), grey)
    noisy = add_noise(image, noise_of([sigma], [[0, 0, 0, 0]], signal=share))
    variance = float((noisy.square() - grey**2).var())
    assert variance == pytest.approx(sigma**2 * (1 - share + share * grey**2 / 0.25), rel=0.05)


@pytest.mark.parametrize("level", range(len(CORRELATIONS_PX)))
def test_correlated_noise_keeps_its_variance(level: int) -> None:
    grey = torch.full((1, 3, 512, 512), 0.5)
    noise = add_noise(grey, noise_of([0.02], [[3, 5, 0, 0]], correlation=level)) - 0.5
    assert float(noise.std()) == pytest.approx(0.02, rel=0.03)
    neighbours = float((noise[..., 1:] * noise[..., :-1]).mean() / noise.square().mean())
    # A Gaussian of standard deviation s correlates neighbours by exp(-1 / (4 s^2)).
    sigma = CORRELATIONS_PX[level]
    expected = float(np.exp(-1 / (4 * sigma**2))) if sigma else 0.0
    assert neighbours == pytest.approx(expected, abs=0.12)


def test_a_correlated_tile_stays_periodic() -> None:
    tile = np.random.default_rng(0).standard_normal((1, 64, 64), np.float32)
    turned = correlate(np.roll(tile, (5, 9), axis=(1, 2)), 1.5)
    np.testing.assert_allclose(turned, np.roll(correlate(tile, 1.5), (5, 9), axis=(1, 2)), atol=1e-4)


def test_values_are_rounded_to_their_step() -> None:
    image = picture(2)
    rounded = quantise(image, torch.tensor([0.0, 0.1]))
    assert torch.equal(rounded[0], image[0])
    assert len(rounded[1].unique()) <= 11
    assert (rounded[1] - image[1]).abs().max() <= 0.05 + 1e-6


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31))
def test_recipes_without_it_sample_sensors_that_change_nothing(seed: int) -> None:
    plain = TakeRecipe(noise_probability=1.0)
    for sensor in sample_sensors(plain, plain, 2, np.random.default_rng(seed)):
        assert (sensor.exposure == 1).all()
        assert (sensor.noise == 1).all()
        for none in (sensor.least_noise, sensor.signal, sensor.correlation, sensor.step, sensor.predicts):
            assert (none == 0).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31))
def test_dark_recordings_are_noisier_than_their_light(seed: int) -> None:
    shot, plate = sample_sensors(DARK, DARK, 1, np.random.default_rng(seed))
    assert shot.exposure == plate.exposure, "the plate is given in the shot's exposure"
    assert 0.4 < float(shot.exposure[0]) <= 1
    assert shot.least_noise > 0
    assert shot.step >= shot.exposure / 255 - 1e-7
    # Against the light that is left, there is more noise than there would be by day.
    assert shot.noise[0] / shot.exposure[0] >= 1
    assert plate.noise[0] <= shot.noise[0] + 1e-6


def test_dark_samples_keep_their_truth() -> None:
    recipe = without_noise(level_recipe(0.5))
    dark = replace(recipe, source=replace(recipe.source, noise=0.0, dark_probability=1.0, dark=0.85))
    by_day, sample = (film(make_shoot(each, [1, 2, 3, 4]), FRAME, "linear") for each in (recipe, dark))
    expected = mix(sample.foreground, sample.background, sample.alpha, linear_light=True)
    assert (sample.source - expected).abs().max() < 4 / 255, "to the steps of the values"
    assert torch.equal(sample.alpha, by_day.alpha)
    assert sample.source.mean() < 0.95 * by_day.source.mean()
    light = sample.background.mean(dim=(1, 2, 3, 4)) / by_day.background.mean(dim=(1, 2, 3, 4))
    plate = sample.plate.mean(dim=(1, 2, 3, 4)) / by_day.plate.mean(dim=(1, 2, 3, 4))
    torch.testing.assert_close(plate, light, atol=0.03, rtol=0)


def test_the_lessons_are_a_pure_function_of_the_number() -> None:
    recipe: Recipe = with_lessons(level_recipe(0.55))
    first, again = (film(make_shoot(recipe, [5, 6], frames=3), FRAME, "linear") for _ in range(2))
    assert all(torch.equal(*pair) for pair in zip(first, again, strict=True))
    still = film(make_shoot(recipe, [5, 6]), FRAME, "linear")
    for field, image in still._asdict().items():
        torch.testing.assert_close(image[:, 0], getattr(first, field)[:, 0], atol=1e-4, rtol=0)
