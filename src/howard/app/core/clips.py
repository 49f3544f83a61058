"""Clips as the app shows them: open readers, frames by number and thumbnails, shared by all who ask."""

import itertools
import threading
from collections import OrderedDict
from fractions import Fraction
from pathlib import Path

import numpy as np

from howard.align.caches import BoundedMemory
from howard.media import Frame, Reader, choose_frames, open_reader, to_depth
from howard.options import RenderOptions
from howard.pipeline.sample_images import shrink_to

# Clips kept open; beyond these the one used longest ago closes as soon as nobody uses it any more.
_MOST_OPEN = 8
# Thumbnails of all clips: about 2000 of 240 x 135 pixels.
_THUMBNAIL_BYTES = 192 * 2**20
# Tells clips apart in the names of thumbnails.
_serials = itertools.count()


class Clip:
    """An open clip; safe to use from several threads.

    Attributes:
        path: what was opened.
        name: what the clip's output is called after.
        frame_count, width, height, frame_rate: of the upright pictures.
        first_number: of the first frame, as in output names.
    """

    def __init__(self, reader: Reader, thumbnails: "BoundedMemory[np.ndarray]") -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._thumbnails = thumbnails
        self._serial = next(_serials)
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
        """Of the last frame, as in output names."""
        return self.first_number + self.frame_count - 1

    def frame(self, number: int) -> Frame:
        """Frame ``number``; raises SettingsError outside the clip, InputError where it cannot be read."""
        [index] = choose_frames(number, self._reader.info, "frame")
        with self._lock:
            return self._reader[index]

    def thumbnail(self, number: int, long_side: int) -> np.ndarray:
        """Frame ``number``, (h, w, 3) uint8 RGB, no longer than ``long_side`` pixels; not to be changed."""
        return self._thumbnails.get((self._serial, number, long_side), lambda: self._reduce(number, long_side))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._reader.close()

    def _reduce(self, number: int, long_side: int) -> np.ndarray:
        image = to_depth(self.frame(number).image, np.uint8)
        # A smaller picture is handed back as it is, and would keep the reader's memory alive.
        return np.array(shrink_to(image, long_side))


class ClipCache:
    """Opens each clip once for all who ask for it; safe to use from several threads."""

    def __init__(self) -> None:
        self._clips: OrderedDict[tuple, Clip] = OrderedDict()
        self._thumbnails = BoundedMemory[np.ndarray](_THUMBNAIL_BYTES, lambda picture: picture.nbytes)
        self._lock = threading.Lock()

    def open(self, path: str | Path, options: RenderOptions | None = None, *, is_plate: bool = False) -> Clip:
        """The clip at a path, decoded as ``options`` say for a shot or a plate.

        A file that has changed since is opened again. Raises InputError or SettingsError where it cannot be read.
        """
        chosen = options or RenderOptions()
        colour, layer = (chosen.plate_colour, chosen.plate_layer) if is_plate else (chosen.input_colour, chosen.layer)
        rate = None if is_plate else chosen.rate
        key = (str(path), changed_at(path), colour, layer, rate, chosen.interlaced)
        with self._lock:
            clip = self._clips.get(key)
            if clip is None:
                clip = Clip(open_reader(path, colour, rate, chosen.interlaced, layer), self._thumbnails)
                self._clips[key] = clip
            self._clips.move_to_end(key)
            while len(self._clips) > _MOST_OPEN:
                self._clips.popitem(last=False)
        return clip

    def close(self) -> None:
        """Close all clips."""
        with self._lock:
            while self._clips:
                self._clips.popitem()[1].close()


def changed_at(path: str | Path) -> int | None:
    """When a file or folder was changed, in nanoseconds; None where that cannot be told, as of patterns."""
    try:
        return Path(path).stat().st_mtime_ns
    except (OSError, ValueError):
        return None
