"""Motion of background and person: known motions are recovered, and masks are warped by them."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.app.core.stroke_motion import BackgroundMotion, PersonMotion, warp_by_homography, warp_by_offsets
from howard.media import DamagedFrameError, open_reader
from howard.options import RenderOptions
from howard.pipeline.inputs import open_inputs
from howard.pipeline.plate_indexing import PlateIndexer
from howard.progress import SilentProgress
from tests.pipeline.conftest import encode

SIZE = (320, 240)


def disc(x, y, radius=20):
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    cv2.circle(mask, (x, y), radius, 1, cv2.FILLED)
    return mask.astype(bool)


def centre(mask):
    rows, columns = np.nonzero(mask)
    return columns.mean(), rows.mean()


@settings(deadline=None, max_examples=25)
@given(st.integers(-60, 60), st.integers(-50, 50))
def test_masks_are_warped_by_known_shifts(x, y):
    expected = disc(160 + x, 120 + y)
    shift = np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)
    np.testing.assert_array_equal(warp_by_homography(disc(160, 120), shift), expected)
    # A quarter of the size, where offsets are a quarter as long.
    offsets = np.broadcast_to(np.array([-x / 4, -y / 4], np.float32), (60, 80, 2)).copy()
    np.testing.assert_array_equal(warp_by_offsets(disc(160, 120), offsets), expected)


def test_a_singular_homography_gives_an_empty_mask():
    with np.errstate(divide="ignore", invalid="ignore"):
        assert not warp_by_homography(disc(160, 120), np.zeros((3, 3))).any()


@pytest.fixture
def motion(clips):
    with (
        open_inputs(clips.shot, clips.plate, RenderOptions(), SilentProgress()) as inputs,
        PlateIndexer(inputs.plate) as indexer,
    ):
        yield BackgroundMotion(inputs.shot, inputs.plate, indexer)


@pytest.mark.parametrize(("start", "index"), [(0, 5), (5, 1), (2, 3)])
def test_background_motion_equals_the_known_camera_motion(motion, start, index):
    # The background moves by one pixel right and one pixel up in each frame.
    motion.precompute(start, range(6))
    moved = cv2.perspectiveTransform(np.array([[[40.0, 50], [280, 190]]]), motion.homography(start, index))
    steps = index - start
    expected = np.array([[[40.0 + steps, 50 - steps], [280 + steps, 190 - steps]]])
    np.testing.assert_allclose(moved, expected, atol=0.4)


def test_the_motion_is_the_same_without_precomputing(motion, clips):
    motion.precompute(1, range(6))
    with (
        open_inputs(clips.shot, clips.plate, RenderOptions(), SilentProgress()) as inputs,
        PlateIndexer(inputs.plate) as indexer,
    ):
        alone = BackgroundMotion(inputs.shot, inputs.plate, indexer).homography(1, 4)
    np.testing.assert_array_equal(motion.homography(1, 4), alone)


def test_damaged_frames_get_the_motion_of_their_neighbours(motion, clips):
    expected = {index: motion.homography(1, index) for index in (3, 5)}
    real = motion._shot

    class Damaged:
        info = real.info

        def __len__(self):
            return len(real)

        def __getitem__(self, index):
            if index == 4:
                raise DamagedFrameError("frame 5 is damaged")
            return real[index]

    damaged = BackgroundMotion(Damaged(), motion._plate, motion._indexer)
    damaged.precompute(1, range(6))
    for index, neighbour in ((3, 3), (4, 3), (5, 5)):
        np.testing.assert_allclose(damaged.homography(1, index), expected[neighbour], atol=1e-9)
    person = PersonMotion(Damaged())
    np.testing.assert_array_equal(person.offsets(3, 4), np.zeros((240, 320, 2)))
    assert np.abs(person.offsets(2, 5)).mean() > 0.5


def test_a_plate_that_does_not_match_gives_no_motion(tmp_path, clips):
    grey = encode(tmp_path / "grey.mp4", [np.full((240, 320, 3), 120, np.uint8)] * 2)
    with (
        open_inputs(clips.shot, grey, RenderOptions(), SilentProgress()) as inputs,
        PlateIndexer(inputs.plate) as indexer,
    ):
        motion = BackgroundMotion(inputs.shot, inputs.plate, indexer)
        np.testing.assert_array_equal(motion.homography(0, 3), np.eye(3))


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    """A clip of a textured person who moves right by six pixels per frame in front of a static background."""
    rng = np.random.default_rng(3)

    def texture(height, width):
        low = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
        return cv2.resize(low, (width, height), interpolation=cv2.INTER_CUBIC)

    background, person = texture(240, 320), texture(120, 80)
    frames = []
    for step in range(6):
        image = background.copy()
        image[80:200, 60 + 6 * step : 140 + 6 * step] = person
        frames.append(image)
    return encode(tmp_path_factory.mktemp("walk") / "walk.mp4", frames)


@pytest.mark.parametrize(("start", "index"), [(0, 4), (5, 2)])
def test_masks_on_the_person_follow_its_motion(walk, start, index):
    with open_reader(walk) as shot:
        offsets = PersonMotion(shot).offsets(start, index)
    moved = warp_by_offsets(disc(100 + 6 * start, 140), offsets)
    assert centre(moved) == pytest.approx((100 + 6 * index, 140), abs=2)
    assert moved.sum() == pytest.approx(disc(100, 140).sum(), rel=0.1)


def test_the_order_of_requests_does_not_matter(walk):
    with open_reader(walk) as shot:
        motion = PersonMotion(shot)
        motion.precompute([4, 2, 3])
        precomputed = [motion.offsets(1, index) for index in (5, 3, 0)]
        again = [PersonMotion(shot).offsets(1, index) for index in (5, 3, 0)]
    for first, second in zip(precomputed, again, strict=True):
        np.testing.assert_array_equal(first, second)
    assert not PersonMotion(shot).offsets(2, 2).any()
