"""Random access gives the same frames as sequential decoding, in every codec and container."""

import itertools

import av
import numpy as np
import pytest

from howard.media import open_reader
from howard.media.video_decoder import VideoDecoder
from tests.media.video_files import (
    CODECS,
    RATE,
    closest,
    decode,
    digest,
    ffmpeg,
    kept_clip,
    read_by_jumps,
    read_in_order,
    replace_bytes,
    write_clip,
)

QUICK = [
    ("h264", ".mp4"),
    ("h264-open-gop", ".mkv"),
    ("h264", ".mxf"),
    ("hevc-open-gop", ".mov"),
    ("mpeg2", ".ts"),
    ("mpeg4", ".avi"),
    ("prores", ".mov"),
    ("vp8", ".webm"),
    ("vp9", ".webm"),
    ("ffv1", ".mkv"),
]
# What the ffmpeg program writes without complaint, and no program reads.
UNREADABLE = {(codec, ".ts") for codec in ("vp8", "vp9", "av1", "ffv1", "mjpeg", "cineform", "v210", "animation", "dv")}
UNREADABLE |= {
    (codec, ".mpg") for codec in ("vp8", "vp9", "av1", "ffv1", "mjpeg", "cineform", "v210", "animation", "dv")
}
UNREADABLE |= {(codec, ".mpg") for codec in ("wmv", "prores", "dnxhr")}
UNREADABLE |= {("wmv", ".ts"), ("prores", ".ts"), ("dnxhr", ".ts")}
UNREADABLE |= {(codec, ".avi") for codec in ("hevc", "hevc-open-gop", "hevc-leading", "animation")}
UNREADABLE |= {("animation", ".mkv"), ("prores", ".wmv"), ("dnxhr", ".wmv")}
SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".mxf", ".ts", ".flv", ".wmv", ".ogv", ".mpg")


def check_jumps(path) -> None:
    in_order = read_in_order(path, interlaced="progressive")
    assert read_by_jumps(path, interlaced="progressive") == in_order
    with open_reader(path, interlaced="progressive") as reader:
        expected = decode(path, reader.info.width, reader.info.height)
        assert len(reader) == len(in_order) == len(expected)
        assert [closest(reader[index].image, expected) for index in (0, 1, 17, 39)] == [0, 1, 17, 39]


@pytest.mark.parametrize(("codec", "suffix"), QUICK)
def test_random_access_equals_sequential_decoding(codec, suffix):
    check_jumps(kept_clip(codec, suffix))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("codec", "suffix"), [pair for pair in itertools.product(CODECS, SUFFIXES) if pair not in QUICK]
)
def test_random_access_in_all_codecs_and_containers(codec, suffix):
    if (codec, suffix) in UNREADABLE:
        pytest.skip("no program reads it")
    try:
        path = kept_clip(codec, suffix)
    except OSError:
        pytest.skip("cannot be written")
    check_jumps(path)


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["h264", "hevc-open-gop", "av1", "prores"])
def test_random_access_in_fragmented_files(codec):
    # MP4 may not hold ProRes.
    suffix = ".mov" if codec == "prores" else ".mp4"
    check_jumps(kept_clip(codec, suffix, "-movflags", "frag_keyframe+empty_moov"))


@pytest.mark.parametrize(("codec", "suffix"), [("h264", ".h264"), ("mpeg2", ".m2v"), ("hevc", ".hevc")])
def test_streams_without_a_container_are_read_by_counting(codec, suffix):
    path = kept_clip(codec, suffix)
    assert read_by_jumps(path) == read_in_order(path)
    assert len(read_in_order(path)) == len(decode(path)) == 40
    with open_reader(path) as reader:
        assert reader.info.frame_rate == RATE


def test_wrong_keyframe_flags_are_harmless(tmp_path):
    path = write_clip(tmp_path / "true.mov", "mpeg4", "-bf", "0")
    # Without the table of keyframes every frame counts as one.
    lying = replace_bytes(path, b"stss", b"free", tmp_path / "lying.mov")
    assert read_by_jumps(lying) == read_in_order(lying) == read_in_order(path)


def test_wrong_keyframe_flags_are_used_only_once(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "true.mov", "mpeg4", "-bf", "0")
    lying = replace_bytes(path, b"stss", b"free", tmp_path / "lying.mov")
    jumps = []
    seek = VideoDecoder.seek
    monkeypatch.setattr(VideoDecoder, "seek", lambda self, stamp: jumps.append(stamp) or seek(self, stamp))
    with open_reader(lying) as reader:
        list(reader)
        for index in (20, 30, 20):
            reader[index]
        first = len(jumps)
        for index in (5, 20, 35, 20):
            reader[index]
    # The keyframes that reading in order came by lie at 0, 12, 24 and 36.
    assert len(jumps) - first <= 4


def test_an_unseekable_container_is_reopened(tmp_path, monkeypatch):
    path = kept_clip("h264", ".mp4")
    in_order = read_in_order(path)

    def refuse(self, stamp):
        raise av.PermissionError(1, "not allowed")

    monkeypatch.setattr(VideoDecoder, "seek", refuse)
    assert read_by_jumps(path) == in_order


@pytest.mark.parametrize("lands", ["late", "early", "within"])
def test_seeks_past_the_target_are_detected(monkeypatch, lands):
    path = kept_clip("h264", ".mp4")
    in_order = read_in_order(path)
    seek = VideoDecoder.seek
    shift = {"late": 12 * 512, "early": -12 * 512, "within": 5 * 512}[lands]

    def astray(self, stamp):
        if lands == "within":
            self._container.seek(stamp + shift, stream=self._stream, any_frame=True)
            self._begin()
        else:
            seek(self, max(0, stamp + shift))

    monkeypatch.setattr(VideoDecoder, "seek", astray)
    assert read_by_jumps(path) == in_order


def test_hidden_alternate_references_are_not_counted():
    for codec in ("vp8", "vp9"):
        path = kept_clip(codec, ".webm")
        assert len(read_in_order(path)) == len(decode(path)) == 40


@pytest.mark.parametrize("order", [{7: 6}, {7: 8, 8: 7}], ids=["twice", "swapped"])
def test_duplicate_and_unordered_timestamps_lose_no_frame(tmp_path, order):
    source, path = kept_clip("mjpeg", ".mkv"), tmp_path / "stamps.mkv"
    with av.open(str(source)) as whole, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(whole.streams.video[0])
        for number, packet in enumerate(packet for packet in whole.demux(video=0) if packet.size):
            packet.stream = stream
            # Shown two frames after it is decoded, so that a muxer takes any order.
            packet.pts, packet.dts = 40 * (order.get(number, number) + 2), 40 * number
            target.mux(packet)
    in_order = read_in_order(path)
    assert in_order == read_in_order(source)
    assert read_by_jumps(path) == in_order
    with open_reader(path) as reader:
        times = [frame.time for frame in reader]
    assert times == sorted(times)


def test_a_clock_reset_loses_no_frame(tmp_path):
    path = kept_clip("mpeg2", ".ts")
    both = tmp_path / "both.ts"
    both.write_bytes(path.read_bytes() + path.read_bytes())
    single = read_in_order(path)
    assert read_in_order(both) == single * 2
    assert read_by_jumps(both) == single * 2


def test_two_edits_are_read_as_one_clip(tmp_path):
    """A QuickTime movie whose edit list shows frames 6 to 11 and 18 to 29."""
    path = write_clip(tmp_path / "plain.mov", "h264-ordered", "-g", "6", "-video_track_timescale", "24")
    edited = tmp_path / "edited.mov"
    edited.write_bytes(with_edits(path.read_bytes(), [(6, 6), (12, 18)]))
    shown = decode(edited)
    whole = decode(path)
    assert [closest(image, whole) for image in shown] == [*range(6, 12), *range(18, 30)]
    in_order = read_in_order(edited)
    plain = read_in_order(path)
    assert in_order == [*plain[6:12], *plain[18:30]]
    assert read_by_jumps(edited) == in_order


def with_edits(data: bytes, edits: list[tuple[int, int]]) -> bytes:
    """A QuickTime file (tables at the end) with an edit list; each edit is a number of frames and the first one."""
    import struct

    movie_scale = struct.unpack(">I", data[(at := data.index(b"mvhd") + 16) : at + 4])[0]
    begin = data.index(b"elst") - 4
    size = struct.unpack(">I", data[begin : begin + 4])[0]
    entries = b"".join(struct.pack(">IiI", count * movie_scale // 24, first, 65536) for count, first in edits)
    new = struct.pack(">I4sII", 16 + len(entries), b"elst", 0, len(edits)) + entries
    changed = bytearray(data)
    for name in (b"edts", b"trak", b"moov"):
        where = changed.rindex(name, 0, begin + 8) - 4
        old = struct.unpack(">I", changed[where : where + 4])[0]
        changed[where : where + 4] = struct.pack(">I", old + len(new) - size)
    changed[begin : begin + size] = new
    return bytes(changed)


def test_frame_digests_are_distinct():
    assert len(set(read_in_order(kept_clip("h264", ".mp4")))) == 40
    assert digest(np.zeros((2, 2, 3), np.uint8)) != digest(np.ones((2, 2, 3), np.uint8))
    assert ffmpeg("-version")
