"""Finding a video's frames by their index: forward where that is near, by a jump to a keyframe where it is not."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path

import av

from howard.media.decoder import DecodedFrame, VideoDecoder
from howard.media.timeline import Timeline

# Decoding this many frames forward is cheaper than a seek, which empties the decoder's pipeline.
_FORWARD_LIMIT = 8
# Where a container goes too far when asked for a keyframe, it is asked for one that many keyframes before.
_EARLIER = (0, 2)


class FrameFinder:
    """Decodes a stream's frames by index; what comes is the same in any order.

    Frames are counted in the order in which decoding from the beginning gives them. A jump may end only at a frame that
    the decoder itself calls a keyframe, whatever the file says; where there is none, decoding starts over.
    """

    def __init__(self, path: Path, stream_index: int, timeline: Timeline) -> None:
        self._path = path
        self._stream_index = stream_index
        self._timeline = timeline
        self._decoder: VideoDecoder | None = None
        self._is_careful = False
        self._can_seek = timeline.seekable
        self._trusts_file = True
        # Stamps of the frames that turned out to be keyframes.
        self._confirmed: list[int] = []
        self._next_index = 0

    @property
    def error(self) -> str | None:
        """What the decoder complained of, if of anything."""
        return self._decoder.error if self._decoder else None

    def find(self, index: int) -> DecodedFrame | None:
        """Frame ``index``; None where it is missing from the file."""
        found = self._find(index)
        if not self._is_careful and (found is None or found.is_damaged):
            # After an error threads give what timing makes of it, and lose frames.
            self._is_careful = True
            self.close()
            found = self._find(index)
        return found

    def close(self) -> None:
        """Release the file."""
        if self._decoder is not None:
            self._decoder.close()
        self._decoder = None

    def _find(self, index: int) -> DecodedFrame | None:
        decoder = self._decoder
        if decoder is None:
            decoder = self._decoder = VideoDecoder(self._path, self._stream_index, threads=not self._is_careful)
            self._next_index = 0
        if self._is_ahead(index):
            return self._decode_until(decoder, index)
        for keyframe in self._targets(index):
            found = self._jump(decoder, keyframe, index)
            if found is not None:
                return found
        decoder.restart()
        self._next_index = 0
        return self._decode_until(decoder, index)

    def _is_ahead(self, index: int) -> bool:
        """Whether decoding on from where it is comes to frame ``index`` soonest."""
        if index < self._next_index:
            return False
        keyframe = next(self._targets(index), None)
        if keyframe is None or index - self._next_index < _FORWARD_LIMIT:
            return True
        return keyframe <= self._timeline.stamps[self._next_index]

    def _targets(self, index: int) -> Iterator[int]:
        """Stamps of keyframes to jump to for frame ``index``, the best first."""
        if not self._can_seek:
            return
        keyframes = self._timeline.keyframes if self._trusts_file else self._confirmed
        position = bisect_right(keyframes, self._timeline.stamps[index]) - 1
        for earlier in _EARLIER:
            if position >= earlier:
                yield keyframes[position - earlier]

    def _jump(self, decoder: VideoDecoder, keyframe: int, index: int) -> DecodedFrame | None:
        """Frame ``index`` by way of a keyframe; None where that does not lead there."""
        try:
            decoder.seek(keyframe)
        except av.FFmpegError:
            self._can_seek = False
            return None
        while (decoded := decoder.read()) is not None:
            stamp = decoded.picture.pts
            position = self._timeline.index_of(stamp)
            if decoded.picture.key_frame and stamp is not None and position is not None:
                self._confirm(stamp)
                self._next_index = position + 1
                return decoded if position == index else self._decode_until(decoder, index)
            if stamp == keyframe:
                self._trusts_file = False
        return None

    def _decode_until(self, decoder: VideoDecoder, index: int) -> DecodedFrame | None:
        """Decode forward to frame ``index``; None where decoding has passed it already, or ends before it."""
        position = self._next_index
        while position <= index and (decoded := decoder.read()) is not None:
            stamp = decoded.picture.pts
            if self._timeline.seekable and stamp is not None:
                found = self._timeline.index_of(stamp)
                if found is None:
                    continue
                position = found
                if decoded.picture.key_frame:
                    self._confirm(stamp)
            self._next_index = position + 1
            if position == index:
                return decoded
            position += 1
        return None

    def _confirm(self, stamp: int) -> None:
        position = bisect_left(self._confirmed, stamp)
        if self._confirmed[position : position + 1] != [stamp]:
            self._confirmed.insert(position, stamp)
