"""Random access to a video's frames: decoding forward to near frames, seeking to keyframes for others."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path

import av

from howard.media.timeline import Keyframe, Timeline
from howard.media.video_decoder import DecodedFrame, VideoDecoder

# Decoding this many frames forward is cheaper than a seek, which flushes the decoder's pipeline.
_FORWARD_LIMIT = 8
# Keyframes before the nearest one to seek to, in this order, since some containers seek past the requested keyframe.
_KEYFRAMES_BACK = (0, 2)


class FrameSeeker:
    """Decodes a stream's frames by index; the result does not depend on the order of the requests.

    Frames are counted in the order of decoding from the beginning. Decoding after a seek may only begin at a frame
    that the decoder itself reports as a keyframe, whatever the container says. If there is none, decoding restarts at
    the beginning.
    """

    def __init__(self, path: Path, stream_index: int, timeline: Timeline) -> None:
        self._path = path
        self._stream_index = stream_index
        self._timeline = timeline
        self._decoder: VideoDecoder | None = None
        self._threads = True
        self._can_seek = bool(timeline.keyframes)
        self._keyframes_reliable = True
        self._indices = dict(timeline.keyframes)
        # The keyframes that the decoder has confirmed, sorted by index.
        self._confirmed: list[Keyframe] = []
        self._next_index = 0

    @property
    def error(self) -> str | None:
        """The decoder's first error message; None if there was no error."""
        return self._decoder.error if self._decoder else None

    def find(self, index: int) -> DecodedFrame | None:
        """Frame ``index``; None if it is missing from the file."""
        found = self._find(index)
        if self._threads and (found is None or found.is_damaged):
            # With threads the frames after an error depend on timing, and frames get lost.
            self._threads = False
            self.close()
            found = self._find(index)
        return found

    def close(self) -> None:
        """Close the file."""
        if self._decoder is not None:
            self._decoder.close()
        self._decoder = None

    def _find(self, index: int) -> DecodedFrame | None:
        decoder = self._decoder
        if decoder is None:
            decoder = self._decoder = VideoDecoder(self._path, self._stream_index, threads=self._threads)
            self._next_index = 0
        if self._should_decode_forward(index):
            return self._decode_until(decoder, index)
        for keyframe in self._seek_targets(index):
            found = self._seek(decoder, keyframe, index)
            if found is not None:
                return found
        decoder.restart()
        self._next_index = 0
        return self._decode_until(decoder, index)

    def _should_decode_forward(self, index: int) -> bool:
        """Whether decoding forward from the current position is the fastest way to frame ``index``."""
        if index < self._next_index:
            return False
        keyframe = next(self._seek_targets(index), None)
        if keyframe is None or index - self._next_index < _FORWARD_LIMIT:
            return True
        return keyframe.index <= self._next_index

    def _seek_targets(self, index: int) -> Iterator[Keyframe]:
        """Keyframes to seek to for frame ``index``, the best first."""
        if not self._can_seek:
            return
        keyframes = self._timeline.keyframes if self._keyframes_reliable else self._confirmed
        position = bisect_right(keyframes, index, key=_index_of) - 1
        for back in _KEYFRAMES_BACK:
            if position >= back:
                yield keyframes[position - back]

    def _seek(self, decoder: VideoDecoder, keyframe: Keyframe, index: int) -> DecodedFrame | None:
        """Frame ``index``, decoded from a keyframe on; None if that fails."""
        try:
            decoder.seek(keyframe.stamp)
        except av.FFmpegError:
            self._can_seek = False
            return None
        while (decoded := decoder.read()) is not None:
            stamp = decoded.picture.pts
            position = self._indices.get(stamp) if stamp is not None else None
            if decoded.picture.key_frame and position is not None:
                self._next_index = self._advance(decoded, position)
                return decoded if position == index else self._decode_until(decoder, index)
            if stamp == keyframe.stamp:
                self._keyframes_reliable = False
        return None

    def _decode_until(self, decoder: VideoDecoder, index: int) -> DecodedFrame | None:
        """Decode forward to frame ``index``; None if the decoder is already past it or the stream ends before it."""
        while self._next_index <= index and (decoded := decoder.read()) is not None:
            position = self._next_index
            if not self._timeline.counted:
                found = self._timeline.index_of(decoded.picture.pts)
                if found is None:
                    continue
                position = found
            self._next_index = self._advance(decoded, position)
            if position == index:
                return decoded
        return None

    def _advance(self, decoded: DecodedFrame, position: int) -> int:
        """Record a keyframe that the decoder confirms; returns the index of the next frame."""
        stamp = decoded.picture.pts
        if decoded.picture.key_frame and stamp in self._indices:
            place = bisect_left(self._confirmed, position, key=_index_of)
            if not any(each.index == position for each in self._confirmed[place : place + 1]):
                self._confirmed.insert(place, Keyframe(stamp, position))
        return position + 1


def _index_of(keyframe: Keyframe) -> int:
    return keyframe.index
