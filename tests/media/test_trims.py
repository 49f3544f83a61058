"""Losslessly trimmed files: exactly the frames that a player shows are read."""

import itertools
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

from howard.media import open_reader
from tests.media.video_files import CODECS, closest, decode, ffmpeg, kept_clip, read_by_jumps, read_in_order, write_clip

# From when, and for how long, in seconds: within the first group of pictures, at a keyframe, behind one, to the end.
CUTS = [("0.20", None), ("0.50", None), ("0.54", None), ("0.75", "0.3"), ("1.30", "0.1")]
WITHOUT_EDITS = ("-use_editlist", "0", "-avoid_negative_ts", "disabled")


def trim(source, target, begin, duration=None, *options):
    length = ["-t", duration] if duration else []
    ffmpeg("-ss", begin, "-i", source, *length, "-c", "copy", *options, target)
    return target


class Original(NamedTuple):
    """An untrimmed clip: digests of its frames as read, and the frames as a player shows them."""

    digests: list[str]
    shown: np.ndarray


@cache
def original(source):
    return Original(read_in_order(source), decode(source))


def check_trim(path, source):
    """Check that exactly the frames that a player shows of a trimmed clip are read."""
    shown = decode(path)
    in_order = read_in_order(path)
    assert len(in_order) == len(shown)
    with open_reader(path) as reader:
        assert [closest(frame.image, shown) for frame in reader] == list(range(len(shown)))
        assert not any(frame.damaged for frame in reader)
    assert read_by_jumps(path) == in_order
    # As they were before: a trim encodes nothing. Its last frames may lack one that is stored behind the cut.
    whole = original(source)
    kept = [closest(frame, whole.shown) for frame in shown]
    assert kept == sorted(set(kept))
    assert in_order == [whole.digests[index] for index in kept]


@pytest.mark.parametrize(("begin", "count"), [("0.20", 35), ("0.50", 28), ("0.54", 27)])
def test_frames_hidden_by_an_edit_list_are_not_shown(tmp_path, begin, count):
    source = kept_clip("h264", ".mp4")
    path = trim(source, tmp_path / "trim.mov", begin)
    check_trim(path, source)
    with open_reader(path) as reader:
        assert (len(reader), reader.info.frame_rate, reader.info.start_time) == (count, 24, 0)
        assert reader.info.duration == Fraction(count, 24)


def test_open_groups_of_pictures(tmp_path):
    source = kept_clip("hevc-open-gop", ".mp4")
    check_trim(trim(source, tmp_path / "trim.mp4", "0.54"), source)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("codec", "suffix"),
    [
        *itertools.product(
            [codec for codec in CODECS if codec.startswith(("h264", "hevc"))], [".mp4", ".mov", ".mkv", ".ts"]
        )
    ],
)
def test_all_cuts(tmp_path, codec, suffix):
    source = kept_clip(codec, ".mp4")
    for number, (begin, duration) in enumerate(CUTS):
        path = trim(source, tmp_path / f"{number}{suffix}", begin, duration)
        try:
            is_empty = len(decode(path)) == 0
        except OSError:
            continue  # a stream without its headers: nobody can read it
        if not is_empty:
            check_trim(path, source)


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["h264", "hevc-open-gop", "mpeg2", "mpeg4", "prores", "av1"])
def test_cuts_without_an_edit_list(tmp_path, codec):
    # MP4 may not hold ProRes, nor QuickTime AV1.
    source = kept_clip(codec, ".mov" if codec == "prores" else ".mp4")
    suffix = ".mp4" if codec == "av1" else ".mov"
    for number, (begin, duration) in enumerate(CUTS):
        check_trim(trim(source, tmp_path / f"{number}{suffix}", begin, duration, *WITHOUT_EDITS), source)


def test_streams_cut_between_keyframes_begin_at_the_first_decodable_frame(tmp_path):
    """A broadcast recording that starts between keyframes: no player shows frames before the first keyframe."""
    source = write_clip(tmp_path / "whole.ts", "mpeg2")
    data = source.read_bytes()
    packets = len(data) // 188
    # The tables are repeated every tenth of a second.
    (tmp_path / "joined.ts").write_bytes(data[188 * (packets // 4) :])
    in_order = read_in_order(tmp_path / "joined.ts")
    assert 0 < len(in_order) < 40
    assert read_by_jumps(tmp_path / "joined.ts") == in_order
    whole = read_in_order(source)
    assert in_order[12:] == whole[len(whole) - len(in_order) + 12 :]
