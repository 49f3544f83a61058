from collections.abc import Callable

import numpy as np

from howard.keying.garbage import screen_area, without_islands


def test_beyond_a_straight_edge_of_the_screen_there_is_no_person() -> None:
    is_screen = np.ones((180, 320), bool)
    is_screen[:, 270:] = False
    is_screen[60:, 100:160] = False
    area = screen_area(is_screen)
    assert not area[:, 270:].any()
    assert area[:, :260].all()


def test_a_person_who_hides_a_corner_of_the_screen_is_not_cut(disc: Callable[..., np.ndarray]) -> None:
    is_screen = (disc(180, 320, 30, 170, 120) == 0) & (disc(180, 320, 290, 190, 110) == 0)
    assert screen_area(is_screen).all()


def test_without_a_screen_nothing_is_cut() -> None:
    assert screen_area(np.zeros((20, 30), bool)).all()


def test_two_people_stay_and_specks_go(disc: Callable[..., np.ndarray]) -> None:
    first, second = disc(180, 320, 80, 100, 40), disc(180, 320, 230, 110, 25)
    speck = disc(180, 320, 150, 20, 5)
    alpha = np.maximum(np.maximum(first, second), speck)
    kept = without_islands(alpha, alpha == 1, np.ones(alpha.shape, bool))
    assert (kept == np.maximum(first, second)).all()


def test_an_empty_screen_with_a_mark_has_nobody(disc: Callable[..., np.ndarray]) -> None:
    mark = disc(180, 320, 150, 20, 5)
    assert (without_islands(mark, mark == 1, np.ones(mark.shape, bool)) == 0).all()


def test_of_the_set_not_even_a_sliver_stays(disc: Callable[..., np.ndarray]) -> None:
    person = disc(180, 320, 100, 100, 50)
    wall = np.zeros((180, 320), np.float32)
    wall[:, 250:] = 1
    area = np.ones((180, 320), bool)
    area[:, 262:] = False
    alpha = np.maximum(person, wall)
    assert (without_islands(alpha, alpha == 1, area) == person).all()
