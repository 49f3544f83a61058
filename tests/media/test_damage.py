"""Damaged files: damaged frames are flagged, missing ones raise, and all others are exact; interlaced video."""

import numpy as np
import pytest

from howard.errors import InputError
from howard.media import DamagedFrameError, open_reader
from tests.media.video_files import damage_packet, decode, digest, ffmpeg, kept_clip, read_in_order, write_clip

MISSING = "missing"


def read_each(path, order=None):
    """For each frame its digest and whether it is damaged, or MISSING."""
    found = {}
    with open_reader(path) as reader:
        for index in range(len(reader)) if order is None else order:
            try:
                frame = reader[index]
                found[index] = digest(frame.image), frame.damaged
            except DamagedFrameError:
                found[index] = MISSING
    return [found[index] for index in sorted(found)]


@pytest.mark.parametrize(
    ("codec", "suffix", "packet", "damaged"),
    [
        # Stored as 0 4 2 1 3: the fourth packet is that of frame 1, from which nothing is predicted.
        ("mpeg4", ".mov", 14, [13]),
        ("mpeg2", ".mov", 5, [4]),
        ("prores", ".mov", 5, [5]),
        # All that is predicted from it, up to the next keyframe.
        ("h264-ordered", ".mp4", 5, [*range(5, 12)]),
        ("h264", ".mp4", 0, [*range(12)]),
        ("mpeg4", ".avi", 0, [*range(12)]),
    ],
)
def test_damaged_frames_are_flagged(tmp_path, codec, suffix, packet, damaged):
    whole = read_in_order(kept_clip(codec, suffix))
    path = damage_packet(kept_clip(codec, suffix), packet, tmp_path / f"damaged{suffix}")
    found = read_each(path)
    assert len(found) == len(whole) == 40
    assert [index for index, frame in enumerate(found) if frame[1]] == damaged
    # All others are what they would be in a whole file.
    assert [frame[0] for index, frame in enumerate(found) if index not in damaged] == [
        name for index, name in enumerate(whole) if index not in damaged
    ]


@pytest.mark.parametrize(
    ("codec", "suffix", "packet"),
    [
        ("mpeg4", ".mov", 14),
        ("h264-ordered", ".mp4", 5),
        ("prores", ".mov", 5),
        ("dnxhr", ".mov", 5),
        ("av1", ".mp4", 14),
    ],
)
def test_damaged_frames_are_the_same_in_any_order(tmp_path, codec, suffix, packet):
    path = damage_packet(kept_clip(codec, suffix), packet, tmp_path / f"damaged{suffix}")
    order = np.random.default_rng(1).permutation(40).tolist()
    assert read_each(path, order) == read_each(path)


@pytest.mark.parametrize("packet", [0, 5, 39])
def test_an_undecodable_frame_raises_and_the_others_are_read(tmp_path, packet):
    path = damage_packet(kept_clip("dnxhr", ".mov"), packet, tmp_path / "damaged.mov")
    found = read_each(path)
    assert [index for index, frame in enumerate(found) if frame == MISSING] == [packet]
    whole = read_in_order(kept_clip("dnxhr", ".mov"))
    assert [frame[0] for frame in found if frame != MISSING] == [name for i, name in enumerate(whole) if i != packet]
    with (
        open_reader(path) as reader,
        pytest.raises(DamagedFrameError, match=f"frame {packet + 1} of 40 is missing or damaged"),
    ):
        reader[packet]


def test_a_partial_download_ends_with_its_last_complete_frame(tmp_path):
    whole = write_clip(tmp_path / "whole.mp4", "h264", "-movflags", "faststart")
    data = whole.read_bytes()
    path = tmp_path / "half.mp4"
    path.write_bytes(data[: len(data) * 6 // 10])
    found = read_each(path)
    assert [frame[0] for frame in found] == read_in_order(whole)[: len(found)]
    assert not any(frame[1] for frame in found)
    assert len(found) == len(decode(path))
    with open_reader(path) as reader:
        (note,) = reader.info.notes
    assert note == f"the file is cut short, its last {40 - len(found)} frames are missing; copy it again"


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [
        *[("h264-ordered", suffix) for suffix in (".mkv", ".ts", ".avi", ".flv")],
        *[("mpeg2", ".mxf"), ("mpeg2", ".ts"), ("mjpeg", ".avi"), ("mjpeg", ".mkv")],
    ],
)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_truncated_files_without_an_index_are_read_to_the_end(tmp_path, codec, suffix, share):
    data = kept_clip(codec, suffix).read_bytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(data[: int(len(data) * share)])
    try:
        found = read_each(path)
    except InputError:
        # Some need their end to be understood at all.
        return
    whole = read_in_order(kept_clip(codec, suffix))
    sound = [frame[0] for frame in found if frame != MISSING and not frame[1]]
    kept = [whole.index(name) for name in sound]
    assert kept == sorted(set(kept))
    # Two frames that are stored behind the cut may be shown before the last one.
    assert kept[:-1] == [*range(len(kept) - 1)]
    assert kept[-1] <= len(kept) + 1
    assert len(found) - len(sound) <= 2


def test_every_frame_is_checked_for_interlacing(tmp_path):
    """The file begins with progressive frames."""
    parts = []
    for number, options in enumerate([(), ("-flags", "+ilme+ildct", "-vf", "setfield=tff")]):
        parts.append(write_clip(tmp_path / f"{number}.ts", "mpeg2", "-frames:v", "12", "-bf", "0", *options))
    path = tmp_path / "mixed.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    with (
        open_reader(path) as reader,
        pytest.raises(InputError, match=r"is interlaced \(frame 13\).*interlaced=progressive"),
    ):
        list(reader)
    with open_reader(path, interlaced="progressive") as reader:
        assert len(list(reader)) == 24


@pytest.mark.parametrize(
    "codec", ["-c:v libx264 -flags +ilme+ildct -x264opts tff=1", "-c:v prores_ks -flags +ildct+ilme", "-c:v v210"]
)
def test_progressive_frames_flagged_as_interlaced(tmp_path, codec):
    path = tmp_path / "psf.mov"
    ffmpeg("-i", kept_clip("h264", ".mp4"), "-vf", "setfield=tff", *codec.split(), "-field_order", "tt", path)
    with pytest.raises(InputError, match="is interlaced"):
        open_reader(path)
    with open_reader(path, interlaced="progressive") as reader:
        assert len(list(reader)) == 40


def test_unknown_interlaced_setting_lists_the_choices(tmp_path):
    with pytest.raises(Exception, match="interlaced=maybe is not known; choose auto, progressive"):
        open_reader(kept_clip("h264", ".mp4"), interlaced="maybe")
