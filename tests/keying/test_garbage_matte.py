"""The screen area, and components that are not people."""

from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from howard.keying.garbage_matte import find_screen_area, remove_islands


def test_beyond_a_straight_edge_of_the_screen_there_is_no_person() -> None:
    is_screen = np.ones((180, 320), bool)
    is_screen[:, 270:] = False
    is_screen[60:, 100:160] = False
    area = find_screen_area(is_screen)
    assert not area[:, 270:].any()
    assert area[:, :260].all()


def test_a_person_who_hides_a_corner_of_the_screen_is_not_cut(disc: Callable[..., np.ndarray]) -> None:
    is_screen = (disc(180, 320, 30, 170, 120) == 0) & (disc(180, 320, 290, 190, 110) == 0)
    assert find_screen_area(is_screen).all()


def test_without_a_screen_nothing_is_cut() -> None:
    assert find_screen_area(np.zeros((20, 30), bool)).all()


def test_a_line_of_screen_limits_nothing() -> None:
    is_screen = np.zeros((180, 320), bool)
    is_screen[90, 20:300] = True
    assert find_screen_area(is_screen).all()


def test_a_skirting_board_between_two_people_is_cut_and_they_are_not() -> None:
    is_screen = np.ones((180, 320), bool)
    is_screen[40:, :140] = is_screen[60:, 165:] = False
    is_screen[174:] = False
    area = find_screen_area(is_screen)
    assert not area[175:, 141:164].any()
    assert area[:, :140].all()
    assert area[:, 165:].all()


@given(top=st.integers(20, 120), left=st.integers(40, 120), width=st.integers(40, 120))
def test_a_person_before_a_whole_screen_is_never_cut(top: int, left: int, width: int) -> None:
    is_screen = np.ones((180, 320), bool)
    is_screen[top:, left : left + width] = False
    assert find_screen_area(is_screen).all()


def kept(alpha: np.ndarray, area: np.ndarray | None = None, flat: np.ndarray | None = None) -> np.ndarray:
    """What is left of alpha (H, W), where the picture is of many colours but for one that is ``flat``, bool."""
    colours = np.random.default_rng(0).random((*alpha.shape, 3), np.float32)
    if flat is not None:
        colours[flat] = 0.4
    return remove_islands(alpha, alpha == 1, np.ones(alpha.shape, bool) if area is None else area, colours)


def test_two_people_stay_and_specks_go(disc: Callable[..., np.ndarray]) -> None:
    first, second = disc(180, 320, 80, 100, 40), disc(180, 320, 230, 110, 25)
    speck = disc(180, 320, 150, 20, 5)
    assert (kept(np.maximum(np.maximum(first, second), speck)) == np.maximum(first, second)).all()


def test_a_flat_piece_beside_a_person_is_furniture(disc: Callable[..., np.ndarray]) -> None:
    person, cupboard = disc(180, 320, 80, 100, 40), disc(180, 320, 230, 110, 22)
    assert (kept(np.maximum(person, cupboard), flat=cupboard > 0) == person).all()


def test_a_flat_piece_alone_may_be_a_sleeve(disc: Callable[..., np.ndarray]) -> None:
    sleeve = disc(180, 320, 0, 170, 40)
    assert (kept(sleeve, flat=sleeve > 0) == sleeve).all()


def test_furniture_connected_outside_the_area_is_still_flat(disc: Callable[..., np.ndarray]) -> None:
    person = disc(180, 320, 80, 100, 40)
    shelves = np.zeros((180, 320), np.float32)
    shelves[40:70, 220:] = shelves[120:150, 220:] = shelves[40:150, 280:] = 1
    area = np.ones((180, 320), bool)
    area[:, 280:] = False
    flat = (shelves > 0) & area
    assert (kept(np.maximum(person, shelves), area, flat) == person).all()


def test_an_empty_screen_with_a_mark_has_nobody(disc: Callable[..., np.ndarray]) -> None:
    assert (kept(disc(180, 320, 150, 20, 5)) == 0).all()


def test_no_sliver_of_the_studio_stays(disc: Callable[..., np.ndarray]) -> None:
    person = disc(180, 320, 100, 100, 50)
    wall = np.zeros((180, 320), np.float32)
    wall[:, 250:] = 1
    area = np.ones((180, 320), bool)
    area[:, 262:] = False
    assert (kept(np.maximum(person, wall), area) == person).all()
