"""Dense motion between two frames of a shot: known shifts, consistency, occlusion, sizes and types."""

import cv2
import numpy as np
import pytest

from howard.align.shot_motion import MOTION_SIDE, measure_shot_motion, reduce_grey
from howard.images import to_depth

HEIGHT, WIDTH = 540, 960
SHIFT = np.array([9, -6])


def textured(seed: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Smooth noise, (height, width, 3) uint8."""
    noise = np.random.default_rng(seed).integers(0, 256, (height // 8 + 2, width // 8 + 2, 3), dtype=np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    """Two views of a texture: what the first one shows at x, the second one shows at x + SHIFT."""
    place = textured(0, HEIGHT + 40, WIDTH + 40)
    first = place[20 : 20 + HEIGHT, 20 : 20 + WIDTH]
    second = place[20 - SHIFT[1] : 20 - SHIFT[1] + HEIGHT, 20 - SHIFT[0] : 20 - SHIFT[0] + WIDTH]
    return first, second


def test_a_known_shift_is_found_in_both_directions_in_pixels_of_the_frame(pair):
    there, back = measure_shot_motion(*map(reduce_grey, pair), WIDTH)
    inside = slice(20, -20), slice(20, -20)
    assert there.offsets.shape == (MOTION_SIDE * HEIGHT // WIDTH, MOTION_SIDE, 2)
    np.testing.assert_allclose(np.median(there.offsets[inside], axis=(0, 1)), SHIFT, atol=0.3)
    np.testing.assert_allclose(np.median(back.offsets[inside], axis=(0, 1)), -SHIFT, atol=0.3)
    assert np.median(there.inconsistency[inside]) < 0.3
    assert there.inconsistency.shape == there.offsets.shape[:2]
    assert there.inconsistency.dtype == there.offsets.dtype == np.float32


def test_motion_is_inconsistent_where_the_other_frame_hides_the_place(pair):
    first, second = pair[0], pair[0].copy()
    second[200:340, 400:560] = textured(1, 140, 160)
    there, _ = measure_shot_motion(reduce_grey(first), reduce_grey(second), WIDTH)
    hidden = there.inconsistency[105:165, 205:275]
    elsewhere = there.inconsistency[20:80, 20:150]
    assert np.median(hidden) > 10 * max(np.median(elsewhere), 0.05)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_frames_of_every_type_have_the_same_grey_levels(pair, dtype):
    grey = reduce_grey(to_depth(pair[0], dtype))
    assert grey.dtype == np.uint8
    np.testing.assert_array_equal(grey, reduce_grey(pair[0]))


@pytest.mark.parametrize("size", [(64, 64), (72, 96), (960, 540), (33, 400)])
def test_any_size_and_orientation_has_a_motion(size):
    grey = reduce_grey(textured(2, *size))
    there, back = measure_shot_motion(grey, grey, size[1])
    assert there.offsets.shape == back.offsets.shape == (*grey.shape, 2)
    assert max(grey.shape) <= MOTION_SIDE
    np.testing.assert_allclose(there.offsets, 0, atol=0.1)
