"""Reading videos: order, random access, rotation, time, and what is refused."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from howard.errors import InputError
from howard.media import open_reader


def _grey(image: np.ndarray) -> float:
    return float(image[30:, 40:].mean())


def test_frames_come_in_order_with_index_number_and_time(encode, numbered):
    with open_reader(encode(numbered)) as reader:
        frames = list(reader)
    assert [frame.index for frame in frames] == list(range(20))
    assert [frame.number for frame in frames] == list(range(1, 21))
    assert [frame.time for frame in frames] == [Fraction(index, 24) for index in range(20)]
    assert [_grey(frame.image) for frame in frames] == pytest.approx([_grey(image) for image in numbered], abs=2)


def test_info_is_known_before_frames_are_read(encode, numbered):
    info = open_reader(encode(numbered, rate=30)).info
    assert (info.width, info.height, info.frame_count, info.frame_rate) == (64, 48, 20, 30)
    assert (info.rotation, info.pixel_format, info.pixel_aspect, info.first_number) == (0, "yuv444p", 1, 1)


def test_any_order_gives_what_reading_in_order_gave(encode, numbered):
    reader = open_reader(encode(numbered))
    in_order = [frame.image for frame in reader]
    for index in [*np.random.default_rng(0).permutation(20).tolist(), 19, 0, 0, 19]:
        frame = reader[index]
        assert frame.index == index
        np.testing.assert_array_equal(frame.image, in_order[index])


def test_reading_in_order_never_seeks(encode, numbered, monkeypatch):
    reader = open_reader(encode(numbered))
    rewinds = []
    monkeypatch.setattr(type(reader), "_rewind", lambda self, keyframe: rewinds.append(keyframe))
    assert len(list(reader)) == 20
    assert rewinds == []


def test_files_without_times_are_read_by_counting(encode, numbered, tmp_path):
    source = encode(numbered)
    with av.open(str(source)) as whole, av.open(str(tmp_path / "raw.h264"), "w", format="h264") as raw:
        stream = raw.add_stream_from_template(whole.streams.video[0])
        for packet in whole.demux(whole.streams.video[0]):
            if packet.size:
                packet.stream = stream
                raw.mux(packet)
    reader = open_reader(tmp_path / "raw.h264")
    assert len(reader) == 20
    for index in (7, 3, 19):
        assert _grey(reader[index].image) == pytest.approx(_grey(numbered[index]), abs=2)


def test_variable_frame_rate_keeps_every_frame_at_its_time(encode, numbered):
    stamps = [0, 1, 2, 5, 6, 11, 12, 20]
    frames = list(open_reader(encode(numbered[:8], "vfr.mkv", rate=10, stamps=stamps)))
    assert [frame.time for frame in frames] == [Fraction(stamp, 10) for stamp in stamps]


@pytest.mark.parametrize(("rotation", "bright"), [(0, (0, 0)), (90, (1, 0)), (180, (1, 1)), (-90, (0, 1))])
def test_rotated_phone_footage_stands_upright(encode, numbered, rotation, bright):
    reader = open_reader(encode(numbered[:2], rotation=rotation))
    height, width = (48, 64) if rotation in (0, 180) else (64, 48)
    image = reader[0].image
    assert image.shape == (height, width, 3)
    assert (reader.info.height, reader.info.width) == (height, width)
    quarters = image[..., 1].reshape(2, height // 2, 2, width // 2).mean(axis=(1, 3))
    assert np.unravel_index(quarters.argmax(), (2, 2)) == bright


@pytest.mark.parametrize("index", [-1, 20])
def test_frames_outside_the_clip_are_refused(encode, numbered, index):
    with pytest.raises(IndexError, match="frames 0 to 19"):
        open_reader(encode(numbered))[index]


def test_missing_path(tmp_path):
    with pytest.raises(InputError, match=r"shot\.mp4 does not exist"):
        open_reader(tmp_path / "shot.mp4")


def test_folder(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        open_reader(tmp_path)


@pytest.mark.parametrize("content", [b"", b"this is not a video at all" * 100])
def test_unreadable_file(tmp_path, content):
    path = tmp_path / "shot.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"shot\.mp4 cannot be read as a video"):
        open_reader(path)


def test_sound_alone_is_no_video(tmp_path):
    path = tmp_path / "voice.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
    with pytest.raises(InputError, match="has no video in it"):
        open_reader(path)


def test_a_file_cut_short_ends_with_its_last_whole_frame(encode, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (20, 48, 64, 3), np.uint8)
    whole = encode(noise, "whole.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    reader = open_reader(tmp_path / "cut.mkv")
    assert 0 < len(reader) < 20
    assert len(list(reader)) == len(reader)


def test_hdr_is_refused(encode, numbered):
    path = encode(numbered[:2], colour={"color_trc": 18, "color_primaries": 9})
    with pytest.raises(InputError, match="HLG"):
        open_reader(path)


def test_sample_shot_reads(pytestconfig):
    path = Path(pytestconfig.rootpath, "data", "sample", "shot.mp4")
    if not path.exists():
        pytest.skip("data/sample is not here")
    with open_reader(path) as reader:
        assert (len(reader), reader.info.frame_rate, reader.info.matrix) == (36, 24, "bt709")
        assert reader[35].image.shape == (720, 1280, 3)
