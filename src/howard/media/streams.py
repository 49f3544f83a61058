"""What is inside a video file: the moving picture that is read, its sound, its timecode, and what is left out."""

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
    """Open a file of sound and pictures. Raises InputError where it is none that FFmpeg knows."""
    try:
        # The prefix keeps a name with a colon or a leading dash from being read as anything but a file's.
        return av.open(f"file:{path}", metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read as a video ({reason}); give a whole video file or a still") from error


def choose_video(path: Path, container: InputContainer) -> VideoStream:
    """The stream to read: of those that can be decoded the default one, else the one with the largest picture.

    Raises InputError, naming the codec, where none can be decoded.
    """
    streams = _moving_pictures(container)
    if not streams:
        raise InputError(
            f"{path} has no video in it, only sound or data, or its end is missing; give a whole video file or a still"
        )
    readable = [stream for stream in streams if stream.codec_context is not None]
    if not readable:
        codec = _codec_name(path, container, streams[0])
        raise InputError(f"{path}: codec {codec} cannot be decoded; convert the clip to ProRes or H.264")
    return max(readable, key=lambda stream: (_is_default(stream), stream.width * stream.height, -stream.index))


def describe_streams(path: Path, container: InputContainer, chosen: VideoStream) -> tuple[str, ...]:
    """What a person should know: which of several moving pictures is read, and which streams are not carried."""
    notes = []
    count = len(_moving_pictures(container))
    if count > 1:
        why = "the default one" if _is_default(chosen) else "the largest"
        notes.append(
            f"reads video stream {chosen.index} of {count} ({chosen.width}x{chosen.height} {chosen.name}), {why}"
        )
    left_out = [
        _describe(path, container, stream)
        for stream in container.streams
        if stream.index != chosen.index and not _is_carried(stream)
    ]
    if left_out:
        notes.append(f"not carried: {', '.join(left_out)}")
    return tuple(notes)


def read_audio_tracks(container: InputContainer) -> tuple[AudioTrack, ...]:
    """The sound that a movie can carry; what cannot be decoded cannot be described either, and is left out."""
    return tuple(
        AudioTrack(stream.index, stream.codec_context.name, stream.codec_context.sample_rate, stream.channels)
        for stream in container.streams.audio
        if _is_carried(stream)
    )


def read_timecode(container: InputContainer, stream: VideoStream) -> str | None:
    """The timecode of the first frame, as the file writes it; None where it has none."""
    # MOV keeps it with the picture or in a track of its own, MXF and Matroska with the file.
    for metadata in (stream.metadata, container.metadata, *(other.metadata for other in container.streams)):
        timecode = metadata.get("timecode") or metadata.get("TIMECODE")
        if timecode:
            return timecode
    return None


def _moving_pictures(container: InputContainer) -> list[VideoStream]:
    # A song's cover art is stored as a video stream of one picture.
    return [stream for stream in container.streams.video if not stream.disposition & _STILL_PICTURES]


def _is_default(stream: Stream) -> bool:
    return bool(stream.disposition & Disposition.default)


def _is_carried(stream: Stream) -> bool:
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
    """FFmpeg's name of the codec, or where it has none the code that the file gives."""
    if stream.codec_context is not None:
        return stream.codec_context.name
    if container.format.name == ISO_FORMAT:
        formats = read_sample_formats(path)
        return (stream.index < len(formats) and formats[stream.index]) or "unknown"
    return "unknown"
