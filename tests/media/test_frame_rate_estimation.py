"""Frame rates from the container and from the frames' presentation times."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.media import open_reader
from howard.media.frame_rate_estimation import choose_frame_rate, is_constant_rate
from tests.media.video_files import write_clip

NTSC = [Fraction(1000 * frames, 1001) for frames in (24, 30, 60)]
MILLISECONDS = Fraction(1, 1000)


def stamps_of(rate, count, time_base=MILLISECONDS, first=0):
    return [first + round(number / (rate * time_base)) for number in range(count)]


@settings(deadline=None)
@given(
    rate=st.sampled_from([*NTSC, *map(Fraction, (24, 25, 30, 48, 50, 60, 120))]),
    count=st.integers(100, 400),
    first=st.integers(0, 10**6),
    said=st.sampled_from([None, Fraction(1000), Fraction(293, 12), Fraction(1000, 33), Fraction(17)]),
)
def test_constant_rate_from_rounded_milliseconds(rate, count, first, said):
    stamps = stamps_of(rate, count, first=first)
    assert is_constant_rate(stamps, rate, MILLISECONDS)
    assert choose_frame_rate(said, stamps, MILLISECONDS) == rate


@settings(deadline=None)
@given(rate=st.fractions(Fraction(1), Fraction(200), max_denominator=1001), count=st.integers(2, 50))
def test_a_stated_rate_is_kept_if_the_times_agree(rate, count):
    base = 1 / (rate.numerator * Fraction(1000))
    standard = next((each for each in NTSC if abs(rate / each - 1) < Fraction(1, 10**5)), rate)
    assert choose_frame_rate(rate, stamps_of(rate, count, base), base) == standard


@pytest.mark.parametrize("written", [Fraction(2997, 100), Fraction(19001, 634), Fraction(30000, 1001)])
def test_rounded_decimals_become_ntsc_rates(written):
    assert choose_frame_rate(written, [], MILLISECONDS) == Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("stamps", "said", "expected"),
    [
        # Two frames of each twelve dropped.
        ([number for number in range(120) if number % 12 not in (3, 7)], Fraction(20), 24),
        # A phone: 30 frames a second, give or take a few milliseconds.
        ([round(1000 * number / 30 + (number * 7 % 5 - 2) / 2) for number in range(90)], Fraction(2990, 100), 30),
    ],
)
def test_variable_rates_have_the_nominal_rate(stamps, said, expected):
    base = Fraction(1, 24) if expected == 24 else MILLISECONDS
    assert choose_frame_rate(said, stamps, base) == expected


def test_without_a_nominal_rate_the_mean_is_used():
    stamps = [0, 10, 110, 120, 340, 350, 900]
    assert choose_frame_rate(None, stamps, MILLISECONDS) == Fraction(6 * 1000, 900).limit_denominator(1001)


@pytest.mark.parametrize(
    ("said", "expected"), [(None, 25), (Fraction(0), 25), (Fraction(1000), 25), (Fraction(50), 50)]
)
def test_one_frame_has_the_stated_rate(said, expected):
    assert choose_frame_rate(said, [0], MILLISECONDS) == expected
    assert choose_frame_rate(said, [], MILLISECONDS) == expected


@pytest.mark.parametrize("rate", ["30000/1001", "60", "24", "25"])
def test_matroska_without_a_default_duration(tmp_path, rate):
    path = write_clip(tmp_path / "clip.mkv", "h264", "-r", rate, filters=f"setpts=N/({rate})/TB")
    data = bytearray(path.read_bytes())
    at = data.index(bytes.fromhex("23e383"))
    length = 4 + (data[at + 3] & 0x7F)
    # The element becomes Void, which readers skip.
    data[at : at + length] = bytes([0xEC, 0x80 | (length - 2)]) + bytes(length - 2)
    path.write_bytes(data)
    with open_reader(path) as reader:
        assert reader.info.frame_rate == Fraction(rate)
        assert reader.info.duration == len(reader) / Fraction(rate)
        assert [frame.time for frame in reader][:5] == [number / Fraction(rate) for number in range(5)]


def test_flash_video_frame_rate(tmp_path):
    path = write_clip(tmp_path / "clip.flv", "h264", "-r", "30000/1001", filters="setpts=N/(30000/1001)/TB")
    with open_reader(path) as reader:
        assert reader.info.frame_rate == Fraction(30000, 1001)


def test_frames_that_a_recorder_dropped_keep_their_times(tmp_path):
    path = write_clip(tmp_path / "vfr.mp4", "h264", "-fps_mode", "vfr", filters="select=not(eq(n\\,3)+eq(n\\,4))")
    with open_reader(path) as reader:
        assert (len(reader), reader.info.frame_rate) == (38, 24)
        times = [frame.time for frame in reader]
    assert times == [Fraction(number, 24) for number in range(40) if number not in (3, 4)]
