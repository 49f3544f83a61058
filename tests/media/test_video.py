"""Reading videos: order, random access, rotation, frame times, and invalid files."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from howard.errors import InputError
from howard.media import AudioTrack, open_reader
from howard.media.video_decoder import VideoDecoder


def _grey(image: np.ndarray) -> float:
    return float(image[30:, 40:].mean())


def test_frames_have_index_number_and_time(encode, numbered):
    with open_reader(encode(numbered)) as reader:
        frames = list(reader)
    assert [frame.index for frame in frames] == list(range(20))
    assert [frame.number for frame in frames] == list(range(1, 21))
    assert [frame.time for frame in frames] == [Fraction(index, 24) for index in range(20)]
    assert [_grey(frame.image) for frame in frames] == pytest.approx([_grey(image) for image in numbered], abs=2)


def test_info_is_known_before_frames_are_read(encode, numbered):
    info = open_reader(encode(numbered, rate=30)).info
    assert (info.duration, info.dtype, info.start_time, info.audio) == (Fraction(20, 30), "uint8", 0, ())
    assert (info.width, info.height, info.frame_count, info.frame_rate) == (64, 48, 20, 30)
    assert (info.rotation, info.pixel_format, info.pixel_aspect, info.first_number) == (0, "yuv444p", 1, 1)


def test_random_order_gives_the_same_frames(encode, numbered):
    reader = open_reader(encode(numbered))
    in_order = [frame.image for frame in reader]
    for index in [*np.random.default_rng(0).permutation(20).tolist(), 19, 0, 0, 19]:
        frame = reader[index]
        assert frame.index == index
        np.testing.assert_array_equal(frame.image, in_order[index])


def test_reading_in_order_never_seeks(encode, numbered, monkeypatch):
    reader = open_reader(encode(numbered))
    jumps = []
    monkeypatch.setattr(VideoDecoder, "seek", lambda self, stamp: jumps.append(stamp))
    assert len(list(reader)) == 20
    assert jumps == []


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


@pytest.mark.parametrize("name", ["vfr.mkv", "vfr.mp4"])
def test_variable_frame_rate_keeps_frame_times(encode, numbered, name):
    stamps = [0, 1, 2, 5, 6, 11, 12, 20]
    reader = open_reader(encode(numbered[:8], name, rate=10, stamps=stamps))
    frames = list(reader)
    assert [frame.time for frame in frames] == [Fraction(stamp, 10) for stamp in stamps]
    assert [_grey(frame.image) for frame in frames] == pytest.approx([_grey(image) for image in numbered[:8]], abs=2)
    assert reader.info.duration == Fraction(21, 10)


@pytest.mark.parametrize("name", ["film.mov", "film.mp4"])
def test_ntsc_rates_are_exact_fractions(encode, numbered, name):
    reader = open_reader(encode(numbered, name, rate=Fraction(24000, 1001)))
    assert reader.info.frame_rate == Fraction(24000, 1001)
    assert reader.info.duration == 20 * Fraction(1001, 24000)
    assert [frame.time for frame in reader] == [index * Fraction(1001, 24000) for index in range(20)]


def test_timecode_is_read(encode, numbered):
    assert open_reader(encode(numbered[:3], "shot.mov", timecode="10:11:12:13")).info.timecode == "10:11:12:13"
    assert open_reader(encode(numbered[:3], "plain.mov")).info.timecode is None


def test_audio_tracks_are_described(tmp_path, numbered):
    path = tmp_path / "talk.mkv"
    with av.open(str(path), "w") as container:
        picture, sound = container.add_stream("libx264", rate=24), container.add_stream("pcm_s16le", rate=48000)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        for number, image in enumerate(numbered):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = number
            container.mux(picture.encode(frame))
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 4000), np.int16), format="s16", layout="stereo")
            samples.sample_rate = 48000
            samples.pts = 2000 * number
            container.mux(sound.encode(samples))
        container.mux(picture.encode(None))
    reader = open_reader(path)
    assert reader.info.audio == (AudioTrack(1, "pcm_s16le", 48000, 2),)
    assert len(list(reader)) == 20


@pytest.mark.parametrize(("rotation", "bright"), [(0, (0, 0)), (90, (1, 0)), (180, (1, 1)), (-90, (0, 1))])
def test_rotated_video_is_read_upright(encode, numbered, rotation, bright):
    reader = open_reader(encode(numbered[:2], rotation=rotation))
    height, width = (48, 64) if rotation in (0, 180) else (64, 48)
    image = reader[0].image
    assert image.shape == (height, width, 3)
    assert (reader.info.height, reader.info.width) == (height, width)
    quarters = image[..., 1].reshape(2, height // 2, 2, width // 2).mean(axis=(1, 3))
    assert np.unravel_index(quarters.argmax(), (2, 2)) == bright


@pytest.mark.parametrize("index", [-1, 20])
def test_indices_outside_the_clip_raise(encode, numbered, index):
    with pytest.raises(IndexError, match="frames 0 to 19"):
        open_reader(encode(numbered))[index]


def test_missing_path(tmp_path):
    with pytest.raises(InputError, match=r"shot\.mp4 does not exist"):
        open_reader(tmp_path / "shot.mp4")


@pytest.mark.parametrize("content", [b"", b"this is not a video at all" * 100])
def test_empty_files_and_text_raise(tmp_path, content):
    path = tmp_path / "shot.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"shot\.mp4 (is empty|cannot be read as a video)"):
        open_reader(path)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_an_mp4_without_its_index_raises(encode, numbered, tmp_path, kept):
    whole = encode(numbered).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(InputError, match=r"cut\.mp4 (cannot be read as a video|has no video stream).*whole"):
        open_reader(tmp_path / "cut.mp4")


def test_a_truncated_mp4_ends_with_its_last_complete_frame_and_a_note(encode, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (20, 48, 64, 3), np.uint8)
    whole = encode(noise, "whole.mp4", options={"movflags": "faststart"}).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    with open_reader(tmp_path / "cut.mp4") as reader:
        assert 0 < len(list(reader)) == len(reader) < 20
        assert reader.info.notes == (
            f"the file is cut short, its last {20 - len(reader)} frames are missing; copy it again",
        )


def test_a_change_of_size_raises(tmp_path, numbered):
    with open(tmp_path / "two.h264", "wb") as both:
        for size in ((48, 64), (96, 128)):
            with av.open(str(tmp_path / "one.h264"), "w") as container:
                stream = container.add_stream("libx264", rate=24)
                stream.height, stream.width = size
                stream.pix_fmt = "yuv420p"
                for number, image in enumerate(numbered[:3]):
                    frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(size[1], size[0], "yuv420p")
                    frame.pts = number
                    container.mux(stream.encode(frame))
                container.mux(stream.encode(None))
            both.write((tmp_path / "one.h264").read_bytes())
    with pytest.raises(InputError, match=r"two\.h264: frame 4 is 128x96 yuv420p, unlike the first"):
        list(open_reader(tmp_path / "two.h264"))


def test_interlaced_video_raises(tmp_path, numbered):
    path = tmp_path / "tape.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"x264-params": "tff=1"}
        for number, image in enumerate(numbered[:3]):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match="interlaced"):
        open_reader(path)


@pytest.mark.parametrize(
    "name",
    [
        "my shot (final) v2.mp4",
        'it\'s "quoted".mp4',
        "key=value,other=1.mp4",
        "夕焼け_été_🎬.mp4",
        "-leading dash.mp4",
        "http:colon.mp4",
        "100%d [best] #1.mp4",
        "x" * 251 + ".mp4",
    ],
)
def test_any_valid_file_name_is_read(encode, numbered, name):
    reader = open_reader(encode(numbered[:3], name))
    assert len(list(reader)) == 3
    assert (reader.info.name, reader.info.files) == (name.removesuffix(".mp4"), (reader.info.path,))


def test_file_names_with_a_leading_dash(encode, numbered, monkeypatch, tmp_path):
    encode(numbered[:2], "-i.mp4")
    monkeypatch.chdir(tmp_path)
    assert len(open_reader("-i.mp4")) == 2


@pytest.mark.parametrize("name", ["x" * 300 + ".mp4", "shot\0.mp4"])
def test_invalid_file_names_raise(tmp_path, name):
    with pytest.raises(InputError, match="check the path"):
        open_reader(tmp_path / name)


def test_audio_files_raise(tmp_path):
    path = tmp_path / "voice.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
    with pytest.raises(InputError, match="has no video stream"):
        open_reader(path)


def test_a_truncated_file_ends_with_its_last_complete_frame(encode, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (20, 48, 64, 3), np.uint8)
    whole = encode(noise, "whole.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    reader = open_reader(tmp_path / "cut.mkv")
    assert 0 < len(reader) < 20
    assert len(list(reader)) == len(reader)


def test_sample_shot_reads(pytestconfig):
    path = Path(pytestconfig.rootpath, "data", "sample", "shot.mp4")
    if not path.exists():
        pytest.skip("data/sample is not here")
    with open_reader(path) as reader:
        assert (len(reader), reader.info.frame_rate, reader.info.matrix) == (36, 24, "bt709")
        assert reader[35].image.shape == (720, 1280, 3)


def test_a_standard_rate_is_recovered_from_a_rounded_one(encode, numbered) -> None:
    reader = open_reader(encode(numbered, "clip.mkv", rate=Fraction(60000, 1001)))
    assert reader.info.frame_rate == Fraction(60000, 1001)


def test_decoding_can_begin_at_every_keyframe(encode, numbered):
    path = encode(numbered, gop=4)
    with av.open(str(path)) as container:
        keys = [index for index, frame in enumerate(container.decode(video=0)) if frame.key_frame]
    assert 1 < len(keys) < len(numbered)
    with open_reader(path) as reader:
        assert list(reader.entry_points) == keys
