from collections.abc import Callable

import numpy as np
import pytest

from howard.keying import Screen
from howard.keying.foreground import carry_on, despill
from howard.keying.light import encode, to_linear


def test_screen_light_on_grey_is_taken_away(green: Screen) -> None:
    grey = np.full((4, 4, 3), 0.2, np.float32)
    clean = to_linear(despill(encode(grey + 0.1 * green.colour), green))
    assert clean[..., 1] == pytest.approx(clean[..., 0], abs=0.004)
    assert clean == pytest.approx(grey, abs=0.02)


def test_skin_and_red_stay_as_they_are(green: Screen) -> None:
    colours = np.array([[(0.8, 0.62, 0.5), (0.8, 0.1, 0.1), (0.5, 0.5, 0.5)]], np.float32)
    assert despill(colours, green) == pytest.approx(colours, abs=1e-3)


def test_beyond_the_edge_the_persons_colour_goes_on(green: Screen, disc: Callable[..., np.ndarray]) -> None:
    alpha = disc(120, 160, 80, 60, 30)
    person = np.array((0.7, 0.3, 0.2), np.float32)
    colour = np.where(alpha[..., None] > 0.6, person, encode(green.colour)).astype(np.float32)
    carried = carry_on(colour, alpha)
    assert np.abs(carried - person)[alpha == 0].max() < 0.01
    assert (carried[alpha == 1] == person).all()


def test_a_picture_without_a_person_has_no_colour() -> None:
    assert (carry_on(np.ones((8, 8, 3), np.float32), np.zeros((8, 8), np.float32)) == 0).all()
