"""Reading a video file one frame at a time, in order or at random, with memory flat in its length."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from howard.errors import InputError
from howard.media.colour_names import apply_colour_name
from howard.media.frame import AudioTrack, ClipInfo, Frame
from howard.media.timeline import Timeline, read_timeline
from howard.media.to_rgb import RgbConverter, quarter_turns, read_colour_tags
from howard.media.working_space import ColourTags

# Decoding this many frames forward is cheaper than a seek, which empties the decoder's pipeline.
_FORWARD_LIMIT = 8
# Matroska keeps durations in whole nanoseconds, which makes 19001/317 of 60000/1001.
_NTSC_RATES = tuple(Fraction(1000 * frames, 1001) for frames in (24, 30, 48, 60, 120))
_BLUR = Fraction(1, 10**6)


class VideoReader:
    """A video file as a sequence of `Frame`.

    ``reader[i]`` decodes forward where it can and seeks where it must, so reading in order never seeks. One reader
    has one position in the file: two loops over the same reader are right but slow. ``colour`` names the file's
    colours where its tags are wrong, one of COLOUR_NAMES.
    """

    def __init__(self, path: Path, colour: str | None = None) -> None:
        self._path = path
        self._next_index: int | None = None
        self._container = _open(path)
        try:
            self._stream = _video_stream(path, self._container)
            self._timeline = _timeline_of(path, self._container, self._stream)
            self._first = self._decode(0) if self._timeline.frame_count else None
            if self._first is None:
                raise InputError(f"{path} has no picture that can be decoded; convert it to H.264 or ProRes")
            _refuse_interlaced(path, self._first)
            tags = apply_colour_name(read_colour_tags(self._first), colour, path)
            self._convert = RgbConverter(self._first, tags)
            self.info = self._describe(self._first, tags)
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return self.info.frame_count

    def __iter__(self) -> Iterator[Frame]:
        for index in range(len(self)):
            yield self[index]

    def __getitem__(self, index: int) -> Frame:
        """Frame ``index``, counted from zero; raises IndexError outside the clip, negative numbers included."""
        if not 0 <= index < len(self):
            raise IndexError(f"{self._path} has frames 0 to {len(self) - 1}, not {index}")
        decoded = self._first if index == 0 else self._decode(index)
        if decoded is None:
            raise InputError(
                f"{self._path}: frame {index + 1} of {len(self)} is missing or damaged; "
                "repair the file or cut it there; a frame of the shot can be left out with frames=FIRST-LAST"
            )
        if not self._convert.fits(decoded):
            raise InputError(
                f"{self._path}: frame {index + 1} is {decoded.width}x{decoded.height} {decoded.format.name}, "
                "unlike the first; convert the clip to one size and format"
            )
        return Frame(self._convert(decoded), index, index + 1, self._time_of(index))

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()

    def _decode(self, index: int) -> av.VideoFrame | None:
        """Frame ``index`` as the decoder gives it; None where it is missing."""
        seeking = self._needs_seek(index)
        if seeking:
            self._rewind(self._timeline.keyframe_before(index))
        decoded = self._decode_until(index)
        if decoded is None and seeking:
            # Some containers land after the keyframe they were asked for; the beginning is always before.
            self._rewind(None)
            decoded = self._decode_until(index)
        return decoded

    def _needs_seek(self, index: int) -> bool:
        if self._next_index is None or index < self._next_index:
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
        else:
            self._container.seek(keyframe, stream=self._stream)
        self._decoded = self._container.decode(self._stream)
        self._next_index = 0

    def _decode_until(self, index: int) -> av.VideoFrame | None:
        """Decode forward to frame ``index``; None where decoding begins after it or ends before it."""
        try:
            for decoded in self._decoded:
                position = self._next_index or 0
                if self._timeline.seekable:
                    position = self._timeline.index_of(decoded.pts)
                if position is None:
                    continue
                self._next_index = position + 1
                if position >= index:
                    return decoded if position == index else None
        except av.FFmpegError as error:
            raise InputError(
                f"{self._path}: frame {index + 1} cannot be decoded ({error.strerror}); copy the file again, or cut it "
                "before that frame"
            ) from error
        return None

    def _time_of(self, index: int) -> Fraction:
        if not self._timeline.seekable:
            return index / self.info.frame_rate
        return self._seconds(self._timeline.stamps[index] - self._timeline.stamps[0])

    def _seconds(self, ticks: int) -> Fraction:
        return ticks * Fraction(self._stream.time_base or 1)

    def _describe(self, first: av.VideoFrame, tags: ColourTags) -> ClipInfo:
        stream, timeline = self._stream, self._timeline
        turned = quarter_turns(first.rotation) % 2 == 1
        aspect = stream.sample_aspect_ratio or Fraction(1)
        frame_rate = _frame_rate(stream)
        duration = timeline.frame_count / frame_rate
        if timeline.end is not None:
            duration = self._seconds(timeline.end - timeline.stamps[0])
        return ClipInfo(
            path=self._path,
            files=(self._path,),
            name=self._path.stem,
            width=first.height if turned else first.width,
            height=first.width if turned else first.height,
            frame_count=timeline.frame_count,
            frame_rate=frame_rate,
            duration=duration,
            pixel_format=first.format.name,
            dtype=self._convert.dtype,
            rotation=90 * quarter_turns(first.rotation),
            matrix=tags.matrix,
            full_range=tags.full_range,
            primaries=tags.primaries.name,
            transfer=tags.transfer,
            pixel_aspect=1 / aspect if turned else aspect,
            timecode=_timecode(self._container, stream),
            start_time=self._seconds(timeline.stamps[0]) if timeline.seekable else Fraction(0),
            audio=_audio_tracks(self._container),
        )


def _open(path: Path) -> InputContainer:
    try:
        # The prefix keeps a name with a colon or a leading dash from being read as anything but a file's.
        return av.open(f"file:{path}")
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read as a video ({reason}); give a whole video file or a still") from error


def _video_stream(path: Path, container: InputContainer) -> VideoStream:
    for stream in container.streams.video:
        # A song's cover art is stored as a video stream of one picture.
        if not stream.disposition & Disposition.attached_pic:
            stream.thread_type = "AUTO"
            return stream
    raise InputError(
        f"{path} has no video in it, only sound or data, or its end is missing; give a whole video file or a still"
    )


def _timeline_of(path: Path, container: InputContainer, stream: VideoStream) -> Timeline:
    try:
        return read_timeline(container, stream)
    except av.FFmpegError as error:
        raise InputError(f"{path} is damaged ({error.strerror}); repair or convert it first") from error


def _refuse_interlaced(path: Path, first: av.VideoFrame) -> None:
    if first.interlaced_frame:
        raise InputError(f"{path} is interlaced; deinterlace it first, for instance with ffmpeg -vf bwdif")


def _frame_rate(stream: VideoStream) -> Fraction:
    """The average rate, or the standard rate that it can only stand for."""
    rate = Fraction(stream.average_rate or stream.guessed_rate or 25)
    return next((standard for standard in _NTSC_RATES if abs(rate / standard - 1) < _BLUR), rate)


def _timecode(container: InputContainer, stream: VideoStream) -> str | None:
    # MOV keeps it with the picture or in a track of its own, MXF and Matroska with the file.
    for metadata in (stream.metadata, container.metadata, *(other.metadata for other in container.streams)):
        timecode = metadata.get("timecode") or metadata.get("TIMECODE")
        if timecode:
            return timecode
    return None


def _audio_tracks(container: InputContainer) -> tuple[AudioTrack, ...]:
    return tuple(
        AudioTrack(stream.index, stream.codec_context.name, stream.codec_context.sample_rate, stream.channels)
        for stream in container.streams.audio
    )
