"""Grown hair: where it begins, where it never is, and what stays as it was."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.synthesis import Person
from howard.synthesis.hair import find_head, grow_hair

SKIN, SHIRT, HAIR = (200, 150, 120), (30, 60, 160), (40, 30, 20)


def draw_person(radius: int = 24, top: int = 20) -> Person:
    """A round head with a cap of hair on a neck and a torso that the picture cuts at the bottom."""
    foreground = np.full((240, 160, 3), SHIRT, np.uint8)
    alpha = np.zeros((240, 160), np.uint8)
    centre = (80, top + radius)
    cv2.rectangle(alpha, (70, centre[1]), (90, 160), 255, -1)
    cv2.rectangle(alpha, (30, 150), (130, 239), 255, -1)
    cv2.circle(alpha, centre, radius, 255, -1)
    foreground[: centre[1] + radius + 10] = SKIN
    foreground[: centre[1] - radius // 3] = HAIR
    return Person(foreground, alpha)


@pytest.mark.parametrize("radius", [12, 24, 36])
def test_the_head_is_found(radius: int) -> None:
    head = find_head(draw_person(radius).alpha)
    assert head is not None
    assert np.hypot(*(head.centre - [80, 20 + radius])) <= 0.15 * radius + 2
    assert abs(head.radius - radius) <= 0.15 * radius + 2


def test_what_shows_no_whole_head_stays_as_it_is() -> None:
    whole = draw_person()
    cut = Person(whole.foreground[40:], whole.alpha[40:])
    nobody = Person(whole.foreground, np.zeros_like(whole.alpha))
    tiny = Person(*(cv2.resize(each, (32, 48), interpolation=cv2.INTER_AREA) for each in whole))
    for person in (cut, nobody, tiny):
        assert grow_hair(person, np.random.default_rng(0)) is person


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31))
def test_hair_only_adds_to_the_person(seed: int) -> None:
    person = draw_person()
    before = person.alpha.copy(), person.foreground.copy()
    grown = grow_hair(person, np.random.default_rng(seed))
    assert np.array_equal(person.alpha, before[0])
    assert np.array_equal(person.foreground, before[1])
    assert grown.alpha.shape == grown.foreground.shape[:2]
    assert grown.alpha.dtype == grown.foreground.dtype == np.uint8
    room = grown.alpha.shape[0] - person.alpha.shape[0]
    assert grown.alpha.shape[1] - person.alpha.shape[1] == 2 * room
    within = grown.alpha[room:, room:-room]
    assert (within >= person.alpha).all()
    assert grown.alpha[:1].max() == 0, "none ends at the picture's edge"
    # The rest of the body is far from the head: colour and matte are untouched there.
    assert np.array_equal(within[180:], person.alpha[180:])
    assert np.array_equal(grown.foreground[room + 180 :, room:-room], person.foreground[180:])


def test_hair_is_soft_and_of_the_heads_colour() -> None:
    person = draw_person()
    grown = [grow_hair(person, np.random.default_rng(seed)) for seed in range(40)]
    soft = [int(((each.alpha > 20) & (each.alpha < 235)).sum()) for each in grown]
    assert max(soft) > 1500, "a great crown, now and then"
    assert min(soft) < 300, "and a few loose strands at other times"
    for each in grown:
        room = each.alpha.shape[0] - 240
        above = np.s_[: room + 18]
        colours = each.foreground[above][each.alpha[above] > 30].astype(float)
        if len(colours):
            assert np.abs(colours - HAIR).max() < 0.6 * max(HAIR), "shades of one colour"


def test_the_same_draw_gives_the_same_hair() -> None:
    first, again = (grow_hair(draw_person(), np.random.default_rng(7)) for _ in range(2))
    other = grow_hair(draw_person(), np.random.default_rng(8))
    assert np.array_equal(first.alpha, again.alpha)
    assert np.array_equal(first.foreground, again.foreground)
    assert not (first.alpha.shape == other.alpha.shape and np.array_equal(first.alpha, other.alpha))
