"""Thread-safe, cached access to clips: frames by number, and thumbnails."""

import itertools
import threading
from collections import OrderedDict
from fractions import Fraction
from pathlib import Path

import numpy as np

from howard.align.caches import BoundedMemory
from howard.images import shrink_to
from howard.media import Frame, Reader, choose_frames, open_reader, to_depth
from howard.options import RenderOptions

# Clips that the cache holds open. The least recently used one beyond these closes when its last reference goes.
_MAX_OPEN_CLIPS = 8
# Memory for the thumbnails of all clips: about 2000 of 240 x 135 pixels.
_THUMBNAIL_BYTES = 192 * 2**20
# Unique number of each clip, part of its thumbnails' cache keys.
_clip_ids = itertools.count()


class Clip:
    """An open clip; safe to use from several threads.

    Attributes:
        path: path or pattern that was opened.
        name: base name of the clip's outputs.
        frame_count, width, height, frame_rate: as decoded, after rotation to the upright orientation.
        first_number: number of the first frame, as in output names.
    """

    def __init__(self, reader: Reader, thumbnails: "BoundedMemory[np.ndarray]") -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._thumbnails = thumbnails
        self._id = next(_clip_ids)
        info = reader.info
        self.path: Path = info.path
        self.name: str = info.name
        self.frame_count: int = info.frame_count
        self.first_number: int = info.first_number
        self.width: int = info.width
        self.height: int = info.height
        self.frame_rate: Fraction = info.frame_rate

    @property
    def last_number(self) -> int:
        """Number of the last frame, as in output names."""
        return self.first_number + self.frame_count - 1

    def frame(self, number: int) -> Frame:
        """Read frame ``number``; raises SettingsError if it is out of range, InputError if it cannot be read."""
        [index] = choose_frames(number, self._reader.info, "frame")
        with self._lock:
            return self._reader[index]

    def thumbnail(self, number: int, long_side: int) -> np.ndarray:
        """Frame ``number``, (h, w, 3) uint8 RGB, with a long side of at most ``long_side`` pixels; read-only."""
        return self._thumbnails.get((self._id, number, long_side), lambda: self._make_thumbnail(number, long_side))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._reader.close()

    def _make_thumbnail(self, number: int, long_side: int) -> np.ndarray:
        image = to_depth(self.frame(number).image, np.uint8)
        # shrink_to returns images that are small enough unchanged; without a copy the cache would hold reader memory.
        return np.array(shrink_to(image, long_side))


class ClipCache:
    """Opens each clip once and returns the same object to all callers; safe to use from several threads."""

    def __init__(self) -> None:
        self._clips: OrderedDict[tuple, Clip] = OrderedDict()
        self._thumbnails = BoundedMemory[np.ndarray](_THUMBNAIL_BYTES, lambda picture: picture.nbytes)
        self._lock = threading.Lock()

    def open(self, path: str | Path, options: RenderOptions | None = None, *, is_plate: bool = False) -> Clip:
        """Open the clip at a path with the decoding options for a shot or for a plate.

        A file that was modified since is opened again. Raises InputError or SettingsError if it cannot be read.
        """
        chosen = options or RenderOptions()
        colour, layer = (chosen.plate_colour, chosen.plate_layer) if is_plate else (chosen.input_colour, chosen.layer)
        rate = None if is_plate else chosen.rate
        key = (str(path), modification_time(path), colour, layer, rate, chosen.interlaced)
        with self._lock:
            clip = self._clips.get(key)
            if clip is None:
                clip = Clip(open_reader(path, colour, rate, chosen.interlaced, layer), self._thumbnails)
                self._clips[key] = clip
            self._clips.move_to_end(key)
            while len(self._clips) > _MAX_OPEN_CLIPS:
                self._clips.popitem(last=False)
        return clip

    def close(self) -> None:
        """Close all clips."""
        with self._lock:
            while self._clips:
                self._clips.popitem()[1].close()


def modification_time(path: str | Path) -> int | None:
    """Modification time of a file or folder in nanoseconds; None if unknown, as for sequence patterns."""
    try:
        return Path(path).stat().st_mtime_ns
    except (OSError, ValueError):
        return None
