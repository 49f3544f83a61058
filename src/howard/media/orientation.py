"""How a stored picture is turned and mirrored to be upright: the display matrix of a video file."""

import struct
from typing import NamedTuple

import av
import numpy as np

_MATRIX = struct.Struct("@9i")


class Orientation(NamedTuple):
    """What makes a stored picture upright: rows and columns swapped first, then mirrored along either axis.

    One of the eight ways to lay a rectangle on a grid.
    """

    swapped: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @property
    def mirrored(self) -> bool:
        """Whether left and right change places, which no turning does."""
        return self.swapped ^ self.flip_x ^ self.flip_y

    @property
    def rotation(self) -> int:
        """The counter-clockwise turn in degrees, after mirroring left to right where the picture is mirrored."""
        return 90 * (1 + 2 * self.flip_x if self.swapped else 2 * self.flip_y)


UPRIGHT = Orientation()


def orientation_of_matrix(a: float, b: float, c: float, d: float) -> Orientation:
    """The orientation nearest to a matrix that takes stored (x, y), y down, to shown (a x + c y, b x + d y)."""
    if max(abs(a), abs(d)) >= max(abs(b), abs(c)):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)


def read_orientation(frame: av.VideoFrame) -> Orientation:
    """The orientation that a decoded frame's file asks for."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None or memoryview(data).nbytes != _MATRIX.size:
        return UPRIGHT
    # ISO/IEC 14496-12, 6.2.2: rows (a b u), (c d v), (x y w), of which only the first four turn the picture.
    a, b, _, c, d, *_ = _MATRIX.unpack(bytes(data))
    return orientation_of_matrix(a, b, c, d)


def make_upright(image: np.ndarray, orientation: Orientation) -> np.ndarray:
    """Turn and mirror an (H, W, C) picture; the result is contiguous, (W, H, C) where axes are swapped."""
    if orientation.swapped:
        image = image.transpose(1, 0, 2)
    step_x, step_y = -1 if orientation.flip_x else 1, -1 if orientation.flip_y else 1
    return np.ascontiguousarray(image[::step_y, ::step_x])
