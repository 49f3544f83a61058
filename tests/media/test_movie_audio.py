"""Audio of movies: copied bit-identically or encoded as Opus, in sync, and cut to the frame range."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from howard.media import MovieWriter, open_reader
from howard.media.movie_formats import MOVIE_FORMATS
from howard.media.movie_joining import copyable_tracks

RATE = 48000
FRAMES = 24


def write_clip(path: Path, codec: str, frames: int = FRAMES, tracks: int = 1) -> Path:
    """Write a clip of 24 frames per second with noise as audio."""
    rng = np.random.default_rng(3)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=24)
        video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
        sounds = [container.add_stream(codec, rate=RATE, layout="stereo") for _ in range(tracks)]
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 9 * number, np.uint8), format="rgb24")
            frame.pts = number
            container.mux(video.encode(frame))
        for sound in sounds:
            kind = sound.codec_context.format.name
            size = sound.codec_context.frame_size or 1024
            for start in range(0, RATE * frames // 24, size):
                samples = rng.normal(0, 0.1, (2, size)).astype(np.float32)
                if not kind.endswith("p"):
                    samples = (2**15 * samples).astype(np.int16).T.reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(samples, format=kind, layout="stereo")
                frame.sample_rate, frame.pts = RATE, start
                container.mux(sound.encode(frame))
        for stream in (video, *sounds):
            container.mux(stream.encode(None))
    return path


def packets(path: Path, track: int = 0) -> list[tuple[float, bytes]]:
    """All audio packets, with their times relative to the first video frame."""
    with av.open(str(path)) as container:
        video, sound = container.streams.video[0], container.streams.audio[track]
        begin = float(video.start_time * video.time_base)
        return [(float(each.pts * each.time_base) - begin, bytes(each)) for each in container.demux(sound) if each.size]


def carry(source: Path, folder: Path, name: str, frames: range) -> Path:
    """Write a movie of a range of frames of a clip, with empty images."""
    with open_reader(source) as reader:
        clip = reader.info
    writer = MovieWriter(folder, "carried", MOVIE_FORMATS[name], clip, frames, segment_frames=5)
    numbers = [clip.first_number + index for index in frames]
    writer.begin(numbers)
    stored = writer.prepare(np.zeros((32, 32, 3 if name == "composite" else 4), np.uint8))
    for number in numbers:
        writer.write(number, stored)
    writer.finish({number: Fraction(number - 1, 24) for number in numbers})
    return folder / writer.facts["files"]


def delay_stream(clip: Path, kind: str, seconds: Fraction) -> Path:
    """A copy of a clip whose "video" or "audio" begins later."""
    delayed = clip.with_stem("delayed")
    with av.open(str(clip)) as given, av.open(str(delayed), "w") as container:
        streams = {each.index: container.add_stream_from_template(each) for each in given.streams}
        for packet in given.demux():
            if packet.size:
                delay = round(seconds / packet.time_base) if packet.stream.type == kind else 0
                packet.pts, packet.dts = packet.pts + delay, packet.dts + delay
                packet.stream = streams[packet.stream.index]
                container.mux(packet)
    return delayed


@pytest.mark.parametrize(
    ("suffix", "codec", "name"),
    [
        (".mp4", "aac", "prores"),
        (".mp4", "aac", "composite"),
        (".mov", "pcm_s16le", "prores"),
        (".mov", "pcm_s16le", "ffv1"),
        (".mkv", "libopus", "webm"),
    ],
)
def test_audio_is_copied_bit_identically_and_in_sync(tmp_path, suffix, codec, name):
    source = write_clip(tmp_path / f"shot{suffix}", codec)
    given, carried = packets(source), packets(carry(source, tmp_path, name, range(FRAMES)))
    assert [data for _, data in carried] == [data for _, data in given]
    assert [time for time, _ in carried] == pytest.approx([time for time, _ in given], abs=2e-3)


@pytest.mark.parametrize("frames", [range(6, 18), range(0, 7), range(20, 24)])
def test_audio_is_cut_to_the_frame_range(tmp_path, frames):
    source = write_clip(tmp_path / "shot.mp4", "aac")
    given, carried = packets(source), packets(carry(source, tmp_path, "prores", frames))
    begin, end = frames.start / 24, frames.stop / 24
    wanted = [
        (time, data)
        for time, data in given
        if (time >= begin or frames.start == 0) and (time < end or frames.stop == FRAMES)
    ]
    assert [data for _, data in carried] == [data for _, data in wanted]
    assert [time for time, _ in carried] == pytest.approx([time - begin for time, _ in wanted], abs=2e-3)


@pytest.mark.parametrize("name", ["prores", "ffv1"])
def test_audio_that_begins_before_the_video_stays_in_sync(tmp_path, name):
    early = delay_stream(write_clip(tmp_path / "shot.mov", "pcm_s16le"), "video", Fraction(1, 2))
    expected, carried = packets(early), packets(carry(early, tmp_path, name, range(FRAMES)))
    assert expected[0][0] == pytest.approx(-0.5)
    assert [data for _, data in carried] == [data for _, data in expected]
    assert [time for time, _ in carried] == pytest.approx([time for time, _ in expected], abs=2e-3)


def test_every_track_is_copied(tmp_path):
    source = write_clip(tmp_path / "shot.mov", "aac", tracks=2)
    result = carry(source, tmp_path, "ffv1", range(FRAMES))
    assert [data for _, data in packets(result, 1)] == [data for _, data in packets(source, 1)]


def test_unsupported_codecs_are_omitted(tmp_path):
    with open_reader(write_clip(tmp_path / "shot.mkv", "libopus")) as reader:
        clip = reader.info
    # QuickTime says that it knows Opus, and refuses its header.
    taken = {name: len(copyable_tracks(clip, name)) for name in ("mov", "mp4", "matroska", "webm")}
    assert taken == {"mov": 0, "mp4": 1, "matroska": 1, "webm": 1}


def heard(path: Path) -> np.ndarray:
    """The first track as mono at 48 kHz, from the beginning of the movie."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    with av.open(str(path)) as container:
        pieces = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
        pieces += resampler.resample(None)
    return np.concatenate([piece.to_ndarray().ravel() for piece in pieces])


def lag(given: np.ndarray, made: np.ndarray) -> int:
    """The delay of ``made`` in samples."""
    size = min(len(given), len(made))
    spectrum = np.fft.rfft(made[:size], 2 * size) * np.conj(np.fft.rfft(given[:size], 2 * size))
    shift = int(np.argmax(np.fft.irfft(spectrum)))
    return shift - 2 * size if shift >= size else shift


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "aac"), (".mov", "pcm_s16le")])
@pytest.mark.parametrize("frames", [range(FRAMES), range(6, 18)])
def test_webm_audio_is_encoded_as_opus_in_sync(tmp_path, suffix, codec, frames):
    source = write_clip(tmp_path / f"shot{suffix}", codec)
    result = carry(source, tmp_path, "webm", frames)
    with av.open(str(result)) as movie:
        (sound,) = movie.streams.audio
        assert (sound.codec_context.name, sound.channels) == ("opus", 2)
    given, made = heard(source), heard(result)
    seconds = len(frames) / 24
    assert len(made) / RATE == pytest.approx(seconds if len(frames) < FRAMES else len(given) / RATE, abs=0.03)
    begin = round(RATE * frames.start / 24)
    # AAC's own delay of an encoder's first packet shifts both alike; a millisecond is 48 samples.
    assert abs(lag(given[begin:], made)) <= 48


def test_late_audio_stays_in_sync_as_opus(tmp_path):
    late = delay_stream(write_clip(tmp_path / "shot.mov", "pcm_s16le"), "audio", Fraction(1, 4))
    made = heard(carry(late, tmp_path, "webm", range(FRAMES)))
    quiet, loud = made[: RATE // 5], made[RATE // 3 : RATE // 2]
    assert np.abs(quiet).max() < 1e-3
    assert np.abs(loud).max() > 0.05


@pytest.mark.parametrize("name", ["prores", "ffv1", "webm"])
def test_languages_are_copied(tmp_path, name):
    spoken = tmp_path / "spoken.mov"
    with av.open(str(write_clip(tmp_path / "shot.mov", "aac"))) as given, av.open(str(spoken), "w") as container:
        streams = {each.index: container.add_stream_from_template(each) for each in given.streams}
        streams[1].metadata["language"] = "ger"
        for packet in given.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                container.mux(packet)
    with av.open(str(carry(spoken, tmp_path, name, range(FRAMES)))) as movie:
        assert movie.streams.audio[0].metadata["language"] == "ger"


def test_audio_that_cannot_be_encoded_is_omitted(tmp_path, monkeypatch):
    monkeypatch.setattr("howard.media.movie_writer.can_encode", lambda path, track: False)
    result = carry(write_clip(tmp_path / "shot.mp4", "aac"), tmp_path, "webm", range(FRAMES))
    with av.open(str(result)) as movie:
        assert len(movie.streams.audio) == 0
