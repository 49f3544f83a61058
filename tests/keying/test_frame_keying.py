"""Despill, extended foreground and tracking markers."""

from collections.abc import Callable

import numpy as np
import pytest

from howard.colour import linear_to_srgb
from howard.keying import Screen, key_frame
from howard.keying.frame_keying import despill, extend_foreground, find_markers
from howard.keying.image_operations import encode, to_linear


def test_screen_light_on_grey_is_taken_away(green: Screen) -> None:
    grey = np.full((4, 4, 3), 0.2, np.float32)
    clean = to_linear(despill(encode(grey + 0.1 * green.colour), green))
    assert clean[..., 1] == pytest.approx(clean[..., 0], abs=0.004)
    assert clean == pytest.approx(grey, abs=0.02)


def test_skin_and_red_stay_as_they_are(green: Screen) -> None:
    colours = np.array([[(0.8, 0.62, 0.5), (0.8, 0.1, 0.1), (0.5, 0.5, 0.5)]], np.float32)
    assert despill(colours, green) == pytest.approx(colours, abs=1e-3)


def test_the_foreground_is_extended_beyond_the_edge(green: Screen, disc: Callable[..., np.ndarray]) -> None:
    alpha = disc(120, 160, 80, 60, 30)
    person = np.array((0.7, 0.3, 0.2), np.float32)
    colour = np.where(alpha[..., None] > 0.6, person, encode(green.colour)).astype(np.float32)
    carried = extend_foreground(colour, alpha)
    assert np.abs(carried - person)[alpha == 0].max() < 0.01
    assert (carried[alpha == 1] == person).all()


def test_a_picture_without_a_person_has_no_colour() -> None:
    assert (extend_foreground(np.ones((8, 8, 3), np.float32), np.zeros((8, 8), np.float32)) == 0).all()


def draw(screen: Screen, person: np.ndarray, mark: np.ndarray) -> np.ndarray:
    place = mark[..., None] * 0.6 + (1 - mark[..., None]) * screen.colour
    mixed = person[..., None] * np.array((0.3, 0.15, 0.1)) + (1 - person[..., None]) * place
    return np.rint(255 * linear_to_srgb(mixed)).astype(np.uint8)


def test_a_fixed_marker_is_removed_where_the_person_touches_it(green: Screen, disc: Callable[..., np.ndarray]) -> None:
    mark = disc(180, 320, 215, 90, 5, soft=1.5)
    images = [draw(green, disc(180, 320, x, 100, 45), mark) for x in (90, 110, 168)]
    markers = find_markers(images, green)
    assert markers is not None
    assert (markers.where[mark == 1]).all()
    assert markers.where.mean() < 0.01
    true = disc(180, 320, 168, 100, 45)
    with_markers, without = (np.abs(key_frame(images[2], green, each).alpha - true).sum() for each in (markers, None))
    assert with_markers < 0.5 * without


def test_a_moving_marker_is_not_a_fixed_one(green: Screen, disc: Callable[..., np.ndarray]) -> None:
    person = disc(180, 320, 100, 100, 45)
    images = [draw(green, person, disc(180, 320, x, 40, 5)) for x in (200, 230, 260)]
    assert find_markers(images, green) is None
    assert np.abs(key_frame(images[0], green).alpha - person)[:, 180:].max() == 0
