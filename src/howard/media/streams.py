"""The streams of a video file: choosing the video stream, audio tracks, timecode, and streams that are not used."""

from collections.abc import Iterator
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from howard.errors import InputError
from howard.media.frame import AudioTrack
from howard.media.iso_file import ISO_FORMAT, read_sample_formats

_STILL_PICTURES = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
_KINDS = {"audio": "sound", "video": "video", "subtitle": "subtitles", "attachment": "attachment"}


def open_container(path: Path) -> InputContainer:
    """Open a video file for reading; raises InputError if FFmpeg cannot."""
    try:
        # Without the prefix, FFmpeg would interpret names with a colon as URLs.
        return av.open(f"file:{path}", metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read as a video ({reason}); give a whole video file or a still") from error


def choose_video(path: Path, container: InputContainer) -> VideoStream:
    """The video stream to read: of those that can be decoded, the default one, or else the largest image.

    Raises InputError if there is no video stream, or none that can be decoded.
    """
    streams = _video_streams(container)
    if not streams:
        raise InputError(
            f"{path} has no video stream, only sound or data, or its end is missing; give a whole video file or a still"
        )
    readable = [stream for stream in streams if stream.codec_context is not None]
    if not readable:
        codec = _codec_name(path, container, streams[0])
        raise InputError(f"{path}: codec {codec} cannot be decoded; convert the clip to ProRes or H.264")
    return max(readable, key=lambda stream: (_is_default(stream), stream.width * stream.height, -stream.index))


def describe_streams(path: Path, container: InputContainer, chosen: VideoStream) -> tuple[str, ...]:
    """Notes for the user: which of several video streams is read, and which other streams are not used."""
    notes = []
    count = len(_video_streams(container))
    if count > 1:
        why = "the default one" if _is_default(chosen) else "the largest"
        notes.append(
            f"reads video stream {chosen.index} of {count} ({chosen.width}x{chosen.height} {chosen.name}), {why}"
        )
    unused = [
        _describe(path, container, stream)
        for stream in container.streams
        if stream.index != chosen.index and not _is_used(stream)
    ]
    if unused:
        notes.append(f"not carried: {', '.join(unused)}")
    return tuple(notes)


def read_audio_tracks(container: InputContainer) -> tuple[AudioTrack, ...]:
    """The audio tracks; those that FFmpeg cannot decode are omitted, since their properties are unknown."""
    return tuple(
        AudioTrack(stream.index, stream.codec_context.name, stream.codec_context.sample_rate, stream.channels)
        for stream in container.streams.audio
        if _is_used(stream)
    )


def read_timecode(container: InputContainer, stream: VideoStream) -> str | None:
    """The timecode of the first frame, as written in the file; None if there is none."""
    # MOV stores it in the video stream or a separate track, MXF and Matroska in the container's metadata.
    for metadata in (stream.metadata, container.metadata, *(other.metadata for other in container.streams)):
        timecode = metadata.get("timecode") or metadata.get("TIMECODE")
        if timecode:
            return timecode
    return None


def _video_streams(container: InputContainer) -> list[VideoStream]:
    # Cover art and thumbnails are stored as video streams of one frame.
    return [stream for stream in container.streams.video if not stream.disposition & _STILL_PICTURES]


def _is_default(stream: Stream) -> bool:
    return bool(stream.disposition & Disposition.default)


def _is_used(stream: Stream) -> bool:
    """Whether an audio stream can be decoded, or a data stream is the timecode."""
    if isinstance(stream, AudioStream):
        return stream.codec_context is not None and stream.codec_context.sample_rate > 0
    return stream.type == "data" and "timecode" in stream.metadata


def _describe(path: Path, container: InputContainer, stream: Stream) -> str:
    kind = "attached picture" if stream.disposition & _STILL_PICTURES else _KINDS.get(stream.type, "data")
    details = list(_details(path, container, stream))
    return f"{kind} stream {stream.index}" + (f" ({', '.join(details)})" if details else "")


def _details(path: Path, container: InputContainer, stream: Stream) -> Iterator[str]:
    name = _codec_name(path, container, stream)
    if name != "unknown":
        yield name
    if stream.type in ("audio", "video") and stream.codec_context is None:
        yield "cannot be decoded"


def _codec_name(path: Path, container: InputContainer, stream: Stream) -> str:
    """FFmpeg's name of the codec; for unknown codecs, the four-character code in the file, or "unknown"."""
    if stream.codec_context is not None:
        return stream.codec_context.name
    if container.format.name == ISO_FORMAT:
        formats = read_sample_formats(path)
        return (stream.index < len(formats) and formats[stream.index]) or "unknown"
    return "unknown"
