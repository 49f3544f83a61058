"""Sequential decoding of a video stream, from its beginning or a keyframe, with detection of damaged frames."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

import av
from av.stream import Discard
from av.video.frame import PictureType
from av.video.stream import VideoStream

from howard.machine import count_cores
from howard.media.streams import open_container
from howard.media.timeline import Keyframe, Timeline

_UNREFERENCED = (PictureType.B, PictureType.BI)
# FFmpeg's own limit for a decoder, since every thread keeps a frame in memory.
_MOST_THREADS = 16


class DecodedFrame(NamedTuple):
    """A decoded frame, and whether data were missing for it or for a frame that it is predicted from."""

    picture: av.VideoFrame
    is_damaged: bool


class VideoDecoder:
    """Decoder of one video stream of a file; starts at the beginning.

    Decoding continues after errors in the data: frames are then damaged or missing, and ``error`` has FFmpeg's first
    message. With ``threads`` decoding is fast, but the frames after an error depend on thread timing.
    """

    def __init__(self, path: Path, stream_index: int, *, threads: bool) -> None:
        self._path = path
        self._stream_index = stream_index
        self._threads = threads
        self.error: str | None = None
        self.restart()

    def restart(self) -> None:
        """Go to the beginning by opening the file again, since not every container supports seeking."""
        self._container = open_container(self._path)
        self._stream = cast(VideoStream, self._container.streams[self._stream_index])
        for stream in self._container.streams:
            if stream.index != self._stream_index:
                stream.discard = Discard.all
        if self._threads:
            self._stream.thread_type = "AUTO"
            # FFmpeg's own formula, but with the cores that this process is allowed to use.
            self._stream.thread_count = min(count_cores() + 1, _MOST_THREADS)
        else:
            self._stream.thread_type, self._stream.thread_count = "NONE", 1
        self._begin()

    def seek(self, stamp: int) -> None:
        """Seek to the keyframe at or before the timestamp ``stamp``; raises av.FFmpegError if that is impossible."""
        if not self._threads:
            # Decoders conceal errors with earlier frames, also with those decoded before a seek.
            self.restart()
        self._container.seek(stamp, stream=self._stream)
        self._begin()

    def read(self) -> DecodedFrame | None:
        """The next frame in presentation order; None at the end of the stream."""
        return next(self._frames, None)

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _begin(self) -> None:
        self._damaged_from: int | None = None
        self._incomplete_stamps: set[int] = set()
        self._has_keyframes = False
        self._frames = self._decode()

    def _decode(self) -> Iterator[DecodedFrame]:
        for packet in self._packets():
            try:
                pictures = self._stream.decode(packet)
            except av.EOFError:
                return
            except av.FFmpegError as error:
                self._note(error)
                self._damaged_from = (packet and packet.pts) or 0
                continue
            for picture in pictures:
                yield DecodedFrame(picture, self._is_damaged(picture))

    def _packets(self) -> Iterator[av.Packet | None]:
        """The stream's packets, then None, which flushes the decoder."""
        try:
            for packet in self._container.demux(self._stream):
                # An empty packet inside the stream would flush the decoder.
                if not packet.size:
                    continue
                if packet.is_corrupt and packet.pts is not None:
                    # Intra-only decoders do not report that the demuxer found a packet incomplete.
                    self._incomplete_stamps.add(packet.pts)
                yield packet
        except av.FFmpegError as error:
            self._note(error)
        yield None

    def _is_damaged(self, picture: av.VideoFrame) -> bool:
        stamp = picture.pts or 0
        self._has_keyframes = self._has_keyframes or picture.key_frame
        if self._damaged_from is not None and picture.key_frame and stamp >= self._damaged_from:
            self._damaged_from = None
        if picture.is_corrupt and self._damaged_from is None and picture.pict_type not in _UNREFERENCED:
            # Frames up to the next keyframe are predicted from this one.
            self._damaged_from = stamp
        is_after = self._damaged_from is not None and stamp >= self._damaged_from
        # Some intra-only codecs mark no frame as a keyframe.
        return picture.is_corrupt or stamp in self._incomplete_stamps or (is_after and self._has_keyframes)

    def _note(self, error: av.FFmpegError) -> None:
        self.error = self.error or error.strerror


def count_frames(path: Path, stream_index: int, is_seekable: bool) -> Timeline:
    """The timeline of a stream, found by decoding all of it; for streams whose packets are not sufficient.

    ``is_seekable`` says whether the container supports seeking to a keyframe by its timestamp.
    """
    frames, is_intact = _decode_all(path, stream_index, threads=True)
    if not is_intact:
        frames, _ = _decode_all(path, stream_index, threads=False)
    stamps = [frame.stamp for frame in frames]
    counts = Counter(stamps)
    keyframes = tuple(
        Keyframe(frame.stamp, index)
        for index, frame in enumerate(frames)
        if frame.is_key and frame.stamp is not None and counts[frame.stamp] == 1
    )
    times = sorted(stamp for stamp in stamps if stamp is not None)
    has_times = len(counts) == len(frames) == len(times)
    return Timeline(
        frame_count=len(frames),
        stamps=tuple(times) if has_times else (),
        keyframes=keyframes if is_seekable else (),
        end=times[-1] + frames[-1].duration if has_times and frames[-1].duration > 0 else None,
        counted=not has_times or times != stamps,
    )


class _FrameTime(NamedTuple):
    stamp: int | None
    duration: int
    is_key: bool


def _decode_all(path: Path, stream_index: int, threads: bool) -> tuple[list[_FrameTime], bool]:
    """The times of all frames in presentation order, and whether no frame is damaged or missing."""
    decoder = VideoDecoder(path, stream_index, threads=threads)
    frames, is_intact = [], True
    while (decoded := decoder.read()) is not None:
        picture = decoded.picture
        frames.append(_FrameTime(picture.pts, picture.duration, picture.key_frame))
        is_intact = is_intact and not decoded.is_damaged
    decoder.close()
    return frames, is_intact and decoder.error is None
