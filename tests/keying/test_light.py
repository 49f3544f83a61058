import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.colour import srgb_to_linear
from howard.keying.light import encode, from_opponent, to_linear, to_opponent


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.uint8, 1e-4), (np.uint16, 2e-4)])
def test_every_level_survives_linear_light_and_back(dtype: type, tolerance: float) -> None:
    levels = np.arange(np.iinfo(dtype).max + 1).astype(dtype)
    back = encode(to_linear(levels))
    assert np.abs(back - levels / np.iinfo(dtype).max).max() < tolerance * 8
    if dtype == np.uint8:
        assert (np.rint(back * 255) == levels).all()


def test_float_pictures_keep_what_is_above_white() -> None:
    values = np.array([-0.1, 0.5, 1.5], np.float32)
    assert to_linear(values) == pytest.approx(srgb_to_linear(values.clip(0)))
    assert encode(to_linear(values))[2] == 1


@given(st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3))
def test_opponent_axes_lead_back(colour: list[float]) -> None:
    encoded = np.array([colour], np.float32)
    opponent = to_opponent(encoded)
    assert from_opponent(opponent) == pytest.approx(encoded, abs=1e-5)


def test_greys_have_no_colour_difference() -> None:
    assert to_opponent(np.full((1, 3), 0.7, np.float32))[0] == pytest.approx([0.7, 0, 0], abs=1e-6)
