"""Reading video files with random access to frames, and memory independent of their length."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from howard.errors import InputError, SettingsError
from howard.media.clip_reader import ClipReader
from howard.media.frame import ClipInfo, DamagedFrameError, Frame
from howard.media.frame_rate_estimation import choose_frame_rate, is_constant_rate
from howard.media.orientation import read_orientation
from howard.media.seeking import FrameSeeker
from howard.media.streams import choose_video, describe_streams, open_container, read_audio_tracks, read_timecode
from howard.media.timeline import (
    ELEMENTARY_STREAM_FORMATS,
    SEEKABLE_FORMATS,
    Packets,
    Timeline,
    make_timeline,
    read_packets,
)
from howard.media.to_rgb import RgbConverter, read_colour_tags
from howard.media.video_decoder import DecodedFrame, VideoDecoder, count_frames
from howard.media.working_space import ColourTags

INTERLACED_CHOICES = ("auto", "progressive")


class VideoReader(ClipReader):
    """A video file as a sequence of `Frame`.

    ``reader[i]`` decodes forward if that is fastest and seeks otherwise, so reading in order never seeks. A reader has
    one position in the file: two interleaved loops over the same reader are correct but slow.

    Args:
        path: the file.
        colour: one of COLOUR_NAMES, overriding the file's colour tags.
        interlaced: "auto" rejects interlaced frames; "progressive" is for progressive video with wrong flags.
    """

    def __init__(self, path: Path, colour: str | None = None, interlaced: str = "auto") -> None:
        if interlaced not in INTERLACED_CHOICES:
            raise SettingsError(f"interlaced={interlaced} is not known; choose {', '.join(INTERLACED_CHOICES)}")
        self._path = path
        self._rejects_interlaced = interlaced == "auto"
        with open_container(path) as container:
            stream = choose_video(path, container)
            self._first, error = _decode_first(path, stream.index)
            picture = self._first.picture
            self._check_progressive(picture, 0)
            tags = read_colour_tags(path, picture, colour)
            self._convert = RgbConverter(picture, tags)
            packets = _read_packets(path, stream.index)
            self._timeline = _make_timeline(path, stream, packets, picture.pts, is_damaged=error is not None)
            self._time_base = Fraction(stream.time_base or 1)
            self.info = self._describe(container, stream, tags, packets.cut_off)
            # The stream is invalid once its container is closed.
            self._seeker = FrameSeeker(path, stream.index, self._timeline)
        self._first_index = 0 if self._timeline.counted else self._timeline.index_of(picture.pts)
        self._is_constant_rate = is_constant_rate(self._timeline.stamps, self.info.frame_rate, self._time_base)

    @property
    def entry_points(self) -> Sequence[int]:
        """Indices of the keyframes, from which decoding can start, in order; all frames if keyframes are unknown."""
        return [keyframe.index for keyframe in self._timeline.keyframes] or range(len(self))

    def __getitem__(self, index: int) -> Frame:
        """Frame ``index``, counted from zero.

        Raises IndexError for indices outside the clip, also negative ones; DamagedFrameError if the frame is missing;
        InputError if its size or pixel format differs from the first frame's, or if it is interlaced.
        """
        self._check_index(index)
        decoded = self._first if index == self._first_index else self._seeker.find(index)
        if decoded is None:
            reason = f" ({self._seeker.error})" if self._seeker.error else ""
            raise DamagedFrameError(
                f"{self._path}: frame {index + 1} of {len(self)} is missing or damaged{reason}; copy or repair the "
                "file; a frame of the shot can be left out with frames=FIRST-LAST"
            )
        picture = decoded.picture
        self._check_progressive(picture, index)
        if not self._convert.fits(picture):
            raise InputError(
                f"{self._path}: frame {index + 1} is {picture.width}x{picture.height} {picture.format.name}, "
                "unlike the first; convert the clip to one size and format"
            )
        return Frame(self._convert(picture), index, index + 1, self._time_of(index), decoded.is_damaged)

    def close(self) -> None:
        """Close the file."""
        self._seeker.close()

    def _check_progressive(self, picture: av.VideoFrame, index: int) -> None:
        if picture.interlaced_frame and self._rejects_interlaced:
            raise InputError(
                f"{self._path} is interlaced (frame {index + 1}); deinterlace it first, for instance with "
                "ffmpeg -vf bwdif, or set interlaced=progressive if its frames are progressive"
            )

    def _time_of(self, index: int) -> Fraction:
        """Seconds since the first frame; for a constant frame rate they are exact, without the file's rounding."""
        if self._is_constant_rate:
            return index / self.info.frame_rate
        return self._seconds(self._timeline.stamps[index] - self._timeline.stamps[0])

    def _seconds(self, ticks: int) -> Fraction:
        return ticks * self._time_base

    def _describe(self, container: InputContainer, stream: VideoStream, tags: ColourTags, cut_off: int) -> ClipInfo:
        timeline, picture = self._timeline, self._first.picture
        orientation = read_orientation(picture)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        frame_rate = choose_frame_rate(_stated_rate(container, stream), timeline.stamps, self._time_base)
        duration = timeline.frame_count / frame_rate
        if timeline.end is not None and not is_constant_rate(timeline.stamps, frame_rate, self._time_base):
            duration = self._seconds(timeline.end - timeline.stamps[0])
        return ClipInfo(
            path=self._path,
            files=(self._path,),
            name=self._path.stem,
            width=picture.height if orientation.swapped else picture.width,
            height=picture.width if orientation.swapped else picture.height,
            frame_count=timeline.frame_count,
            frame_rate=frame_rate,
            duration=duration,
            pixel_format=picture.format.name,
            dtype=self._convert.dtype,
            rotation=orientation.rotation,
            mirrored=orientation.mirrored,
            matrix=tags.matrix,
            full_range=tags.full_range,
            primaries=tags.primaries.name,
            transfer=tags.transfer,
            pixel_aspect=1 / aspect if orientation.swapped else aspect,
            timecode=read_timecode(container, stream),
            start_time=self._seconds(timeline.stamps[0]) if timeline.stamps else Fraction(0),
            audio=read_audio_tracks(container),
            notes=(*describe_streams(self._path, container, stream), *_describe_cut(cut_off)),
        )


def _stated_rate(container: InputContainer, stream: VideoStream) -> Fraction | None:
    # For elementary streams FFmpeg always reports an average of 25.
    is_elementary = container.format.name in ELEMENTARY_STREAM_FORMATS
    return (not is_elementary and stream.average_rate) or stream.guessed_rate


def _decode_first(path: Path, stream_index: int) -> tuple[DecodedFrame, str | None]:
    """The first frame that can be decoded, and the decoder's error before it, or None."""
    decoder = VideoDecoder(path, stream_index, threads=False)
    first = decoder.read()
    decoder.close()
    if first is None:
        raise InputError(f"{path} has no frame that can be decoded; convert it to ProRes or H.264")
    return first, decoder.error


def _read_packets(path: Path, stream_index: int) -> Packets:
    try:
        return read_packets(path, stream_index)
    except av.FFmpegError as error:
        raise InputError(f"{path} is damaged ({error.strerror}); repair or convert it first") from error


def _make_timeline(path: Path, stream: VideoStream, packets: Packets, first: int | None, is_damaged: bool) -> Timeline:
    if first is not None and is_damaged:
        # Frames before the first one that can be decoded are missing; they are not excluded by an edit list.
        keyframes = [packet.stamp for packet in packets.times if packet.is_key and not packet.is_hidden]
        first = min(stamp for stamp in [first, *keyframes] if stamp is not None)
    timeline = make_timeline(packets, first, bool(stream.has_b_frames))
    return timeline or count_frames(path, stream.index, packets.container_format in SEEKABLE_FORMATS)


def _describe_cut(cut_off: int) -> tuple[str, ...]:
    return (f"the file is cut short, its last {cut_off} frames are missing; copy it again",) if cut_off else ()
