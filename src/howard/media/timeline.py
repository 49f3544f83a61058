"""When each frame of a video is shown, and from which frames decoding may start."""

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

# FFmpeg's names of the containers that say when a frame is shown. Others say when it is decoded, which is the same only
# for streams that keep their order.
_WITH_PRESENTATION_TIMES = frozenset({ISO_FORMAT, "matroska,webm", "mpegts", "mpeg", "flv", "nut", "ogg"})
# Containers that give a frame the same time after a jump as before.
SEARCHABLE_FORMATS = _WITH_PRESENTATION_TIMES | {"avi", "mxf"}
# Video streams without a container; these say their rate themselves, if at all.
BARE_STREAM_FORMATS = frozenset({"h264", "hevc", "vvc", "mpegvideo", "m4v", "vc1", "obu"})
# Frames that any codec may show before one that was stored earlier (the largest picture buffer of H.264 and HEVC).
_DEEPEST_REORDER = 16
# Bytes of an MPEG-4 packet that says only "no picture" (ISO/IEC 14496-2, vop_coded), with room for its time.
_EMPTY_MPEG4_BYTES = 19


class PacketTime(NamedTuple):
    """A packet of the file: when its frame is decoded, when shown and for how long, in ticks of the stream's clock.

    ``is_key`` is what the file says. ``is_hidden`` packets are decoded, but an edit list keeps them from being shown.
    ``may_show_nothing`` says that the packet may hold no frame that is shown.
    """

    stamp: int | None
    decoded_at: int | None
    duration: int
    is_key: bool
    is_hidden: bool = False
    may_show_nothing: bool = False


class Packets(NamedTuple):
    """A stream's packets in the order stored, in a container of FFmpeg's name ``container_format``.

    ``cut_off`` is how many more the file's index has that its end cuts off.
    """

    container_format: str
    times: list[PacketTime]
    cut_off: int = 0


class Keyframe(NamedTuple):
    """A frame that decoding may start from: the ``stamp`` to search the file for, and which frame it is."""

    stamp: int
    index: int


@dataclass(frozen=True)
class Timeline:
    """Frames in the order shown.

    ``stamps[i]`` is frame i's presentation time in the stream's time base; empty where the file has no usable times.
    ``keyframes`` are those that a seek may go to, in order; ``end`` is when the last frame has been shown, where the
    file says so. Where frames are ``counted``, decoded frames do not come with their stamps, and only their order says
    which they are.
    """

    frame_count: int
    stamps: tuple[int, ...] = ()
    keyframes: tuple[Keyframe, ...] = ()
    end: int | None = None
    counted: bool = False

    def index_of(self, stamp: int | None) -> int | None:
        """Index of the frame shown at ``stamp``; None where no frame is."""
        position = bisect_left(self.stamps, stamp) if stamp is not None else len(self.stamps)
        return position if position < len(self.stamps) and self.stamps[position] == stamp else None


def read_packets(path: Path, stream_index: int) -> Packets:
    """Read when a video stream's frames are shown, without decoding any.

    The tables of QuickTime and MP4 files say it all; of other files every packet is read. Raises av.FFmpegError where
    the file is damaged beyond reading.
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
    """The timeline of packets whose first frame is shown at ``first``; None where frames have to be counted.

    ``reorders`` says whether the stream may show frames in another order than they are stored in.
    """
    shown = [packet for packet in packets.times if not packet.is_hidden]
    has_times = not reorders or packets.container_format in _WITH_PRESENTATION_TIMES
    if first is None or not has_times or any(packet.may_show_nothing for packet in shown):
        return None
    if not _is_orderly(shown, reorders):
        return None
    # A file cut from a longer stream may begin with frames that depend on a keyframe it no longer has.
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
        keyframes=keyframes if packets.container_format in SEARCHABLE_FORMATS else (),
        end=end if end > stamps[-1] else None,
    )


def _is_orderly(packets: Sequence[PacketTime], reorders: bool) -> bool:
    """Whether every packet has a time of its own, and these follow one another as a codec can have them."""
    stamps = [packet.stamp for packet in packets]
    decoded = [packet.decoded_at for packet in packets if packet.decoded_at is not None]
    if None in stamps or len(set(stamps)) < len(stamps) or any(np.diff(np.array(decoded, np.int64)) <= 0):
        return False
    ranks = np.argsort(np.argsort(np.array(stamps, np.int64)))
    return bool(np.all(np.arange(len(ranks)) - ranks <= (_DEEPEST_REORDER if reorders else 0)))


def _demux(container: InputContainer, stream_index: int) -> Iterator[PacketTime]:
    stream = container.streams[stream_index]
    for other in container.streams:
        if other.index != stream_index:
            other.discard = Discard.all
    codec = stream.codec_context.name
    for packet in container.demux(stream):
        # The demuxer ends with an empty packet.
        if packet.size:
            is_doubtful = _may_show_nothing(codec, memoryview(packet))
            duration = packet.duration or 0
            yield PacketTime(packet.pts, packet.dts, duration, packet.is_keyframe, packet.is_discard, is_doubtful)


def _may_show_nothing(codec: str, data: memoryview) -> bool:
    first = data[0]
    if codec == "vp8":
        # RFC 6386, 9.1: show_frame.
        return not first & 0x10
    if codec == "vp9":
        # VP9 bitstream specification, 6.2 and annex B: several frames in one packet include one that is shown.
        is_frame, is_superframe = first & 0xC0 == 0x80, data[-1] & 0xE0 == 0xC0
        shows = first & 0x0A if first & 0x30 != 0x30 else first & 0x05
        return is_frame and not is_superframe and not shows
    return codec == "mpeg4" and len(data) <= _EMPTY_MPEG4_BYTES


def _from_tables(path: Path, stream_index: int) -> list[PacketTime]:
    """Demux a QuickTime or MP4 file without fetching its media data."""
    hollow = ZeroedMediaFile(path)
    try:
        # Without parsers and probing: there is nothing but zeros to parse.
        options = {"fflags": "+noparse", "probesize": "32", "analyzeduration": "0"}
        with av.open(hollow, "r", "mov", container_options=options, metadata_errors="replace") as container:
            return list(_demux(container, stream_index))
    finally:
        hollow.close()


def _from_index(stream: Stream, entries: Sequence[IndexEntry]) -> list[PacketTime]:
    """The packets of a codec without prediction, which are shown as they are stored."""
    stamps = [entry.timestamp for entry in entries]
    end = (stream.start_time or 0) + stream.duration if stream.duration else stamps[-1]
    return [
        PacketTime(entry.timestamp, entry.timestamp, after - entry.timestamp, True, entry.is_discard)
        for entry, after in zip(entries, [*stamps[1:], end], strict=True)
    ]


def _count_complete(entries: Sequence[IndexEntry], file_size: int) -> int:
    """How many packets of an index the file holds to their end; 0 where the index is of no use."""
    if any(entry.size == 0 for entry in entries):
        return 0
    cut = (number for number, entry in enumerate(entries) if entry.pos + entry.size > file_size)
    return next(cut, len(entries))
