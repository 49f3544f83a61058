"""Encoding audio as Opus, for containers that do not accept the codecs of cameras."""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.stream import Stream

from howard.media.frame import AudioTrack
from howard.media.streams import open_container

# Hz; the only sample rate of Opus above 24 kHz (RFC 6716, 2).
_SAMPLE_RATE = 48000
# Samples of a packet of 20 ms.
_PACKET_SAMPLES = 960
# Bits per second and channel, at which Opus is about transparent for music.
_CHANNEL_BIT_RATE = 96_000
# Channel layouts by the number of channels (RFC 7845, 5.1.1.2).
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
# Seconds; smaller differences between timestamps are not gaps or overlaps, since containers round to milliseconds.
_TOLERANCE = Fraction(1, 50)
_CODEC = "libopus"


class OpusSource(NamedTuple):
    """An audio ``track`` of a file and the time range to encode, in seconds on the file's clock.

    The movie begins at ``origin``. Audio before ``begin`` and from ``end`` on is omitted; None means no limit.
    """

    path: Path
    track: AudioTrack
    origin: Fraction
    begin: Fraction | None
    end: Fraction | None


def can_encode(path: Path, track: AudioTrack) -> bool:
    """Whether a track can be encoded as Opus: it can be decoded, and its number of channels has a layout."""
    if track.channels not in _LAYOUTS or _CODEC not in av.codecs_available:
        return False
    try:
        with open_container(path) as container:
            stream = container.streams[track.stream_index]
            frame = next(frame for frame in container.decode(stream) if isinstance(frame, av.AudioFrame))
            _resampler(track).resample(frame)
    except (av.FFmpegError, StopIteration, ValueError):
        return False
    return True


def add_opus(output: OutputContainer, source: OpusSource) -> Iterator[tuple[Fraction, av.Packet]]:
    """Add the track to a movie; returns its packets in order, with their times in seconds of the movie.

    The packets must be consumed after all streams have been added.
    """
    layout = _LAYOUTS[source.track.channels]
    stream = cast(AudioStream, output.add_stream(_CODEC, rate=_SAMPLE_RATE, layout=layout))
    stream.bit_rate = _CHANNEL_BIT_RATE * source.track.channels
    with open_container(source.path) as container:
        copy_language(container.streams[source.track.stream_index], stream)
    return _packets(stream, source, layout)


def copy_language(source: Stream, target: Stream) -> None:
    """Copy the language tag of a stream, if it has one, to a movie's stream."""
    if language := source.metadata.get("language"):
        target.metadata["language"] = language


def _packets(stream: AudioStream, source: OpusSource, layout: str) -> Iterator[tuple[Fraction, av.Packet]]:
    position = 0
    for samples in _blocks(source):
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = _SAMPLE_RATE, position, Fraction(1, _SAMPLE_RATE)
        position += len(samples)
        yield from _timed(stream.encode(frame))
    yield from _timed(stream.encode(None))


def _timed(packets: list[av.Packet]) -> Iterator[tuple[Fraction, av.Packet]]:
    for packet in packets:
        yield (packet.pts or 0) * (packet.time_base or Fraction(1, _SAMPLE_RATE)), packet


def _blocks(source: OpusSource) -> Iterator[np.ndarray]:
    """Blocks of (960, channels) float32 from the movie's beginning on, the last one shorter; gaps become silence."""
    channels = source.track.channels
    pending = np.zeros((0, channels), np.float32)
    position = 0
    for time, samples in _decoded(source):
        start = round((time - source.origin) * _SAMPLE_RATE)
        first = 0 if source.begin is None else max(0, round((source.begin - source.origin) * _SAMPLE_RATE))
        if start < first:
            samples, start = samples[first - start :], first
        if source.end is not None:
            samples = samples[: max(0, round((source.end - source.origin) * _SAMPLE_RATE) - start)]
        if not len(samples):
            continue
        gap = start - position - len(pending)
        if gap > _TOLERANCE * _SAMPLE_RATE:
            pending = np.concatenate([pending, np.zeros((gap, channels), np.float32)])
        elif gap < -_TOLERANCE * _SAMPLE_RATE:
            samples = samples[-gap:]
        pending = np.concatenate([pending, samples])
        while len(pending) >= _PACKET_SAMPLES:
            yield pending[:_PACKET_SAMPLES]
            pending, position = pending[_PACKET_SAMPLES:], position + _PACKET_SAMPLES
    if len(pending):
        yield pending


def _decoded(source: OpusSource) -> Iterator[tuple[Fraction, np.ndarray]]:
    """Decoded audio at 48 kHz, (samples, channels) float32, with the time of each piece on the file's clock."""
    resampler = _resampler(source.track)
    time: Fraction | None = None
    with open_container(source.path) as container, suppress(av.FFmpegError):  # damaged audio ends early
        for frame in container.decode(container.streams[source.track.stream_index]):
            assert isinstance(frame, av.AudioFrame)
            if frame.pts is not None and frame.time_base is not None:
                stamp = frame.pts * frame.time_base
                # The resampler buffers samples: its output continues the previous output, unless there is a gap.
                if time is None or abs(stamp - time) > _TOLERANCE:
                    time = stamp
            for piece in resampler.resample(frame):
                samples = piece.to_ndarray().reshape(-1, source.track.channels)
                time = Fraction(0) if time is None else time
                yield time, samples
                time += Fraction(len(samples), _SAMPLE_RATE)
        for piece in resampler.resample(None):
            if piece.samples and time is not None:
                yield time, piece.to_ndarray().reshape(-1, source.track.channels)


def _resampler(track: AudioTrack) -> av.AudioResampler:
    return av.AudioResampler(format="flt", layout=_LAYOUTS[track.channels], rate=_SAMPLE_RATE)
