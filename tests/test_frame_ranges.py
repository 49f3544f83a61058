"""Frame ranges as text, numbers, `range` and pairs, and frames in words."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.errors import SettingsError
from howard.frame_ranges import format_frames, parse_frames, range_as_text
from howard.media import ClipInfo, choose_frames
from howard.options import RenderOptions, choose_options


def clip(first: int = 1001, count: int = 20) -> ClipInfo:
    rate = Fraction(24)
    return ClipInfo(Path("a.mov"), (), "a", 64, 64, count, rate, count / rate, "rgb24", first_number=first)


@pytest.mark.parametrize("frames", ["1003-1007", " 1003 - 1007 ", range(1003, 1008), (1003, 1007), [1003, 1007]])
def test_all_forms_of_a_range_name_the_same_frames(frames):
    assert choose_frames(frames, clip()) == range(2, 7)


@pytest.mark.parametrize("frames", [1005, "1005", range(1005, 1006), (1005, 1005)])
def test_all_forms_of_a_single_frame_name_it(frames):
    assert choose_frames(frames, clip()) == range(4, 5)


def test_without_a_range_all_frames_are_chosen():
    assert choose_frames(None, clip()) == range(20)


@given(st.integers(0, 10**9), st.integers(0, 10**6))
def test_forms_agree(start, length):
    text = f"{start}-{start + length}"
    assert range_as_text(range(start, start + length + 1)) == range_as_text((start, start + length)) == text
    assert parse_frames(text, 1, 2) == (start, start + length)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (range(3, 3), r"frames=range\(3, 3\) is empty or has a step; give consecutive frames"),
        (range(1, 9, 2), r"frames=range\(1, 9, 2\) is empty or has a step; give consecutive frames"),
        (range(9, 1, -1), "is empty or has a step"),
        ((1, 2, 3), r"frames=\(1, 2, 3\) is not a first and a last frame; write frames=\(10, 20\)"),
        ((1,), "is not a first and a last frame"),
        ((1.5, 2), "is not a first and a last frame"),
        ((True, 2), "is not a first and a last frame"),
        ([], "is not a first and a last frame"),
        ((1007, 1003), "frames=1007-1003 ends before it begins; write frames=1003-1007"),
        ((-3, 2), "frames=-3-2 is not a frame or a range; write frames=40 or frames=1001-1020"),
        ("1003-", "frames=1003- is not a frame or a range; write frames=40 or frames=1001-1020"),
        ("9" * 30, "is not a frame or a range"),
        (range(1000, 1003), "frames=1000-1002 is outside a.mov, which has frames 1001-1020"),
        ((1020, 1021), "frames=1020-1021 is outside a.mov, which has frames 1001-1020"),
        (7, "frames=7 is outside a.mov"),
    ],
)
def test_other_values_are_refused_in_one_line(frames, message):
    with pytest.raises(SettingsError, match=message):
        choose_frames(frames, clip())


def test_options_take_ranges_and_pairs_and_store_them_as_text():
    options = RenderOptions(frames=range(10, 21), plate_frames=(1, 40))
    assert (options.frames, options.plate_frames) == ("10-20", "1-40")
    assert options == RenderOptions(frames="10-20", plate_frames="1-40")
    assert choose_options(None, {"frames": (10, 20)}).frames == "10-20"
    with pytest.raises(SettingsError, match=r"plate_frames=range\(0, 0\) is empty"):
        RenderOptions(plate_frames=range(0))


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([7], "frame 7"),
        ([3, 4, 5, 6, 7, 12], "frames 3-7, 12"),
        (range(0, 20, 2), "frames 0, 2, 4, 6, 8, 10, 12, 14 and 2 more"),
    ],
)
def test_frames_are_named_in_runs(numbers, text):
    assert format_frames(numbers) == text
