"""Joining the segments of a movie without re-encoding, with the shot's audio and timecode."""

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

# Least ticks per second of a movie's time base, to which the times of a variable frame rate are rounded.
_MIN_TICKS = 90000


class Segment(NamedTuple):
    """A complete part of a movie, and its number of frames."""

    path: Path
    frame_count: int


@dataclass(frozen=True)
class MovieAudio:
    """The audio of a movie: the ``tracks`` of a file that are copied, and those that are ``encoded`` as Opus.

    Times are in seconds on the file's clock: the movie begins at ``origin``; packets that begin before ``begin`` or
    from ``end`` on are omitted; None means no limit.
    """

    path: Path
    tracks: tuple[AudioTrack, ...]
    origin: Fraction
    begin: Fraction | None = None
    end: Fraction | None = None
    encoded: tuple[AudioTrack, ...] = ()


def select_audio(
    clip: ClipInfo,
    tracks: tuple[AudioTrack, ...],
    encoded: tuple[AudioTrack, ...],
    frames: range,
    first: Fraction,
    end: Fraction,
) -> MovieAudio | None:
    """The audio of a range of frames of a clip, which begins ``first`` and ends ``end`` seconds after frame 0.

    Audio before the clip's first frame or after its last belongs to these frames. None if there are no tracks.
    """
    if not tracks and not encoded:
        return None
    return MovieAudio(
        path=clip.path,
        tracks=tracks,
        origin=clip.start_time + first,
        begin=clip.start_time + first if frames.start > 0 else None,
        end=clip.start_time + end if frames.stop < clip.frame_count else None,
        encoded=encoded,
    )


def copyable_tracks(clip: ClipInfo, container_format: str) -> tuple[AudioTrack, ...]:
    """The audio tracks of a clip that a container, by FFmpeg's name, accepts without re-encoding."""
    if not clip.audio:
        return ()
    with open_container(clip.path) as source:
        return tuple(track for track in clip.audio if _accepts(container_format, source.streams[track.stream_index]))


def join_segments(
    segments: Sequence[Segment],
    result: Path,
    container_format: str,
    add_movie: Callable[[OutputContainer], VideoStream],
    *,
    times: Sequence[Fraction],
    frame_rate: Fraction,
    timecode: str | None = None,
    audio: MovieAudio | None = None,
) -> None:
    """Join segments to one movie, which is written atomically.

    Args:
        segments: in order; their packets must be in presentation order.
        result: the movie's file.
        container_format: FFmpeg's name of the container.
        add_movie: adds the video stream, with the same settings as in every segment.
        times: presentation time of every frame in seconds, beginning with 0.
        frame_rate: nominal frames per second.
        timecode: of the first frame.
        audio: the audio; none if None.

    Raises:
        OutputError: a segment is damaged, or the movie cannot be written.
    """
    with ExitStack() as stack:
        temporary = stack.enter_context(atomic_file(result))
        output = stack.enter_context(
            av.open(f"file:{temporary}", "w", format=container_format, options=dict(REPRODUCIBLE))
        )
        # Not copied from a segment's stream, since PyAV then omits the frame rate and the codec's name.
        movie = add_movie(output)
        movie.time_base = _time_base(frame_rate)
        if timecode is not None:
            movie.metadata["timecode"] = timecode
        streams = [_video_packets(segments, movie, times, frame_rate)]
        if audio is not None and audio.tracks:
            streams.append(_add_audio(output, audio))
        if audio is not None:
            clock = audio.origin, audio.begin, audio.end
            streams += [add_opus(output, OpusSource(audio.path, track, *clock)) for track in audio.encoded]
        output.start_encoding()
        # The muxer buffers packets until all tracks reach the same time, so they are interleaved.
        for _, packet in heapq.merge(*streams, key=lambda timed: timed[0]):
            output.mux_one(packet)


def _video_packets(
    segments: Sequence[Segment], movie: VideoStream, times: Sequence[Fraction], frame_rate: Fraction
) -> Iterator[tuple[Fraction, av.Packet]]:
    """The video packets of all segments, with their times in the movie in seconds."""
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


def _add_audio(output: OutputContainer, audio: MovieAudio) -> Iterator[tuple[Fraction, av.Packet]]:
    """Add the copied tracks to a movie; returns their packets in file order, with their times in the movie."""
    source = open_container(audio.path)
    streams = {
        track.stream_index: output.add_stream_from_template(source.streams[track.stream_index])
        for track in audio.tracks
    }
    for index, stream in streams.items():
        copy_language(source.streams[index], stream)
    # A separate generator, since all streams must be added before the first packet is written.
    return _audio_packets(source, audio, streams)


def _audio_packets(
    source: InputContainer, audio: MovieAudio, streams: dict[int, Stream]
) -> Iterator[tuple[Fraction, av.Packet]]:
    last: dict[int, int] = {}
    with source, suppress(av.FFmpegError):  # damaged audio ends early, the movie does not
        for packet in source.demux([source.streams[index] for index in streams]):
            stamp = packet.pts if packet.pts is not None else packet.dts
            # The demuxer ends with an empty packet.
            if packet.size == 0 or stamp is None or packet.time_base is None:
                continue
            time = stamp * packet.time_base
            if (audio.begin is not None and time < audio.begin) or (audio.end is not None and time >= audio.end):
                continue
            shift = round(audio.origin / packet.time_base)
            packet.pts = stamp - shift
            packet.dts = (stamp if packet.dts is None else packet.dts) - shift
            # Muxers reject packets whose decoding times do not increase.
            if packet.dts <= last.get(packet.stream_index, packet.dts - 1):
                continue
            last[packet.stream_index] = packet.dts
            packet.stream = streams[packet.stream_index]
            yield time - audio.origin, packet


def _accepts(container_format: str, stream: Stream) -> bool:
    # Only writing a header is a reliable test: some muxers claim to support a codec and then reject its header.
    try:
        with av.open(io.BytesIO(), "w", format=container_format) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True


def _time_base(frame_rate: Fraction) -> Fraction:
    """A time base in which the times of a constant frame rate are whole numbers."""
    return Fraction(1, frame_rate.numerator * math.ceil(_MIN_TICKS / frame_rate.numerator))


def _open(path: Path) -> InputContainer:
    try:
        return av.open(f"file:{path}")
    except av.FFmpegError as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> OutputError:
    return OutputError(f"{path} is missing or damaged; remove it and run the same command again")
