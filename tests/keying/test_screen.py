"""Finding the screen and modelling it."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.screens import SCREENS
from howard.colour import linear_to_srgb
from howard.errors import InputError
from howard.keying import Screen, find_screen, model_screen
from howard.keying.image_operations import to_linear

from .conftest import Filmed


def test_the_screen_is_found_with_its_colour_and_noise(filmed: Filmed) -> None:
    screen = find_screen(filmed.clip.frames)
    assert screen.name == filmed.screen
    true = np.array(SCREENS[filmed.screen])
    assert screen.colour / screen.colour.max() == pytest.approx(true / true.max(), abs=0.05)
    assert (screen.noise < 0.03).all()
    assert screen.balance == 1


def test_a_grey_picture_has_no_screen_and_the_error_says_what_it_has() -> None:
    with pytest.raises(
        InputError, match="no green or blue screen found, green 0% and blue 0% of the picture; set screen="
    ):
        find_screen([np.full((40, 60, 3), 128, np.uint8)])


def test_a_blue_screen_is_not_a_green_one() -> None:
    blue = np.full((40, 60, 3), (20, 60, 200), np.uint8)
    assert find_screen([blue]).name == "blue"
    with pytest.raises(InputError, match="no green screen found"):
        find_screen([blue], "green")


def test_a_small_screen_is_found_only_if_named() -> None:
    picture = np.full((100, 100, 3), 128, np.uint8)
    picture[:20, :20] = (40, 180, 60)
    with pytest.raises(InputError, match="green 4%"):
        find_screen([picture])
    assert find_screen([picture], "green").name == "green"


def test_a_yellow_green_wall_is_a_screen_for_which_skin_is_no_part_of_it() -> None:
    picture = np.full((80, 120, 3), (211, 213, 24), np.uint8)
    picture[30:, 40:80] = (205, 160, 120)
    screen = find_screen([picture])
    assert screen.name == "green"
    assert screen.excess(to_linear(picture[50, 50])) < 0.02
    assert screen.excess(to_linear(picture[0, 0])) == pytest.approx(1, abs=0.01)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_excess_grows_linearly_with_the_screens_share_over_greys(grey: float, share: float, light: float) -> None:
    screen = Screen("green", np.array(SCREENS["green"], np.float32), np.full(3, 0.003, np.float32))
    mixed = (1 - share) * grey + share * light * screen.colour
    assert screen.excess(np.full(3, grey)) <= 1e-6
    assert screen.excess(mixed) == pytest.approx(share * light, abs=1e-5)
    assert screen.spill(mixed) >= share * light - 1e-5


def test_light_and_soft_shadow_are_followed_and_carried_behind_the_person(
    green: Screen, disc: Callable[..., np.ndarray]
) -> None:
    x = np.linspace(0, 1, 320, dtype=np.float32)
    light = (0.4 + 0.8 * x)[None, :, None] * (1 - 0.4 * disc(180, 320, 250, 90, 30, soft=50))[..., None] * green.colour
    alpha = disc(180, 320, 120, 100, 35)[..., None]
    model = model_screen((alpha * 0.02 + (1 - alpha) * light).astype(np.float32), green)
    error = np.abs(model.colour - light)[..., 1] / light[..., 1]
    assert error.mean() < 0.02
    assert error[65:135, 85:155].max() < 0.12
    assert not model.is_certain[alpha[..., 0] > 0].any()


def test_a_picture_without_screen_is_measured_against_the_clips_own(green: Screen) -> None:
    model = model_screen(np.full((40, 60, 3), 0.2, np.float32), green)
    assert not model.is_certain.any()
    assert (model.colour == green.colour).all()


def test_the_depth_of_the_picture_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    wall = linear_to_srgb(np.array(SCREENS["blue"])) + rng.normal(0, 0.01, (40, 60, 3))
    shallow, deep = (np.rint(wall.clip(0, 1) * full).astype(kind) for full, kind in ((255, "uint8"), (65535, "uint16")))
    as_float = wall.clip(0, 1).astype(np.float32)
    colours = [find_screen([image]).colour for image in (shallow, deep, as_float)]
    assert colours[0] == pytest.approx(colours[1], rel=0.03)
    assert colours[1] == pytest.approx(colours[2], rel=0.001)
