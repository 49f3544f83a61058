"""When each frame of a video is shown, and from which frames decoding may start: read from packets, undecoded."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import av
from av.container import InputContainer
from av.video.stream import VideoStream


@dataclass(frozen=True)
class Timeline:
    """Frames in the order shown.

    ``stamps[i]`` is frame i's presentation time in the stream's time base; empty where the file has no usable times,
    and frames are then found by counting from the start. ``keyframes`` are the stamps that a seek may land on, ``end``
    is when the last frame has been shown, where the file says so.
    """

    frame_count: int
    stamps: tuple[int, ...] = ()
    keyframes: tuple[int, ...] = ()
    end: int | None = None

    @property
    def seekable(self) -> bool:
        """Whether frames can be found by their time."""
        return bool(self.stamps)

    def index_of(self, stamp: int | None) -> int | None:
        """Index of the frame shown at ``stamp``; None where no frame is."""
        position = bisect_left(self.stamps, stamp) if stamp is not None else len(self.stamps)
        return position if position < len(self.stamps) and self.stamps[position] == stamp else None

    def keyframe_before(self, index: int) -> int | None:
        """Stamp of the last keyframe at or before frame ``index``; None where decoding must start at the beginning."""
        if not self.seekable:
            return None
        position = bisect_right(self.keyframes, self.stamps[index])
        return self.keyframes[position - 1] if position else None


def read_timeline(container: InputContainer, stream: VideoStream) -> Timeline:
    """Read every packet of ``stream`` without decoding; the container is left at its end."""
    packets = [
        (packet.pts, packet.duration, packet.is_keyframe)
        for packet in container.demux(stream)
        if _shows_a_frame(packet)
    ]
    stamps = [stamp for stamp, _, _ in packets if stamp is not None]
    keyframes = [stamp for stamp, _, is_keyframe in packets if is_keyframe and stamp is not None]
    if len(stamps) < len(packets) or len(set(stamps)) < len(stamps) or not keyframes:
        return Timeline(frame_count=len(packets))
    # A file cut from a longer stream may begin with frames that hang on a keyframe it no longer has.
    shown = tuple(sorted(stamp for stamp in stamps if stamp >= keyframes[0]))
    last_duration = next(duration for stamp, duration, _ in packets if stamp == shown[-1])
    end = shown[-1] + last_duration if last_duration else None
    return Timeline(len(shown), shown, tuple(sorted(keyframes)), end)


def _shows_a_frame(packet: av.Packet) -> bool:
    # The demuxer ends with an empty packet; edit lists mark packets that are decoded but never shown.
    return packet.size > 0 and not packet.is_discard
