"""Transfer curves and mixing: the standard's values, numpy and torch alike, and the way back."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from howard.colour import (
    hlg_to_scene,
    linear_to_srgb,
    mix,
    pq_to_nits,
    srgb_to_linear,
)

UNIT = st.floats(0, 1)
TO_LINEAR = [hlg_to_scene, pq_to_nits]


@pytest.mark.parametrize(
    ("encoded", "linear"),
    [(0.0, 0.0), (0.04045, 0.0031308), (0.5, 0.21404114), (188 / 255, 0.50288646), (1.0, 1.0), (2.0, 4.9538457)],
)
def test_values_of_the_standard(encoded: float, linear: float) -> None:
    assert srgb_to_linear(np.array([encoded]))[0] == pytest.approx(linear, rel=1e-5)
    assert linear_to_srgb(np.array([linear]))[0] == pytest.approx(encoded, rel=1e-4)


@given(st.floats(0, 16))
def test_there_and_back(value: float) -> None:
    there = srgb_to_linear(np.array([value]))
    assert linear_to_srgb(there)[0] == pytest.approx(value, rel=1e-4, abs=1e-6)


def test_curves_rise_and_eight_bits_survive() -> None:
    levels = np.arange(256, dtype=np.float32) / 255
    linear = srgb_to_linear(levels)
    assert linear.dtype == np.float32
    assert (np.diff(linear) > 0).all()
    np.testing.assert_array_equal(np.rint(linear_to_srgb(linear) * 255), np.arange(256))


@pytest.mark.parametrize("curve", [srgb_to_linear, linear_to_srgb])
def test_numpy_and_torch_agree(curve: Callable[[Any], Any]) -> None:
    values = np.random.default_rng(0).random((3, 4, 5)).astype(np.float32) * 1.5
    from_torch = curve(torch.from_numpy(values))
    assert from_torch.dtype == torch.float32
    np.testing.assert_allclose(from_torch.numpy(), curve(values), atol=1e-6)


@pytest.mark.parametrize("curve", [srgb_to_linear, linear_to_srgb])
def test_gradients_are_finite_from_black_to_white(curve: Callable[[Any], Any]) -> None:
    values = torch.linspace(0, 1, 101, dtype=torch.float64, requires_grad=True)
    curve(values).sum().backward()
    assert values.grad is not None
    assert torch.isfinite(values.grad).all()
    assert (values.grad > 0).all()


@given(UNIT, UNIT)
def test_mixing_ends_at_its_two_colours(foreground: float, background: float) -> None:
    for linear_light in (True, False):
        mixed = mix(np.array([foreground] * 2), np.array([background] * 2), np.array([1.0, 0.0]), linear_light)
        np.testing.assert_allclose(mixed, [foreground, background], atol=1e-6)


@given(UNIT, UNIT, UNIT)
def test_mixtures_lie_between_and_light_is_never_darker(foreground: float, background: float, alpha: float) -> None:
    arrays = (np.array([foreground]), np.array([background]), np.array([alpha]))
    in_light, in_values = mix(*arrays)[0], mix(*arrays, linear_light=False)[0]
    low, high = sorted((foreground, background))
    assert low - 1e-6 <= in_values <= in_light + 1e-6 <= high + 2e-6


def test_half_black_half_white_is_half_the_light() -> None:
    half = mix(np.ones(1), np.zeros(1), np.full(1, 0.5))
    assert srgb_to_linear(half)[0] == pytest.approx(0.5)
    assert mix(np.ones(1), np.zeros(1), np.full(1, 0.5), linear_light=False)[0] == 0.5


def test_shapes_broadcast() -> None:
    assert mix(np.ones((2, 4, 5, 3)), np.zeros(3), np.full((4, 5, 1), 0.5)).shape == (2, 4, 5, 3)


def test_light_below_black_comes_back() -> None:
    values = np.array([-0.5, -0.02, -0.001])
    assert (linear_to_srgb(values) < 0).all()
    np.testing.assert_allclose(srgb_to_linear(linear_to_srgb(values)), values, rtol=1e-12)


# What the ITU prints.
@pytest.mark.parametrize(
    ("curve", "points"),
    [
        (hlg_to_scene, {0.0: 0.0, 0.5: 1 / 12, 0.75: 0.264963, 1.0: 1.0}),
        (pq_to_nits, {0.0: 0.0, 0.508078: 100.0, 0.580689: 203.0, 0.751827: 1000.0, 1.0: 10000.0}),
    ],
)
def test_published_points(curve: Callable[[Any], Any], points: dict[float, float]) -> None:
    linear = curve(np.array(list(points)))
    np.testing.assert_allclose(linear, list(points.values()), rtol=6e-3, atol=3e-4)


@pytest.mark.parametrize("curve", TO_LINEAR)
def test_curves_to_linear_light_rise_without_a_step(curve: Callable[[Any], Any]) -> None:
    linear = curve(np.linspace(0, 1, 4001))
    steps = np.diff(linear)
    assert (steps >= 0).all()
    # A step between two pieces would stand out from the slopes on both of its sides.
    assert (steps[1:-1] <= 1.2 * np.maximum(steps[:-2], steps[2:]) + 1e-6 * linear[-1]).all()


@pytest.mark.parametrize("curve", TO_LINEAR)
def test_curves_to_linear_light_take_tensors(curve: Callable[[Any], Any]) -> None:
    values = np.linspace(0, 1, 101)
    np.testing.assert_allclose(curve(torch.from_numpy(values)).numpy(), curve(values), rtol=1e-9)
