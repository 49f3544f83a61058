"""Exposure: known gain and bias are found, with a person in the way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.align.photometric import NEUTRAL, Photometry, fit_photometry

GAINS = st.tuples(*[st.floats(0.6, 1.4)] * 3)
BIASES = st.tuples(*[st.floats(-8, 8)] * 3)


def _plate(seed=0):
    return np.random.default_rng(seed).uniform(30, 150, (40, 60, 3)).astype(np.float32)


@settings(max_examples=20, deadline=None)
@given(GAINS, BIASES)
def test_known_gain_and_bias_are_found_beside_a_person(gain, bias):
    plate = _plate()
    source = plate * np.float32(gain) + np.float32(bias)
    source[10:, 20:40] = (40, 160, 90)
    found = fit_photometry(source, plate, np.ones((40, 60), bool))
    np.testing.assert_allclose(found.apply(plate)[:10], source[:10], atol=1.5)


@pytest.mark.parametrize("bright_columns", [6, 0])
def test_a_person_before_a_place_that_is_black_in_one_channel(bright_columns):
    plate = _plate()
    plate[:, bright_columns:, 2] /= 30
    source = plate * np.float32(1.1)
    source[10:, 20:40] = (200, 190, 180) + plate[10:, 20:40] / 8
    found = fit_photometry(source, plate + np.float32([0, 0, 4]), np.ones((40, 60), bool))
    # Where no pixel of the place shows the channel's gain, it is that of the others.
    np.testing.assert_allclose(found.gain, 1.1, atol=0.02)
    np.testing.assert_allclose(found.bias, 0, atol=6)


def test_clipped_values_do_not_count():
    plate = _plate() + 60
    source = np.minimum(plate * 1.4, 255)
    found = fit_photometry(source, plate, np.ones((40, 60), bool))
    np.testing.assert_allclose(found.gain, 1.4, atol=0.02)


def test_only_usable_pixels_count():
    plate, usable = _plate(), np.zeros((40, 60), bool)
    usable[:, :20] = True
    source = plate.copy()
    source[:, 20:] += 50
    np.testing.assert_allclose(fit_photometry(source, plate, usable).apply(plate)[:, :20], plate[:, :20], atol=0.1)


@pytest.mark.parametrize("level", [0.0, 255.0])
def test_nothing_to_fit_is_neutral(level):
    flat = np.full((40, 60, 3), level, np.float32)
    assert fit_photometry(flat, flat, np.ones((40, 60), bool)) is NEUTRAL


def test_one_flat_tone_moves_the_gain_alone():
    flat = np.full((40, 60, 3), 100, np.float32)
    found = fit_photometry(flat * 1.2, flat, np.ones((40, 60), bool))
    np.testing.assert_allclose(found.gain, 1.2, atol=1e-5)
    np.testing.assert_allclose(found.bias, 0, atol=1e-5)


def test_rounding_agrees_with_arithmetic():
    image = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    photometry = NEUTRAL._replace(gain=np.float32([1.3, 0.7, 1]), bias=np.float32([-3, 2, 0.4]))
    expected = np.rint(np.clip(photometry.apply(image), 0, 255))
    np.testing.assert_array_equal(photometry.apply_rounded(image), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_pictures_of_every_kind_are_exposed_in_levels(dtype):
    levels = np.random.default_rng(0).integers(0, 256, (6, 7, 3))
    scale = {np.uint8: 1, np.uint16: 257, np.float32: np.float32(1 / 255)}[dtype]
    photometry = Photometry(np.array([1.2, 0.9, 1.0], np.float32), np.array([3, -2, 0.5], np.float32))
    exposed = photometry.expose((levels * scale).astype(dtype))
    assert exposed.dtype == np.float32
    np.testing.assert_allclose(exposed, levels * photometry.gain + photometry.bias, atol=1e-3)
