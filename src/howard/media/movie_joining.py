"""Joining the segments of a movie, with the shot's sound and timecode, without encoding anything again."""

import heapq
import io
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
from av.container import InputContainer, OutputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from howard.errors import OutputError
from howard.media.files import atomic_file
from howard.media.frame import AudioTrack, ClipInfo
from howard.media.movie_formats import REPRODUCIBLE
from howard.media.opus import OpusSource, add_opus, copy_language
from howard.media.streams import open_container

# Ticks of a movie's clock in a second, at least: frames of a varying rate keep their times to within one.
_TICKS = 90000


class Segment(NamedTuple):
    """A closed piece of a movie and the number of frames in it."""

    path: Path
    frame_count: int


@dataclass(frozen=True)
class Sound:
    """Which of a file's audio ``tracks`` a movie gets as they are, and which ``encoded`` as Opus.

    ``origin`` is where the movie begins on the file's own clock, in seconds. Packets that begin before ``begin`` or
    not before ``end``, on the same clock, are left out; None keeps all that there are.
    """

    path: Path
    tracks: tuple[AudioTrack, ...]
    origin: Fraction
    begin: Fraction | None = None
    end: Fraction | None = None
    encoded: tuple[AudioTrack, ...] = ()


def select_sound(
    clip: ClipInfo,
    tracks: tuple[AudioTrack, ...],
    encoded: tuple[AudioTrack, ...],
    frames: range,
    first: Fraction,
    end: Fraction,
) -> Sound | None:
    """The sound of ``frames`` of a clip, by index; they last from ``first`` to ``end`` seconds after the clip's first.

    What sounds before the clip's first frame or after its last goes with these. None without tracks.
    """
    if not tracks and not encoded:
        return None
    return Sound(
        path=clip.path,
        tracks=tracks,
        origin=clip.start_time + first,
        begin=clip.start_time + first if frames.start > 0 else None,
        end=clip.start_time + end if frames.stop < clip.frame_count else None,
        encoded=encoded,
    )


def copyable_tracks(clip: ClipInfo, container_format: str) -> tuple[AudioTrack, ...]:
    """Those of a clip's audio tracks that a container, by FFmpeg's name, takes as they are."""
    if not clip.audio:
        return ()
    with open_container(clip.path) as source:
        return tuple(track for track in clip.audio if _takes(source.streams[track.stream_index], container_format))


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
        temporary = stack.enter_context(atomic_file(result))
        output = stack.enter_context(
            av.open(f"file:{temporary}", "w", format=container_format, options=dict(REPRODUCIBLE))
        )
        # A copy of a segment's stream would do, but for its frame rate and its codec's name, which PyAV leaves out.
        movie = add_movie(output)
        movie.time_base = _time_base(frame_rate)
        if timecode is not None:
            movie.metadata["timecode"] = timecode
        streams = [_video_packets(segments, movie, times, frame_rate)]
        if sound is not None and sound.tracks:
            streams.append(_add_sound(output, sound))
        if sound is not None:
            clock = sound.origin, sound.begin, sound.end
            streams += [add_opus(output, OpusSource(sound.path, track, *clock)) for track in sound.encoded]
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


def _add_sound(output: OutputContainer, sound: Sound) -> Iterator[tuple[Fraction, av.Packet]]:
    """Add the tracks to a movie; return its packets, in the file's order, with their times in the movie's seconds."""
    source = open_container(sound.path)
    streams = {
        track.stream_index: output.add_stream_from_template(source.streams[track.stream_index])
        for track in sound.tracks
    }
    for index, stream in streams.items():
        copy_language(source.streams[index], stream)
    # Streams must all be there before the first packet is written, so the packets come from a second function.
    return _sound_packets(source, sound, streams)


def _sound_packets(
    source: InputContainer, sound: Sound, streams: dict[int, Stream]
) -> Iterator[tuple[Fraction, av.Packet]]:
    last: dict[int, int] = {}
    with source, suppress(av.FFmpegError):  # damaged sound ends early, the movie does not
        for packet in source.demux([source.streams[index] for index in streams]):
            stamp = packet.pts if packet.pts is not None else packet.dts
            # The demuxer ends with an empty packet.
            if packet.size == 0 or stamp is None or packet.time_base is None:
                continue
            time = stamp * packet.time_base
            if (sound.begin is not None and time < sound.begin) or (sound.end is not None and time >= sound.end):
                continue
            shift = round(sound.origin / packet.time_base)
            packet.pts = stamp - shift
            packet.dts = (stamp if packet.dts is None else packet.dts) - shift
            # No container takes packets whose times do not increase.
            if packet.dts <= last.get(packet.stream_index, packet.dts - 1):
                continue
            last[packet.stream_index] = packet.dts
            packet.stream = streams[packet.stream_index]
            yield time - sound.origin, packet


def _takes(stream: Stream, container_format: str) -> bool:
    # Asking the container is not enough: some say yes to a codec and then refuse its header.
    try:
        with av.open(io.BytesIO(), "w", format=container_format) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True


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
