"""Timecode arithmetic."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.media.timecode import parse_timecode, shift_timecode

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("start", "frames", "rate", "expected"),
    [
        ("01:00:00:00", 0, Fraction(24), "01:00:00:00"),
        ("01:00:00:00", 25, Fraction(24), "01:00:01:01"),
        ("10:59:59:23", 1, Fraction(24000, 1001), "11:00:00:00"),
        ("23:59:59:24", 1, Fraction(25), "00:00:00:00"),
        ("00:00:59;29", 1, NTSC, "00:01:00;02"),
        ("00:09:59;29", 1, NTSC, "00:10:00;00"),
        ("00:00:00;00", 17982, NTSC, "00:10:00;00"),
        ("01:00:00;00", 107892, NTSC, "02:00:00;00"),
        ("00:00:59;59", 1, 2 * NTSC, "00:01:00;04"),
        ("23:59:59;29", 1, NTSC, "00:00:00;00"),
    ],
)
def test_shifting_by_known_amounts(start, frames, rate, expected):
    assert shift_timecode(start, frames, rate) == expected


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2_500_000), st.integers(0, 100_000), st.sampled_from([":", ";"]))
def test_shifts_add_up(first, second, separator):
    start = f"00:00:00{separator}00"
    halfway = shift_timecode(start, first, NTSC)
    assert halfway is not None
    assert shift_timecode(halfway, second, NTSC) == shift_timecode(start, first + second, NTSC)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2_000_000))
def test_drop_frame_skips_numbers_and_follows_the_clock(frames):
    shifted = shift_timecode("00:00:00;00", frames, NTSC)
    assert shifted is not None
    code = parse_timecode(shifted)
    assert code is not None
    assert code.frames >= 2 or code.seconds > 0 or code.minutes % 10 == 0
    clock = 3600 * code.hours + 60 * code.minutes + code.seconds + code.frames / 30
    assert clock == pytest.approx(frames / NTSC % 86400, abs=0.15)


@pytest.mark.parametrize("text", ["", "soon", "1:2:3:4", "01:00:00"])
def test_invalid_timecodes_are_none(text):
    assert shift_timecode(text, 1, NTSC) is None
