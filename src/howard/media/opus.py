"""Sound encoded as Opus, for containers that take no other codec a camera records."""

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

# Opus knows no other rate above 24 kHz (RFC 6716, 2).
_RATE = 48000
# Samples of a packet of 20 ms.
_BLOCK = 960
# Bits a second for each channel: Opus is transparent for music at about this rate.
_BITS = 96_000
# By the number of channels: the layouts of RFC 7845, 5.1.1.2.
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
# Seconds by which times of decoded sound may be off without a gap or an overlap: containers round them to milliseconds.
_TOLERANCE = Fraction(1, 50)
_CODEC = "libopus"


class OpusSource(NamedTuple):
    """One ``track`` of a file, from ``begin`` to before ``end`` seconds on the movie's clock; None is its own end.

    The movie begins at ``origin`` seconds on the file's clock.
    """

    path: Path
    track: AudioTrack
    origin: Fraction
    begin: Fraction | None
    end: Fraction | None


def can_encode(path: Path, track: AudioTrack) -> bool:
    """Whether a track of a file can be encoded as Opus: its sound can be decoded, and its channels have a layout."""
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
    """Add the track to a movie; return its packets in order, with their times in the movie's seconds.

    The packets must be asked for after all streams have been added.
    """
    layout = _LAYOUTS[source.track.channels]
    stream = cast(AudioStream, output.add_stream(_CODEC, rate=_RATE, layout=layout))
    stream.bit_rate = _BITS * source.track.channels
    with open_container(source.path) as container:
        copy_language(container.streams[source.track.stream_index], stream)
    return _packets(stream, source, layout)


def copy_language(given: Stream, made: Stream) -> None:
    """Give a movie's stream the language tag that the file's has, if any."""
    if language := given.metadata.get("language"):
        made.metadata["language"] = language


def _packets(stream: AudioStream, source: OpusSource, layout: str) -> Iterator[tuple[Fraction, av.Packet]]:
    position = 0
    for samples in _blocks(source):
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = _RATE, position, Fraction(1, _RATE)
        position += len(samples)
        yield from _timed(stream.encode(frame))
    yield from _timed(stream.encode(None))


def _timed(packets: list[av.Packet]) -> Iterator[tuple[Fraction, av.Packet]]:
    for packet in packets:
        yield (packet.pts or 0) * (packet.time_base or Fraction(1, _RATE)), packet


def _blocks(source: OpusSource) -> Iterator[np.ndarray]:
    """The sound as (960, channels) float32 from the movie's beginning on, the last block shorter; gaps are silent."""
    channels = source.track.channels
    waiting = np.zeros((0, channels), np.float32)
    position = 0
    for time, samples in _decoded(source):
        start = round((time - source.origin) * _RATE)
        first = 0 if source.begin is None else max(0, round((source.begin - source.origin) * _RATE))
        if start < first:
            samples, start = samples[first - start :], first
        if source.end is not None:
            samples = samples[: max(0, round((source.end - source.origin) * _RATE) - start)]
        if not len(samples):
            continue
        gap = start - position - len(waiting)
        if gap > _TOLERANCE * _RATE:
            waiting = np.concatenate([waiting, np.zeros((gap, channels), np.float32)])
        elif gap < -_TOLERANCE * _RATE:
            samples = samples[-gap:]
        waiting = np.concatenate([waiting, samples])
        while len(waiting) >= _BLOCK:
            yield waiting[:_BLOCK]
            waiting, position = waiting[_BLOCK:], position + _BLOCK
    if len(waiting):
        yield waiting


def _decoded(source: OpusSource) -> Iterator[tuple[Fraction, np.ndarray]]:
    """Sound at 48 kHz, (samples, channels) float32, with the time of each piece on the file's clock."""
    resampler = _resampler(source.track)
    time: Fraction | None = None
    with open_container(source.path) as container, suppress(av.FFmpegError):  # damaged sound ends early
        for frame in container.decode(container.streams[source.track.stream_index]):
            assert isinstance(frame, av.AudioFrame)
            if frame.pts is not None and frame.time_base is not None:
                stamp = frame.pts * frame.time_base
                # The resampler holds some samples back: its output follows the one before, unless there is a gap.
                if time is None or abs(stamp - time) > _TOLERANCE:
                    time = stamp
            for piece in resampler.resample(frame):
                samples = piece.to_ndarray().reshape(-1, source.track.channels)
                time = Fraction(0) if time is None else time
                yield time, samples
                time += Fraction(len(samples), _RATE)
        for piece in resampler.resample(None):
            if piece.samples and time is not None:
                yield time, piece.to_ndarray().reshape(-1, source.track.channels)


def _resampler(track: AudioTrack) -> av.AudioResampler:
    return av.AudioResampler(format="flt", layout=_LAYOUTS[track.channels], rate=_RATE)
