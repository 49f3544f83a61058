"""The presentation times and keyframes of a video stream, from the packets of its file."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.index import IndexEntry
from av.stream import Discard, Stream

from howard.media.iso_file import ISO_FORMAT, ZeroedMediaFile, is_fragmented
from howard.media.streams import open_container

# FFmpeg's names of the containers that store presentation times. Others store decoding times, which are the same only
# for streams without frame reordering.
_WITH_PRESENTATION_TIMES = frozenset({ISO_FORMAT, "matroska,webm", "mpegts", "mpeg", "flv", "nut", "ogg"})
# Containers in which frames have the same timestamps after a seek as before.
SEEKABLE_FORMATS = _WITH_PRESENTATION_TIMES | {"avi", "mxf"}
# Elementary streams, without a container; the frame rate is in the stream itself, if anywhere.
ELEMENTARY_STREAM_FORMATS = frozenset({"h264", "hevc", "vvc", "mpegvideo", "m4v", "vc1", "obu"})
# Frames by which reordering can move a frame (the largest decoded picture buffer of H.264 and HEVC).
_MAX_REORDER_DEPTH = 16
# Largest size in bytes of an MPEG-4 packet without a picture (ISO/IEC 14496-2, vop_coded = 0), with its timestamp.
_EMPTY_MPEG4_BYTES = 19


class PacketTime(NamedTuple):
    """The times of a packet, in units of the stream's time base.

    Attributes:
        stamp: presentation time.
        decoded_at: decoding time.
        duration: 0 if unknown.
        is_key: whether the file marks the frame as a keyframe.
        is_hidden: whether an edit list excludes the frame from presentation; it is still decoded.
        may_be_invisible: whether the packet may contain no frame that is shown.
    """

    stamp: int | None
    decoded_at: int | None
    duration: int
    is_key: bool
    is_hidden: bool = False
    may_be_invisible: bool = False


class Packets(NamedTuple):
    """A stream's packets in file order, in a container with FFmpeg's name ``container_format``.

    ``cut_off`` is the number of further packets in the file's index whose data are missing at the end of the file.
    """

    container_format: str
    times: list[PacketTime]
    cut_off: int = 0


class Keyframe(NamedTuple):
    """A frame at which decoding can start: the timestamp ``stamp`` to seek to, and its frame ``index``."""

    stamp: int
    index: int


@dataclass(frozen=True)
class Timeline:
    """The frames of a video stream in presentation order.

    Attributes:
        frame_count: number of frames.
        stamps: presentation time of each frame, in the stream's time base; empty if the file has no usable times.
        keyframes: the keyframes that can be seeked to, in order.
        end: end time of the last frame; None if the file does not say.
        counted: whether decoded frames can only be identified by counting, since their timestamps are unusable.
    """

    frame_count: int
    stamps: tuple[int, ...] = ()
    keyframes: tuple[Keyframe, ...] = ()
    end: int | None = None
    counted: bool = False

    def index_of(self, stamp: int | None) -> int | None:
        """Index of the frame with the presentation time ``stamp``; None if there is none."""
        position = bisect_left(self.stamps, stamp) if stamp is not None else len(self.stamps)
        return position if position < len(self.stamps) and self.stamps[position] == stamp else None


def read_packets(path: Path, stream_index: int) -> Packets:
    """Read the times of a video stream's packets, without decoding frames.

    For QuickTime and MP4 files only their tables are read; for others, all packets. Raises av.FFmpegError if the file
    is too damaged to be read.
    """
    with open_container(path) as container:
        container_format = container.format.name
        if container_format != ISO_FORMAT:
            return Packets(container_format, list(_demux(container, stream_index)))
        entries = [] if is_fragmented(path) else list(container.streams[stream_index].index_entries)
        complete = _count_complete(entries, path.stat().st_size)
        if complete and container.streams[stream_index].codec_context.codec.intra_only:
            times = _from_index(container.streams[stream_index], entries[:complete])
            return Packets(container_format, times, len(entries) - complete)
    times = _from_tables(path, stream_index)
    return Packets(container_format, times[: complete or None], len(entries) - complete if complete else 0)


def make_timeline(packets: Packets, first: int | None, reorders: bool) -> Timeline | None:
    """The timeline of a stream from its packets; None if the frames have to be counted by decoding.

    ``first`` is the presentation time of the first frame that can be decoded. ``reorders`` says whether the stream may
    store frames in another order than that of presentation.
    """
    shown = [packet for packet in packets.times if not packet.is_hidden]
    has_times = not reorders or packets.container_format in _WITH_PRESENTATION_TIMES
    if first is None or not has_times or any(packet.may_be_invisible for packet in shown):
        return None
    if not _has_plausible_times(shown, reorders):
        return None
    # A file that was cut from a longer stream may begin with frames that depend on a missing keyframe.
    ends = {each.stamp: each.stamp + each.duration for each in shown if each.stamp is not None and each.stamp >= first}
    stamps = tuple(sorted(ends))
    if not stamps or stamps[0] != first:
        return None
    keys = {packet.stamp for packet in shown if packet.is_key}
    keyframes = tuple(Keyframe(stamp, index) for index, stamp in enumerate(stamps) if stamp in keys)
    end = ends[stamps[-1]]
    return Timeline(
        frame_count=len(stamps),
        stamps=stamps,
        keyframes=keyframes if packets.container_format in SEEKABLE_FORMATS else (),
        end=end if end > stamps[-1] else None,
    )


def _has_plausible_times(packets: Sequence[PacketTime], reorders: bool) -> bool:
    """Whether presentation times are unique, decoding times increase, and the reordering is within a codec's limits."""
    stamps = [packet.stamp for packet in packets]
    decoded = [packet.decoded_at for packet in packets if packet.decoded_at is not None]
    if None in stamps or len(set(stamps)) < len(stamps) or any(np.diff(np.array(decoded, np.int64)) <= 0):
        return False
    ranks = np.argsort(np.argsort(np.array(stamps, np.int64)))
    return bool(np.all(np.arange(len(ranks)) - ranks <= (_MAX_REORDER_DEPTH if reorders else 0)))


def _demux(container: InputContainer, stream_index: int) -> Iterator[PacketTime]:
    stream = container.streams[stream_index]
    for other in container.streams:
        if other.index != stream_index:
            other.discard = Discard.all
    codec = stream.codec_context.name
    for packet in container.demux(stream):
        # The demuxer ends with an empty packet.
        if packet.size:
            may_be_invisible = _may_be_invisible(codec, memoryview(packet))
            duration = packet.duration or 0
            yield PacketTime(packet.pts, packet.dts, duration, packet.is_keyframe, packet.is_discard, may_be_invisible)


def _may_be_invisible(codec: str, data: memoryview) -> bool:
    """Whether a packet may contain no frame that is shown: an alternate reference frame, or no picture."""
    first = data[0]
    if codec == "vp8":
        # RFC 6386, 9.1: show_frame.
        return not first & 0x10
    if codec == "vp9":
        # VP9 bitstream specification, 6.2 and annex B: a superframe includes a frame that is shown.
        is_frame, is_superframe = first & 0xC0 == 0x80, data[-1] & 0xE0 == 0xC0
        shows = first & 0x0A if first & 0x30 != 0x30 else first & 0x05
        return is_frame and not is_superframe and not shows
    return codec == "mpeg4" and len(data) <= _EMPTY_MPEG4_BYTES


def _from_tables(path: Path, stream_index: int) -> list[PacketTime]:
    """Demux a QuickTime or MP4 file without reading its media data."""
    file = ZeroedMediaFile(path)
    try:
        # Parsing and probing are disabled since the media data are replaced by zeros.
        options = {"fflags": "+noparse", "probesize": "32", "analyzeduration": "0"}
        with av.open(file, "r", "mov", container_options=options, metadata_errors="replace") as container:
            return list(_demux(container, stream_index))
    finally:
        file.close()


def _from_index(stream: Stream, entries: Sequence[IndexEntry]) -> list[PacketTime]:
    """The packets of an intra-only codec, whose presentation order is the file order."""
    stamps = [entry.timestamp for entry in entries]
    end = (stream.start_time or 0) + stream.duration if stream.duration else stamps[-1]
    return [
        PacketTime(entry.timestamp, entry.timestamp, after - entry.timestamp, True, entry.is_discard)
        for entry, after in zip(entries, [*stamps[1:], end], strict=True)
    ]


def _count_complete(entries: Sequence[IndexEntry], file_size: int) -> int:
    """The number of packets of an index, from the first on, whose data are complete; 0 if the index is unusable."""
    if any(entry.size == 0 for entry in entries):
        return 0
    cut = (number for number, entry in enumerate(entries) if entry.pos + entry.size > file_size)
    return next(cut, len(entries))
