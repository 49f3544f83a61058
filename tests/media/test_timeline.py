"""Timelines of video streams from tables, from packets, and by decoding."""

import struct
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.media import open_reader
from howard.media.iso_file import ISO_FORMAT, ZeroedMediaFile, read_boxes
from howard.media.timeline import (
    Keyframe,
    Packets,
    PacketTime,
    Timeline,
    make_timeline,
    read_packets,
)
from howard.media.video_decoder import count_frames
from tests.media.video_files import kept_clip, write_clip


def packets(stamps, keys=(), container=ISO_FORMAT, decoded=None):
    decoded = range(len(stamps)) if decoded is None else decoded
    return Packets(container, [PacketTime(s, d, 1, s in keys) for s, d in zip(stamps, decoded, strict=True)])


def test_frames_are_in_presentation_order():
    found = make_timeline(packets([0, 3, 1, 2, 4, 6, 5], keys=(0, 4)), 0, reorders=True)
    assert found == Timeline(7, tuple(range(7)), (Keyframe(0, 0), Keyframe(4, 4)), 7)
    assert [found.index_of(stamp) for stamp in (0, 6, 7, None)] == [0, 6, None, None]


def test_frames_before_the_first_decodable_one_are_not_counted():
    found = make_timeline(packets([2, 0, 1, 4, 3], keys=(2,)), 2, reorders=True)
    assert found is not None
    assert found.stamps == (2, 3, 4)


def test_hidden_frames_are_not_counted_and_not_keyframes():
    times = [PacketTime(0, 0, 1, True, is_hidden=True), PacketTime(1, 1, 1, False), PacketTime(2, 2, 1, True)]
    found = make_timeline(Packets(ISO_FORMAT, times), 1, reorders=False)
    assert found == Timeline(2, (1, 2), (Keyframe(2, 1),), 3)


@pytest.mark.parametrize(
    ("given", "reorders"),
    [
        (packets([0, None, 2], keys=(0,)), False),
        (packets([0, 1, 1, 2], keys=(0,)), False),
        (packets([0, 2, 1, 3], keys=(0,)), False),
        (packets([0, 1, 2, 3], keys=(0,), decoded=[0, 1, 1, 2]), True),
        (packets([*range(20, 40), *range(20)], keys=(20, 0)), True),
        # Times of decoding, where frames change places.
        (packets([0, 1, 2, 3], keys=(0,), container="avi"), True),
        (packets([1, 2, 3], keys=(1,)), False),
        (Packets(ISO_FORMAT, [PacketTime(0, 0, 1, True), PacketTime(1, 1, 1, False, may_be_invisible=True)]), False),
        (packets([], keys=()), False),
    ],
)
def test_insufficient_packets_require_counting(given, reorders):
    assert make_timeline(given, 0, reorders) is None


def test_a_missing_first_timestamp_requires_counting():
    assert make_timeline(packets([0, 1, 2], keys=(0,)), None, reorders=False) is None


def test_unseekable_containers_have_no_keyframes():
    found = make_timeline(packets([0, 1, 2], keys=(0,), container="asf"), 0, reorders=False)
    assert found is not None
    assert found.keyframes == ()


@settings(deadline=None)
@given(st.permutations(range(8)))
def test_reordering_within_the_picture_buffer_is_accepted(order):
    found = make_timeline(packets([0, *(1 + each for each in order)], keys=(0,)), 0, reorders=True)
    assert found is not None
    assert found.stamps == tuple(range(9))


ISO_CLIPS = [("h264", ".mp4"), ("h264-long", ".mov"), ("hevc-open-gop", ".mp4"), ("mpeg4", ".mov"), ("prores", ".mov")]


@pytest.mark.parametrize(("codec", "suffix"), ISO_CLIPS)
@pytest.mark.parametrize("options", [(), ("-movflags", "faststart"), ("-movflags", "frag_keyframe+empty_moov")])
def test_tables_agree_with_packets(codec, suffix, options):
    path = kept_clip(codec, suffix, *options)
    found = read_packets(path, 0)
    with av.open(str(path)) as container:
        expected = [
            (each.pts, each.dts, each.duration, each.is_keyframe) for each in container.demux(video=0) if each.size
        ]
    assert [each[:4] for each in found.times] == expected
    assert found.cut_off == 0


def test_media_data_are_not_read(tmp_path):
    for codec in ("h264", "prores"):
        path = write_clip(tmp_path / f"{codec}.mov", codec, "-movflags", "faststart")
        with path.open("rb") as file:
            (media,) = [box for box in read_boxes(file, 0, path.stat().st_size) if box.kind == b"mdat"]
        expected = read_packets(path, 0)
        data = bytearray(path.read_bytes())
        # What opening needs comes first.
        data[(media.begin + media.end) // 2 : media.end] = bytes(media.end - (media.begin + media.end) // 2)
        path.write_bytes(data)
        assert read_packets(path, 0) == expected


def test_a_zeroed_media_file_behaves_like_a_file(tmp_path):
    path = tmp_path / "boxes.mov"
    path.write_bytes(
        struct.pack(">I4s4s", 12, b"ftyp", b"abcd") + struct.pack(">I4sQ", 1, b"mdat", 20) + b"1234" + b"\0\0\0\x08free"
    )
    hollow = ZeroedMediaFile(path)
    assert hollow.read(1000) == path.read_bytes()[:28]
    assert hollow.read(1000) == bytes(4)
    assert hollow.read(1000) == b"\0\0\0\x08free"
    assert (hollow.read(1000), hollow.tell()) == (b"", 40)
    assert [hollow.seek(30), hollow.tell()] == [30, 30]
    assert hollow.read(4) == bytes(2)
    assert hollow.seek(-4, 2) == 36
    assert hollow.seek(1, 1) == 37
    hollow.close()


@settings(deadline=None)
@given(data=st.binary(max_size=200))
def test_random_bytes_as_boxes_terminate(tmp_path_factory, data):
    path = Path(tmp_path_factory.getbasetemp(), "rubbish.mov")
    path.write_bytes(data)
    with path.open("rb") as file:
        found = list(read_boxes(file, 0, len(data)))
    assert all(0 < box.begin <= box.end <= len(data) for box in found)


@pytest.mark.parametrize(("codec", "suffix"), [("h264", ".mp4"), ("vp8", ".webm"), ("mpeg2", ".ts")])
def test_counting_by_decoding_agrees_with_the_packets(codec, suffix):
    path = kept_clip(codec, suffix)
    counted = count_frames(path, 0, is_seekable=True)
    with open_reader(path) as reader:
        assert counted.frame_count == len(reader) == 40
        times = [frame.time for frame in reader]
    assert len(counted.stamps) == 40
    assert not counted.counted
    assert counted.keyframes[0] == Keyframe(counted.stamps[0], 0)
    assert times[1] - times[0] == times[-1] - times[-2]
