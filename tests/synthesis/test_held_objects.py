"""Held objects: part of the person's matte, and moving as the person moves."""

import cv2
import numpy as np
import pytest

from howard.synthesis.held_objects import HoldPosition, add_held_object, sample_held_object_size, sample_hold_position
from howard.synthesis.objects import ObjectPicture
from howard.synthesis.placement import Person


def figure(shift: int = 0) -> Person:
    """A textured body with a head, upright."""
    alpha = np.zeros((240, 160), np.uint8)
    cv2.circle(alpha, (70 + shift, 40), 20, 255, -1)
    cv2.rectangle(alpha, (45 + shift, 62), (95 + shift, 239), 255, -1)
    cv2.rectangle(alpha, (20 + shift, 90), (45 + shift, 110), 255, -1)
    cv2.rectangle(alpha, (62 + shift, 55), (78 + shift, 64), 255, -1)
    noise = cv2.GaussianBlur(np.random.default_rng(0).uniform(0, 255, (240, 160, 3)).astype(np.float32), (0, 0), 2)
    texture = np.clip(128 + 4 * (noise - noise.mean()), 0, 255).astype(np.uint8)
    return Person(np.roll(texture, shift, axis=1), alpha)


@pytest.fixture
def disc() -> ObjectPicture:
    y, x = np.mgrid[:41, :41]
    alpha = (255 * np.clip(15.5 - np.hypot(x - 20, y - 20), 0, 1)).astype(np.uint8)
    colour = np.full((41, 41, 3), (0, 255, 0), np.uint8)
    return ObjectPicture(colour, alpha, np.zeros_like(alpha), stands=False)


def green(person: Person) -> np.ndarray:
    colour = person.foreground.astype(int)
    return (colour[..., 1] > 200) & (colour[..., 0] < 50) & (colour[..., 2] < 50) & (person.alpha > 200)


def centre(mask: np.ndarray) -> np.ndarray:
    return np.array([each.mean() for each in np.nonzero(mask)])[::-1]


@pytest.mark.parametrize("seed", range(10))
def test_a_hold_is_on_the_person_between_chest_and_hip(seed: int) -> None:
    person, rng = figure(), np.random.default_rng(seed)
    hold = sample_hold_position(person, rng)
    assert hold is not None
    x, y = hold.anchor.astype(int)
    assert person.alpha[y, x] == 255
    assert 70 < y < 239
    assert 0 < sample_held_object_size(hold, rng) <= 4.5 * hold.radius


def test_an_empty_image_has_no_hold_position() -> None:
    empty = Person(np.zeros((50, 50, 3), np.uint8), np.zeros((50, 50), np.uint8))
    assert sample_hold_position(empty, np.random.default_rng(0)) is None


def test_the_object_is_foreground_and_in_front(disc: ObjectPicture) -> None:
    person = figure()
    hold = HoldPosition(np.array([22.0, 100.0]), 20.0, 80.0, 0.0, is_behind=False)
    [held] = add_held_object([person], disc, hold, np.random.default_rng(0))
    assert green(held).sum() > 500
    assert held.alpha.sum(dtype=np.int64) > person.alpha.sum(dtype=np.int64)
    assert held.alpha.shape[0] == person.alpha.shape[0], "an object never reaches below a person cut by the picture"


def test_a_grip_and_a_body_hide_the_object(disc: ObjectPicture) -> None:
    front, gripped, behind = (
        add_held_object(
            [figure()],
            disc,
            HoldPosition(np.array([22.0, 100.0]), 20.0, 80.0, grip, is_behind),
            np.random.default_rng(0),
        )[0]
        for grip, is_behind in ((0.0, False), (8.0, False), (0.0, True))
    )
    assert green(front).sum() > green(gripped).sum() > 0
    assert green(front).sum() > green(behind).sum() > 0
    assert np.array_equal(behind.alpha, front.alpha), "who is in front changes colours and not coverage"


def test_coverage_joins_as_independent_layers(disc: ObjectPicture) -> None:
    half = Person(np.zeros((200, 200, 3), np.uint8), np.full((200, 200), 128, np.uint8))
    soft = disc._replace(alpha=disc.alpha // 2)
    [held] = add_held_object(
        [half], soft, HoldPosition(np.array([100.0, 100.0]), 20.0, 80.0, 0.0, False), np.random.default_rng(0)
    )
    inside = held.alpha.max()
    assert abs(int(inside) - round(255 * (1 - (1 - 128 / 255) * (1 - 127 / 255)))) <= 2


def test_the_object_moves_with_the_person(disc: ObjectPicture) -> None:
    person_frames = [figure(shift) for shift in (0, 3, 6, 9)]
    hold = HoldPosition(np.array([60.0, 120.0]), 20.0, 80.0, 0.0, is_behind=False)
    held = add_held_object(person_frames, disc, hold, np.random.default_rng(1))
    ways = [centre(green(each))[0] - centre(green(held[0]))[0] for each in held]
    np.testing.assert_allclose(ways, [0, 3, 6, 9], atol=1.0)


def test_a_still_is_the_same_in_every_frame(disc: ObjectPicture) -> None:
    person = figure()
    hold = HoldPosition(np.array([60.0, 120.0]), 20.0, 80.0, 0.0, is_behind=False)
    first, second = add_held_object([person, person], disc, hold, np.random.default_rng(1))
    assert first is second
