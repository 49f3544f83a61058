"""Writing movies as complete segments of a few frames that are joined at the end, so a crash loses one segment."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from howard.errors import OutputError, SettingsError
from howard.media.colours.stored_colour import SDR, choose_stored_colour
from howard.media.files import make_folder, remove_temporary_files, replace_durably, temporary_path, unwritable_error
from howard.media.frame import AudioTrack, ClipInfo
from howard.media.movie_formats import REPRODUCIBLE, MovieFormat
from howard.media.movie_joining import Segment, copyable_tracks, join_segments, select_audio
from howard.media.opus import can_encode
from howard.media.signatures import has_signature
from howard.media.timecode import shift_timecode

SEGMENT_FRAMES = 24
# Matches the file names of segments, also those of other renders.
_SEGMENT = re.compile(r"[0-9]{4,}-[0-9]{4,}\.")


class MovieWriter:
    """Writes a range of frames of a clip to a movie, NAME.mov or with the format's suffix; see `Writer`.

    The segments are in the folder NAME.mov.parts until all frames are written. Frames keep their times in the clip,
    relative to the first one written. The clip's audio and timecode are copied if the container supports them.
    ``frames`` are zero-based indices.
    """

    def __init__(
        self,
        folder: str | Path,
        name: str,
        movie_format: MovieFormat,
        clip: ClipInfo,
        frames: range,
        segment_frames: int = SEGMENT_FRAMES,
    ) -> None:
        self._result = Path(folder) / f"{name}{movie_format.suffix}"
        self._parts = self._result.with_name(f"{self._result.name}.parts")
        self._format = movie_format
        self._clip = clip
        self._colour = (
            choose_stored_colour(clip, movie_format.keeps_clip_colour) if movie_format.contains_colour else SDR
        )
        self._frames = frames
        self._numbers = range(clip.first_number + frames.start, clip.first_number + frames.stop)
        self._segment_frames = segment_frames
        self._tracks = copyable_tracks(clip, movie_format.container)
        self._encoded: tuple[AudioTrack, ...] = ()
        if movie_format.encodes_opus:
            others = (track for track in clip.audio if track not in self._tracks)
            self._encoded = tuple(track for track in others if can_encode(clip.path, track))
        self._timecode = shift_timecode(clip.timecode, frames.start, clip.frame_rate) if clip.timecode else None
        self._segment_container = movie_format.segment_container or movie_format.container
        self._open: _OpenSegment | None = None
        self.dtype = np.dtype(movie_format.dtype)
        _check_encoder(movie_format.codec)

    def batch(self, number: int) -> Sequence[int]:
        """The numbers of the frames in the same segment; after joining, of all frames of the movie."""
        return self._numbers if self._result.exists() else self._segment_numbers(number)

    def has(self, number: int) -> bool:
        """Whether the movie, or the frame's complete segment, exists and has its container's signature."""
        if self._result.exists():
            return has_signature(self._result, self._format.container)
        return has_signature(self._segment(number).path, self._segment_container)

    def file(self, number: int) -> Path:
        """The movie if it exists, else the frame's segment."""
        return self._result if self._result.exists() else self._segment(number).path

    def files(self, numbers: Sequence[int]) -> Sequence[Path]:
        """The movie."""
        return [self._result]

    def begin(self, numbers: Sequence[int]) -> None:
        """Create the folder of segments, and remove temporary files that killed runs left.

        If frames are to be written, an existing movie is damaged or of another render and is removed, as are segments
        of other frame ranges.
        """
        remove_temporary_files([self._result])
        if not numbers:
            return
        make_folder(self._parts)
        segments = {segment.path for segment in self._segments()}
        remove_temporary_files(segments)
        stale = [entry for entry in self._parts.iterdir() if _SEGMENT.match(entry.name) and entry not in segments]
        for path in (self._result, *stale):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise unwritable_error(path, error) from error

    def to_stored(self, picture: np.ndarray) -> np.ndarray:
        """The image in the movie's colours and in the dtype that is passed to the encoder; see `StoredColour.store`."""
        return self._colour.store(picture, self.dtype)

    def prepare(self, picture: np.ndarray) -> av.VideoFrame:
        """Convert an image to a frame for the encoder."""
        return self._format.frame(picture, self._colour)

    def write(self, number: int, prepared: av.VideoFrame) -> Sequence[int]:
        """Encode the frame; the segment is complete with its last frame. Raises ValueError for frames out of order."""
        batch = self._segment_numbers(number)
        if number == batch[0]:
            self.close()
            self._open = _OpenSegment(self._segment(number).path, self._segment_container, self._add_movie)
        if self._open is None or self._open.frame_count != number - batch[0]:
            raise ValueError(f"frame {number} of a movie is out of order")
        self._open.encode(prepared)
        if number != batch[-1]:
            return ()
        self._open.finish()
        self._open = None
        return batch

    def finish(self, times: Mapping[int, Fraction]) -> Sequence[Path]:
        """Join the segments and remove them; ``times`` are all frames' times in the clip, by number."""
        segments = self._segments()
        is_joined = self._result.exists()
        if not is_joined:
            first, end = times[self._numbers[0]], times[self._numbers[-1]] + 1 / self._clip.frame_rate
            join_segments(
                segments,
                self._result,
                self._format.container,
                self._add_movie,
                times=[times[number] - first for number in self._numbers],
                frame_rate=self._clip.frame_rate,
                timecode=self._timecode,
                audio=select_audio(self._clip, self._tracks, self._encoded, self._frames, first, end),
            )
        # If the folder contains other files, it is kept.
        with suppress(OSError):
            for segment in segments:
                segment.path.unlink(missing_ok=True)
            self._parts.rmdir()
        return () if is_joined else (self._result,)

    def close(self) -> None:
        """Discard the incomplete segment."""
        if self._open is not None:
            self._open.discard()
            self._open = None

    @property
    def facts(self) -> dict[str, Any]:
        """Description of the movie for the sidecar."""
        clip, chosen = self._clip, self._format
        width, height = chosen.stored_size(clip.width, clip.height)
        return {
            "files": self._result.name,
            "container": chosen.container,
            "codec": chosen.codec,
            "pixel_format": chosen.pixel_format,
            "bits": chosen.bits,
            "alpha": chosen.alpha,
            "colour_space": self._colour.description,
            **({"colour_note": self._colour.note} if self._colour.note else {}),
            "size": [width, height],
            "edge_repeated": {"right": width - clip.width, "bottom": height - clip.height},
            "frames": [self._numbers[0], self._numbers[-1]],
            "timecode": self._timecode,
            "audio": [
                *(track._asdict() for track in self._tracks),
                *(track._asdict() | {"encoded": "opus"} for track in self._encoded),
            ],
        }

    def _add_movie(self, output: OutputContainer) -> VideoStream:
        clip = self._clip
        return self._format.add_stream(
            output, clip.width, clip.height, clip.frame_rate, clip.pixel_aspect, self._colour
        )

    def _segment_numbers(self, number: int) -> range:
        start = (number - self._numbers[0]) // self._segment_frames * self._segment_frames
        return self._numbers[start : start + self._segment_frames]

    def _segments(self) -> list[Segment]:
        return [self._segment(start) for start in self._numbers[:: self._segment_frames]]

    def _segment(self, number: int) -> Segment:
        batch = self._segment_numbers(number)
        suffix = f".{self._format.segment_container}" if self._format.segment_container else self._format.suffix
        path = self._parts / f"{batch[0]:04d}-{batch[-1]:04d}{suffix}"
        return Segment(path, len(batch))


class _OpenSegment:
    """An incomplete segment, under a temporary name."""

    def __init__(self, path: Path, container_format: str, add_movie: Callable[[OutputContainer], VideoStream]) -> None:
        self._path = path
        self._temporary = temporary_path(path)
        self.frame_count = 0
        try:
            self._output = av.open(f"file:{self._temporary}", "w", format=container_format, options=dict(REPRODUCIBLE))
            self._stream = add_movie(self._output)
        except av.FFmpegError as error:
            raise self._failed(error) from error

    def encode(self, frame: av.VideoFrame) -> None:
        # In frames; the presentation times are set when the segments are joined.
        frame.pts = self.frame_count
        self._mux(frame)
        self.frame_count += 1

    def finish(self) -> None:
        self._mux(None)
        try:
            self._output.close()
            replace_durably(self._temporary, self._path)
        except (av.FFmpegError, OSError) as error:
            raise self._failed(error) from error

    def discard(self) -> None:
        with suppress(av.FFmpegError, OSError):
            self._output.close()
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)

    def _mux(self, frame: av.VideoFrame | None) -> None:
        try:
            self._output.mux(self._stream.encode(frame))
        except av.FFmpegError as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> OutputError:
        reason = getattr(error, "strerror", None) or error
        return OutputError(f"{self._path} cannot be written ({reason}); check space and permissions")


def _check_encoder(codec: str) -> None:
    try:
        av.Codec(codec, "w")
    except av.FFmpegError as error:
        raise SettingsError(f"this installation's FFmpeg cannot write {codec}; choose another format") from error
