import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from howard.colour import mix
from howard.synthesis.canvas_compositing import composite_over, paste, warped_bounds
from howard.synthesis.placement import translation

BYTE = st.integers(0, 255)


@given(BYTE, BYTE, BYTE)
def test_pictures_mix_in_linear_light(front: int, back: int, alpha: int) -> None:
    layers = [np.full((2, 2, 3), value, np.uint8) for value in (front, back)]
    mixed = composite_over(layers[0], np.full((2, 2), alpha, np.uint8), layers[1])
    expected = 255 * mix(np.float64(front / 255), np.float64(back / 255), alpha / 255)
    assert mixed.dtype == np.uint8
    assert abs(float(mixed[0, 0, 0]) - expected) <= 1


@given(st.integers(-30, 30), st.integers(-30, 30))
def test_paste_follows_its_matrix(x: int, y: int) -> None:
    canvas, mask = np.zeros((4, 20, 24), np.uint8), np.zeros((20, 24), np.uint8)
    colour, alpha = np.full((6, 5, 3), 200, np.uint8), np.full((6, 5), 255, np.uint8)
    paste(canvas, colour, alpha, translation(x, y), mask=mask)
    expected = np.zeros((20, 24), bool)
    expected[max(0, y) : max(0, y + 6), max(0, x) : max(0, x + 5)] = True
    assert ((canvas[0] == 200) == expected).all()
    assert ((mask == 255) == expected).all()
    assert not canvas[3].any()


def test_a_shadow_darkens_around_and_not_the_picture_itself() -> None:
    canvas = np.full((3, 9, 9), 180, np.uint8)
    alpha = np.zeros((9, 9), np.uint8)
    alpha[4, 4] = 255
    paste(canvas, np.full((9, 9, 3), 250, np.uint8), alpha, np.eye(3), np.full((9, 9), 128, np.uint8))
    assert canvas[0, 4, 4] == 250
    assert 120 < canvas[0, 0, 0] < 150  # half the light of 180


def test_an_image_outside_the_canvas_has_empty_bounds() -> None:
    left, top, right, bottom = warped_bounds((5, 5), translation(100, 0), (20, 20))
    assert right <= left or bottom <= top
