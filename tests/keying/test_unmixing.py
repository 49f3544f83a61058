"""Trimap, alpha and foreground colour."""

from collections.abc import Callable

import numpy as np
import pytest

from howard.colour import srgb_to_linear
from howard.keying import Screen, model_screen
from howard.keying.unmixing import Unmixed, make_trimap, unmix

SKIN = srgb_to_linear(np.array((205, 160, 130)) / 255).astype(np.float32)


def solve(linear: np.ndarray, screen: Screen) -> Unmixed:
    light = model_screen(linear, screen)
    return unmix(linear, light.colour, screen, make_trimap(linear, light, screen))


@pytest.mark.parametrize("colour", [SKIN, (0.02, 0.02, 0.02), (0.8, 0.8, 0.8), (0.5, 0.05, 0.05)])
def test_a_soft_edge_and_its_colour_are_recovered(
    green: Screen, disc: Callable[..., np.ndarray], colour: np.ndarray
) -> None:
    alpha = disc(180, 320, 160, 90, 50)
    linear = alpha[..., None] * np.array(colour) + (1 - alpha[..., None]) * green.colour
    solved = solve(linear.astype(np.float32), green)
    assert np.abs(solved.alpha - alpha).mean() < 0.002
    assert np.abs(solved.alpha - alpha).max() < 0.25
    own = np.abs(srgb_to_linear(solved.colour) - np.array(colour))[alpha > 0.3]
    assert own.mean() < 0.01


def test_the_trimap_is_a_partition(green: Screen, disc: Callable[..., np.ndarray]) -> None:
    alpha = disc(180, 320, 160, 90, 50)[..., None]
    linear = (alpha * SKIN + (1 - alpha) * green.colour).astype(np.float32)
    trimap = make_trimap(linear, model_screen(linear, green), green)
    assert (trimap.background.astype(int) + trimap.foreground + trimap.unknown == 1).all()
    assert alpha[trimap.foreground].min() > 0.85
    assert (alpha[trimap.background] < 0.05).all()


def test_a_grey_tie_in_the_screens_colour_leaves_no_hole(green: Screen, disc: Callable[..., np.ndarray]) -> None:
    alpha = disc(180, 320, 160, 90, 60)[..., None]
    person = np.where(disc(180, 320, 160, 90, 4, soft=1)[..., None] > 0, 0.5 * SKIN + 0.5 * green.colour, SKIN)
    linear = (alpha * person + (1 - alpha) * green.colour).astype(np.float32)
    assert (solve(linear, green).alpha[70:110, 140:180] == 1).all()


def test_thin_strands_are_kept(green: Screen, disc: Callable[..., np.ndarray]) -> None:
    alpha = disc(180, 320, 160, 110, 45)
    for place in range(130, 190, 8):
        alpha[30:100, place : place + 2] = np.maximum(alpha[30:100, place : place + 2], 0.6)
    hair = np.array((0.05, 0.03, 0.02))
    linear = (alpha[..., None] * hair + (1 - alpha[..., None]) * green.colour).astype(np.float32)
    solved = solve(linear, green).alpha
    strands = solved[34:60, 130:190][alpha[34:60, 130:190] > 0]
    assert strands.mean() == pytest.approx(0.6, abs=0.12)
