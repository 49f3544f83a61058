"""Joining the segments of a movie, with sound and timecode, without encoding anything again."""

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

from howard.errors import OutputError
from howard.media.files import whole_file
from howard.media.sound import Sound, add_sound

# Ticks of a movie's clock in a second, at least: frames of a varying rate keep their times to within one.
_TICKS = 90000


class Segment(NamedTuple):
    """A closed piece of a movie and the number of frames in it."""

    path: Path
    frame_count: int


def join_segments(
    segments: Sequence[Segment],
    result: Path,
    container_format: str,
    add_movie: Callable[[OutputContainer], VideoStream],
    *,
    times: Sequence[Fraction],
    frame_rate: Fraction,
    timecode: str | None = None,
    sound: Sound | None = None,
) -> None:
    """Make one movie of ``segments``; it appears whole or not at all.

    ``add_movie`` adds the stream that every segment has. ``times`` are the frames' times of presentation in seconds,
    the first of them 0, as many as the segments have frames. The packets of a segment must be in the order shown.
    Raises OutputError where a segment is damaged or the result cannot be written.
    """
    with ExitStack() as stack:
        temporary = stack.enter_context(whole_file(result))
        output = stack.enter_context(av.open(f"file:{temporary}", "w", format=container_format))
        # A copy of a segment's stream would do, but for its frame rate and its codec's name, which PyAV leaves out.
        movie = add_movie(output)
        movie.time_base = _time_base(frame_rate)
        if timecode is not None:
            movie.metadata["timecode"] = timecode
        streams = [_video_packets(segments, movie, times, frame_rate)]
        if sound is not None:
            streams.append(add_sound(output, sound))
        output.start_encoding()
        # The container keeps packets waiting until all tracks have come as far, so they must come together.
        for _, packet in heapq.merge(*streams, key=lambda timed: timed[0]):
            output.mux_one(packet)


def _video_packets(
    segments: Sequence[Segment], movie: VideoStream, times: Sequence[Fraction], frame_rate: Fraction
) -> Iterator[tuple[Fraction, av.Packet]]:
    """Packets of all segments with their new times, one at a time: frames of one codec setting all fit together."""
    base = _time_base(frame_rate)
    ticks = [round(time / base) for time in [*times, times[-1] + 1 / frame_rate]]
    frame = 0
    for segment in segments:
        end = frame + segment.frame_count
        with _open(segment.path) as container:
            if container.streams.video[0].codec_context.extradata != movie.codec_context.extradata:
                raise _damaged(segment.path)
            for packet in container.demux(video=0):
                # The demuxer ends with an empty packet.
                if packet.size == 0:
                    continue
                if frame == end:
                    raise _damaged(segment.path)
                packet.stream = movie
                packet.time_base = base
                packet.pts = packet.dts = ticks[frame]
                packet.duration = ticks[frame + 1] - ticks[frame]
                yield times[frame], packet
                frame += 1
        if frame < end:
            raise _damaged(segment.path)


def _time_base(frame_rate: Fraction) -> Fraction:
    """A tick that frames of a constant rate fall on exactly."""
    return Fraction(1, frame_rate.numerator * math.ceil(_TICKS / frame_rate.numerator))


def _open(path: Path) -> InputContainer:
    try:
        return av.open(f"file:{path}")
    except av.FFmpegError as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> OutputError:
    return OutputError(f"{path} is missing or damaged; remove it and give the same command again")
