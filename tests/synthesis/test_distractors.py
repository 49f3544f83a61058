"""Where distractors are composited: in the shot, in the plate, or in both, and never over the persons unless near."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.synthesis.canvases import BackgroundLayer
from howard.synthesis.distractors import (
    Pose,
    SubjectMask,
    add_near_object,
    add_object,
    add_plate_person,
    add_shadow,
    cast_shadow,
    move_pose,
    sample_pose,
)
from howard.synthesis.objects import ObjectPicture, make_object
from howard.synthesis.placement import Person
from howard.synthesis.posters import add_poster, make_poster, sample_poster_matrix

SIDE, FRAME = 160, (100, 120)
NOBODY = SubjectMask(np.zeros((16, 16), np.float32), np.array([0.5, 0.5]))


@pytest.fixture
def background() -> BackgroundLayer:
    rng = np.random.default_rng(0)
    place = rng.integers(90, 110, (4, SIDE, SIDE), dtype=np.uint8)
    plate = place.copy()
    place[3], plate[3] = 0, 255
    return BackgroundLayer(place, plate, np.array([[1.1, 0, 12], [0, 1.1, 15], [0, 0, 1.0]]))


@pytest.fixture
def thing() -> ObjectPicture:
    """A white disc with a shadow."""
    y, x = np.mgrid[:61, :61]
    distance = np.hypot(x - 30, y - 30)
    alpha = (255 * np.clip(20.5 - distance, 0, 1)).astype(np.uint8)
    return ObjectPicture(np.full((61, 61, 3), 250, np.uint8), alpha, (distance < 26).astype(np.uint8) * 100, True)


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return np.abs(before[:3].astype(int) - after[:3]).max(axis=0) > 40


@pytest.mark.parametrize(("in_shot", "in_plate"), [(True, False), (False, True), (True, True)])
def test_an_object_is_where_it_should_be_and_nowhere_else(
    background: BackgroundLayer, thing: ObjectPicture, in_shot: bool, in_plate: bool
) -> None:
    here, there = Pose(np.array([40.0, 50.0])), Pose(np.array([80.0, 50.0]))
    made = add_object(background, thing, here if in_shot else None, there if in_plate else None)
    assert made.distractor is not None
    for is_available, pose, before, after in (
        (in_shot, here, background.place, made.place),
        (in_plate, there, background.plate, made.plate),
    ):
        assert changed(before, after).any() == is_available
        assert np.array_equal(before[3], after[3])
        x, y = (background.matrix @ [*pose.centre, 1])[:2].astype(int)
        assert (made.distractor[y, x] == 255) == is_available
    solid = made.distractor == 255
    assert not (solid & ~(changed(background.place, made.place) | changed(background.plate, made.plate))).any()
    assert background.distractor is None


def test_a_shadow_alone_only_darkens_the_shot(background: BackgroundLayer, thing: ObjectPicture) -> None:
    made = add_shadow(background, thing, Pose(np.array([60.0, 50.0])))
    assert made.plate is background.plate
    assert made.distractor is None
    assert (made.place <= background.place).all()
    assert (made.place < background.place).any()


@given(st.floats(0, 120), st.floats(0, 100), st.floats(-3, 3), st.floats(0.3, 2), st.booleans())
def test_a_pose_puts_the_pictures_middle_at_its_centre(
    x: float, y: float, angle: float, scale: float, flip: bool
) -> None:
    matrix = Pose(np.array([x, y]), angle, scale, flip).matrix((41, 61))
    np.testing.assert_allclose((matrix @ [30, 20, 1])[:2], [x, y], atol=1e-6)
    assert abs(np.linalg.det(matrix[:2, :2])) == pytest.approx(scale**2)


@pytest.mark.parametrize("seed", range(8))
def test_objects_are_visible_beside_a_person(thing: ObjectPicture, seed: int) -> None:
    alpha = np.zeros((16, 16), np.float32)
    alpha[2:, 5:11] = 1
    subject = SubjectMask(alpha, np.array([0.5, 0.6]))
    pose = sample_pose(thing, FRAME, 0.6, subject, np.random.default_rng(seed))
    assert subject.visible_fraction(pose.matrix(thing.alpha.shape), thing.alpha, FRAME) > 0.35


def test_a_moved_object_is_elsewhere(thing: ObjectPicture) -> None:
    pose = sample_pose(thing, FRAME, 1.0, NOBODY, np.random.default_rng(0))
    ways = [
        np.hypot(*(move_pose(pose, False, FRAME, np.random.default_rng(seed)).centre - pose.centre))
        for seed in range(50)
    ]
    assert min(ways) >= 0.02 * 120 - 1e-6
    assert max(ways) <= 0.5 * 120 + 1e-6


def test_the_plate_shows_all_part_or_nothing_of_a_near_object(background: BackgroundLayer, picture: np.ndarray) -> None:
    path = np.repeat(np.eye(3)[None], 3, axis=0)
    seen, lost = 0, 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        near = make_object([picture], 70, rng)
        made = add_near_object(background, near, 1.0, FRAME, path, rng)
        assert made.place is background.place
        assert made.occluder is not None
        assert made.distractor is not None
        assert made.occluder.canvas.shape == (4, SIDE, SIDE)
        assert made.occluder.maps.shape == (3, 3, 3)
        assert (made.distractor >= made.occluder.canvas[3]).all()
        seen += changed(background.plate, made.plate).any()
        lost += (made.plate[3] == 0).any()
    assert 10 < seen < 30
    assert 8 < lost < 28


def person(height: int = 80, width: int = 40) -> Person:
    alpha = np.zeros((height, width), np.uint8)
    alpha[10:, 10:30] = 255
    return Person(np.full((height, width, 3), (200, 60, 90), np.uint8), alpha)


@pytest.mark.parametrize("seed", range(6))
def test_a_poster_is_in_shot_and_plate_alike(background: BackgroundLayer, picture: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    poster = make_poster(person(), picture, 60, rng)
    made = add_poster(background, poster, sample_poster_matrix(poster.alpha.shape, 0.5, FRAME, NOBODY, rng))
    assert np.array_equal(made.place[:3], made.plate[:3])
    assert made.distractor is not None
    assert made.distractor.max() == 255
    assert (made.place[:3] != background.place[:3]).any(axis=0)[made.distractor == 255].mean() > 0.9
    assert np.array_equal(made.plate[3], background.plate[3])


def test_a_person_in_the_plate_is_not_in_the_shot(background: BackgroundLayer) -> None:
    cut = person()
    layer = cast_shadow(cut.foreground, cut.alpha, np.random.default_rng(0))
    made = add_plate_person(background, layer, np.eye(3))
    assert made.place is background.place
    assert made.distractor is not None
    assert changed(background.plate, made.plate)[made.distractor == 255].mean() > 0.9
