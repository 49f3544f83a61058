"""A shot's sound, carried into a movie packet by packet, never decoded."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.stream import Stream

from howard.errors import InputError
from howard.media.frame import AudioTrack, ClipInfo


@dataclass(frozen=True)
class Sound:
    """Which of a file's audio ``tracks`` a movie gets.

    ``origin`` is where the movie begins on the file's own clock, in seconds. Packets that begin before ``begin`` or
    not before ``end``, on the same clock, are left out; None keeps all that there are.
    """

    path: Path
    tracks: tuple[AudioTrack, ...]
    origin: Fraction
    begin: Fraction | None = None
    end: Fraction | None = None


def cut_sound(
    clip: ClipInfo, tracks: tuple[AudioTrack, ...], frames: range, first: Fraction, end: Fraction
) -> Sound | None:
    """The sound of ``frames`` of a clip, by index; they last from ``first`` to ``end`` seconds after the clip's first.

    What sounds before the clip's first frame or after its last goes with these. None without tracks.
    """
    if not tracks:
        return None
    return Sound(
        path=clip.path,
        tracks=tracks,
        origin=clip.start_time + first,
        begin=clip.start_time + first if frames.start > 0 else None,
        end=clip.start_time + end if frames.stop < clip.frame_count else None,
    )


def carriable_tracks(clip: ClipInfo, container_format: str) -> tuple[AudioTrack, ...]:
    """Those of a clip's audio tracks that a container, by FFmpeg's name, takes as they are."""
    if not clip.audio:
        return ()
    with _open(clip.path) as source:
        return tuple(track for track in clip.audio if _takes(source.streams[track.stream_index], container_format))


def add_sound(output: OutputContainer, sound: Sound) -> Iterator[tuple[Fraction, av.Packet]]:
    """Add the tracks to a movie; return its packets, in the file's order, with their times in the movie's seconds."""
    source = _open(sound.path)
    streams = {
        track.stream_index: output.add_stream_from_template(source.streams[track.stream_index])
        for track in sound.tracks
    }
    # Streams must all be there before the first packet is written, so the packets come from a second function.
    return _packets(source, sound, streams)


def _packets(source: InputContainer, sound: Sound, streams: dict[int, Stream]) -> Iterator[tuple[Fraction, av.Packet]]:
    with source:
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
            packet.dts = None if packet.dts is None else packet.dts - shift
            packet.stream = streams[packet.stream.index]
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


def _open(path: Path) -> InputContainer:
    try:
        return av.open(f"file:{path}")
    except av.FFmpegError as error:
        raise InputError(f"{path} cannot be read for its sound ({error.strerror}); check the file") from error
