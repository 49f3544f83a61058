"""Decoding a video stream from its beginning or from a keyframe, and telling which frames came out damaged."""

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
# Threads of a decoder; FFmpeg itself starts no more, since each holds a frame.
_MOST_THREADS = 16


class DecodedFrame(NamedTuple):
    """A frame as the decoder gives it, and whether data were missing for it or for one that it is predicted from."""

    picture: av.VideoFrame
    is_damaged: bool


class VideoDecoder:
    """One stream of a video file, decoded from the beginning until told otherwise.

    Errors in the data do not end the decoding: frames are damaged or missing then, and ``error`` says why. With
    ``threads`` decoding is fast, but what comes out after an error depends on timing.
    """

    def __init__(self, path: Path, stream_index: int, *, threads: bool) -> None:
        self._path = path
        self._stream_index = stream_index
        self._threads = threads
        self.error: str | None = None
        self.restart()

    def restart(self) -> None:
        """Go to the beginning of the file, by opening it anew: not every container can go back."""
        self._container = open_container(self._path)
        self._stream = cast(VideoStream, self._container.streams[self._stream_index])
        for stream in self._container.streams:
            if stream.index != self._stream_index:
                stream.discard = Discard.all
        if self._threads:
            self._stream.thread_type = "AUTO"
            # As many as FFmpeg itself starts, but of the cores that this process may use.
            self._stream.thread_count = min(count_cores() + 1, _MOST_THREADS)
        else:
            self._stream.thread_type, self._stream.thread_count = "NONE", 1
        self._begin()

    def seek(self, stamp: int) -> None:
        """Go to the keyframe at or before ``stamp``; raises av.FFmpegError where the file cannot be searched."""
        if not self._threads:
            # Decoders fill in what is missing from frames that they have seen before, even before a jump.
            self.restart()
        self._container.seek(stamp, stream=self._stream)
        self._begin()

    def read(self) -> DecodedFrame | None:
        """The next frame in the order shown; None at the end."""
        return next(self._frames, None)

    def close(self) -> None:
        """Release the file."""
        self._container.close()

    def _begin(self) -> None:
        self._damaged_from: int | None = None
        self._cut_stamps: set[int] = set()
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
        """The stream's packets, and None at its end, which makes the decoder give out all that it has."""
        try:
            for packet in self._container.demux(self._stream):
                # An empty packet within the stream stands for nothing; to the decoder it would be the end.
                if not packet.size:
                    continue
                if packet.is_corrupt and packet.pts is not None:
                    # Decoders of single pictures do not pass on that the container lacks a part of one.
                    self._cut_stamps.add(packet.pts)
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
            # Later frames are predicted from this one, until a keyframe ends it.
            self._damaged_from = stamp
        is_after = self._damaged_from is not None and stamp >= self._damaged_from
        # Some codecs predict nothing and call no frame a keyframe.
        return picture.is_corrupt or stamp in self._cut_stamps or (is_after and self._has_keyframes)

    def _note(self, error: av.FFmpegError) -> None:
        self.error = self.error or error.strerror


def count_frames(path: Path, stream_index: int, is_searchable: bool) -> Timeline:
    """The timeline of a stream whose packets do not tell it, by decoding the stream from end to end.

    ``is_searchable`` says whether a keyframe can be searched for by its time.
    """
    frames, is_whole = _decode_all(path, stream_index, threads=True)
    if not is_whole:
        frames, _ = _decode_all(path, stream_index, threads=False)
    stamps = [frame.stamp for frame in frames]
    uses = Counter(stamps)
    keyframes = tuple(
        Keyframe(frame.stamp, index)
        for index, frame in enumerate(frames)
        if frame.is_key and frame.stamp is not None and uses[frame.stamp] == 1
    )
    times = sorted(stamp for stamp in stamps if stamp is not None)
    has_times = len(uses) == len(frames) == len(times)
    return Timeline(
        frame_count=len(frames),
        stamps=tuple(times) if has_times else (),
        keyframes=keyframes if is_searchable else (),
        end=times[-1] + frames[-1].duration if has_times and frames[-1].duration > 0 else None,
        counted=not has_times or times != stamps,
    )


class _FrameTime(NamedTuple):
    stamp: int | None
    duration: int
    is_key: bool


def _decode_all(path: Path, stream_index: int, threads: bool) -> tuple[list[_FrameTime], bool]:
    """The times of all frames in the order shown, and whether all of them are undamaged."""
    decoder = VideoDecoder(path, stream_index, threads=threads)
    frames, is_whole = [], True
    while (decoded := decoder.read()) is not None:
        picture = decoded.picture
        frames.append(_FrameTime(picture.pts, picture.duration, picture.key_frame))
        is_whole = is_whole and not decoded.is_damaged
    decoder.close()
    return frames, is_whole and decoder.error is None
