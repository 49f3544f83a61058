"""Colours of soft pixels: what is known must come out."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.colour import mix
from howard.media import to_depth
from howard.pipeline.cutout import find_soft, round_alpha
from howard.pipeline.foreground import estimate_foreground, look_around

RED = np.float32([0.8, 0.2, 0.1])
BLUE = np.float32([0.1, 0.3, 0.9])


def edge(width=3.0, size=64):
    """Alpha of a half plane with a soft edge so many pixels wide."""
    columns = np.arange(size, dtype=np.float32) - size / 2
    return np.tile(np.clip(columns / width + 0.5, 0, 1), (size, 1))


def scene(alpha, linear_light=True):
    """A red person over a blue place."""
    source = to_depth(mix(RED, BLUE, alpha[..., None], linear_light).astype(np.float32), np.uint8)
    plate = to_depth(np.broadcast_to(BLUE, source.shape).astype(np.float32), np.uint8)
    return source, plate


def estimate(alpha, network, coverage=1.0, dtype=np.uint8, linear_light=True):
    source, plate = (to_depth(image, dtype) for image in scene(alpha, linear_light))
    soft = find_soft(round_alpha(alpha, np.uint8))
    covered = np.full(alpha.shape, coverage, np.float32)
    network = np.broadcast_to(network, source.shape)
    return estimate_foreground(source, alpha, network, plate, covered, soft, linear_light=linear_light)


@settings(max_examples=20, deadline=None)
@given(st.floats(2, 6), st.sampled_from([0.0, 1.0]), st.booleans())
def test_the_person_s_colour_is_found_whatever_the_network_says(width, coverage, linear_light):
    found = estimate(edge(width), network=BLUE, coverage=coverage, linear_light=linear_light)
    assert len(found) >= 64
    wrong = np.abs(BLUE - RED).mean()
    assert np.abs(found - RED).mean() < (0.25 if linear_light else 0.2) * wrong


def test_the_plate_brings_it_nearer():
    with_plate, without = (np.abs(estimate(edge(6), BLUE, coverage) - RED).mean() for coverage in (1.0, 0.0))
    assert with_plate < without


def test_where_nothing_is_solid_the_network_is_believed():
    alpha = np.full((40, 50), 0.25, np.float32)
    found = estimate(alpha, network=RED)
    np.testing.assert_allclose(found, np.broadcast_to(RED, found.shape), atol=0.02)  # a quarter of eight bits is seen


def test_light_taken_as_light_leaves_less_of_a_bright_wall_in_dark_hair():
    """The fringe is soft over many pixels: what seems solid beside it has the wall in it too."""
    hair, wall = np.float32([0.25, 0.15, 0.1]), np.float32([0.9, 0.9, 0.85])
    alpha = edge(width=12)
    source = to_depth(mix(hair, wall, alpha[..., None]).astype(np.float32), np.uint8)
    plate = to_depth(np.broadcast_to(wall, source.shape), np.uint8)
    soft = find_soft(round_alpha(alpha, np.uint8))
    paler = {}
    for linear_light in (True, False):
        found = estimate_foreground(
            source, alpha, to_depth(plate, np.float32), plate, np.ones_like(alpha), soft, linear_light=linear_light
        )
        weight = soft.of(alpha)[:, None]
        paler[linear_light] = float((weight * (found - hair)).mean() / (weight * (wall - hair)).mean())
    assert paler[True] < 0.3
    assert paler[True] < 0.85 * paler[False]


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_the_depth_of_the_pictures_does_not_matter(dtype):
    np.testing.assert_allclose(estimate(edge(), BLUE, dtype=dtype), estimate(edge(), BLUE), atol=1e-5)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_without_soft_pixels_nothing_is_estimated(value):
    assert estimate(np.full((8, 9), value, np.float32), BLUE).shape == (0, 3)


def test_colours_from_afar_weigh_little():
    alpha = np.zeros((40, 80), np.float32)
    alpha[:, :20], alpha[:, 60:] = 1, 1
    alpha[20, 21] = 0.5
    source = np.zeros((40, 80, 3), np.uint8)
    source[:, :20], source[:, 60:] = (200, 0, 0), (0, 0, 200)
    around = look_around(source, alpha, find_soft(round_alpha(alpha, np.uint8)))
    np.testing.assert_allclose(around.colour, [[200 / 255, 0, 0]], atol=0.01)


def test_portrait_pictures_have_the_colours_of_landscape_ones():
    # Wide enough to be reduced by two, where its height alone would not be.
    rng = np.random.default_rng(4)
    blots = rng.random((27, 48, 3)).astype(np.float32)
    source = cv2.resize(blots, (1536, 864), interpolation=cv2.INTER_LINEAR)
    # A disc with a soft edge of 24 pixels: more than half of the colours come from a distance.
    alpha = np.clip((250 - np.hypot(*(np.mgrid[:864, :1536] - np.array([[[431.5]], [[767.5]]])))) / 24, 0, 1)
    alpha = alpha.astype(np.float32)
    plate = np.full_like(source, 0.4)
    soft = find_soft(round_alpha(alpha, np.uint8))
    found = np.zeros_like(source)
    found[soft] = _estimate(source, alpha, plate, soft)
    turned = [np.ascontiguousarray(np.rot90(each)) for each in (source, alpha, plate)]
    turned_soft = find_soft(round_alpha(turned[1], np.uint8))
    upright = np.zeros_like(turned[0])
    upright[turned_soft] = _estimate(*turned, turned_soft)
    error = np.abs(upright - np.rot90(found))[turned_soft]
    assert error.mean() < 0.012


def _estimate(source, alpha, plate, soft):
    return estimate_foreground(source, alpha, source, plate, np.ones_like(alpha), soft, linear_light=True)
