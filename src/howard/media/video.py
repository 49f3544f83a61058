"""Reading a video file one frame at a time, in order or at random, with memory flat in its length."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from howard.errors import InputError
from howard.media.frame import ClipInfo, Frame
from howard.media.timeline import Timeline, read_timeline
from howard.media.to_rgb import ColourTags, RgbConverter, quarter_turns, read_colour_tags

# Decoding this many frames forward is cheaper than a seek, which empties the decoder's pipeline.
_FORWARD_LIMIT = 8


class VideoReader:
    """A video file as a sequence of `Frame`.

    ``reader[i]`` decodes forward where it can and seeks where it must, so reading in order never seeks. One reader
    has one position in the file: two loops over the same reader are right but slow.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _open(path) as container:
            self._timeline = _timeline_of(path, container)
        self._container = _open(path)
        try:
            self._rewind(None)
            first = self._decode_until(0) if self._timeline.frame_count else None
            if first is None:
                raise InputError(f"{path} has no picture that can be decoded; convert it to H.264 or ProRes")
            tags = read_colour_tags(first)
            _refuse_unsupported(path, first, tags)
            self.info = _describe(path, self._stream, first, tags, self._timeline.frame_count)
        except BaseException:
            self.close()
            raise
        self._convert = RgbConverter(tags)
        self._rewind(None)

    def __len__(self) -> int:
        return self.info.frame_count

    def __iter__(self) -> Iterator[Frame]:
        for index in range(len(self)):
            yield self[index]

    def __getitem__(self, index: int) -> Frame:
        """Frame ``index``, counted from zero; raises IndexError outside the clip, negative numbers included."""
        if not 0 <= index < len(self):
            raise IndexError(f"{self._path} has frames 0 to {len(self) - 1}, not {index}")
        seeking = self._needs_seek(index)
        if seeking:
            self._rewind(self._timeline.keyframe_before(index))
        decoded = self._decode_until(index)
        if decoded is None and seeking:
            # Some containers land after the keyframe they were asked for; the beginning is always before.
            self._rewind(None)
            decoded = self._decode_until(index)
        if decoded is None:
            raise InputError(
                f"{self._path}: frame {index + 1} of {len(self)} is missing or damaged; "
                "repair the file or leave the frame out with frames=FIRST-LAST"
            )
        return Frame(self._convert(decoded), index, index + 1, self._time_of(index))

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()

    def _needs_seek(self, index: int) -> bool:
        if index < self._next_index:
            return True
        keyframe = self._timeline.keyframe_before(index)
        if keyframe is None or index - self._next_index < _FORWARD_LIMIT:
            return False
        return keyframe > self._timeline.stamps[self._next_index]

    def _rewind(self, keyframe: int | None) -> None:
        """Start decoding at ``keyframe``, a stamp, or at the very beginning."""
        if keyframe is None:
            self._container.close()
            self._container = _open(self._path)
            self._stream = _video_stream(self._path, self._container)
            self._stream.thread_type = "AUTO"
        else:
            self._container.seek(keyframe, stream=self._stream)
        self._decoded = self._container.decode(self._stream)
        self._next_index = 0

    def _decode_until(self, index: int) -> av.VideoFrame | None:
        """Decode forward to frame ``index``; None where decoding begins after it or ends before it."""
        try:
            for decoded in self._decoded:
                position = self._next_index
                if self._timeline.seekable:
                    position = self._timeline.index_of(decoded.pts)
                if position is None:
                    continue
                self._next_index = position + 1
                if position >= index:
                    return decoded if position == index else None
        except av.FFmpegError as error:
            raise InputError(f"{self._path}: frame {index + 1} cannot be decoded ({error.strerror})") from error
        return None

    def _time_of(self, index: int) -> Fraction:
        if not self._timeline.seekable:
            return index / self.info.frame_rate
        ticks = self._timeline.stamps[index] - self._timeline.stamps[0]
        return ticks * Fraction(self._stream.time_base or 1)


def _open(path: Path) -> InputContainer:
    try:
        return av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read as a video ({reason}); give a video file or a still") from error


def _video_stream(path: Path, container: InputContainer) -> VideoStream:
    for stream in container.streams.video:
        # A song's cover art is stored as a video stream of one picture.
        if not stream.disposition & Disposition.attached_pic:
            return stream
    raise InputError(f"{path} has no video in it, only sound or data; give a video file or a still")


def _timeline_of(path: Path, container: InputContainer) -> Timeline:
    try:
        return read_timeline(container, _video_stream(path, container))
    except av.FFmpegError as error:
        raise InputError(f"{path} is damaged ({error.strerror}); repair or convert it first") from error


def _refuse_unsupported(path: Path, first: av.VideoFrame, tags: ColourTags) -> None:
    if tags.hdr:
        raise InputError(f"{path} is HDR video ({tags.hdr}); convert it to SDR (BT.709) first")
    if first.interlaced_frame:
        raise InputError(f"{path} is interlaced; deinterlace it first, for instance with ffmpeg -vf bwdif")


def _describe(path: Path, stream: VideoStream, first: av.VideoFrame, tags: ColourTags, frame_count: int) -> ClipInfo:
    turned = quarter_turns(first.rotation) % 2 == 1
    aspect = stream.sample_aspect_ratio or Fraction(1)
    return ClipInfo(
        path=path,
        width=first.height if turned else first.width,
        height=first.width if turned else first.height,
        frame_count=frame_count,
        frame_rate=Fraction(stream.average_rate or stream.guessed_rate or 25),
        pixel_format=first.format.name,
        rotation=90 * quarter_turns(first.rotation),
        matrix=tags.matrix,
        full_range=tags.full_range,
        primaries=tags.primaries,
        transfer=tags.transfer,
        pixel_aspect=1 / aspect if turned else aspect,
    )
