"""Finding a video's frames by their index: forward where that is near, by a jump to a keyframe where it is not."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path

import av

from howard.media.timeline import Keyframe, Timeline
from howard.media.video_decoder import DecodedFrame, VideoDecoder

# Decoding this many frames forward is cheaper than a seek, which empties the decoder's pipeline.
_FORWARD_LIMIT = 8
# Where a container goes too far when asked for a keyframe, it is asked for one that many keyframes before.
_EARLIER = (0, 2)


class FrameSeeker:
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
        self._can_seek = bool(timeline.keyframes)
        self._trusts_file = True
        self._indices = dict(timeline.keyframes)
        # Those that the decoder called keyframes, too.
        self._confirmed: list[Keyframe] = []
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
        return keyframe.index <= self._next_index

    def _targets(self, index: int) -> Iterator[Keyframe]:
        """Keyframes to jump to for frame ``index``, the best first."""
        if not self._can_seek:
            return
        keyframes = self._timeline.keyframes if self._trusts_file else self._confirmed
        position = bisect_right(keyframes, index, key=_index_of) - 1
        for earlier in _EARLIER:
            if position >= earlier:
                yield keyframes[position - earlier]

    def _jump(self, decoder: VideoDecoder, keyframe: Keyframe, index: int) -> DecodedFrame | None:
        """Frame ``index`` by way of a keyframe; None where that does not lead there."""
        try:
            decoder.seek(keyframe.stamp)
        except av.FFmpegError:
            self._can_seek = False
            return None
        while (decoded := decoder.read()) is not None:
            stamp = decoded.picture.pts
            position = self._indices.get(stamp) if stamp is not None else None
            if decoded.picture.key_frame and position is not None:
                self._next_index = self._pass(decoded, position)
                return decoded if position == index else self._decode_until(decoder, index)
            if stamp == keyframe.stamp:
                self._trusts_file = False
        return None

    def _decode_until(self, decoder: VideoDecoder, index: int) -> DecodedFrame | None:
        """Decode forward to frame ``index``; None where decoding has passed it already, or ends before it."""
        while self._next_index <= index and (decoded := decoder.read()) is not None:
            position = self._next_index
            if not self._timeline.counted:
                found = self._timeline.index_of(decoded.picture.pts)
                if found is None:
                    continue
                position = found
            self._next_index = self._pass(decoded, position)
            if position == index:
                return decoded
        return None

    def _pass(self, decoded: DecodedFrame, position: int) -> int:
        """Note where a keyframe really is; return the index of the frame after this one."""
        stamp = decoded.picture.pts
        if decoded.picture.key_frame and stamp in self._indices:
            place = bisect_left(self._confirmed, position, key=_index_of)
            if not any(each.index == position for each in self._confirmed[place : place + 1]):
                self._confirmed.insert(place, Keyframe(stamp, position))
        return position + 1


def _index_of(keyframe: Keyframe) -> int:
    return keyframe.index
