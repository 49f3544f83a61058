"""Picture orientation: display matrices of video files and EXIF orientations of stills, applied to images."""

import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import av

EXIF_ORIENTATION_TAG = 0x0112
_MATRIX = struct.Struct("@9i")


class Orientation(NamedTuple):
    """The operations that make a stored image upright: swap rows and columns first, then flip along either axis.

    One of the eight symmetries of a rectangle on a pixel grid.
    """

    swapped: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @property
    def mirrored(self) -> bool:
        """Whether the image is mirrored, not only rotated."""
        return self.swapped ^ self.flip_x ^ self.flip_y

    @property
    def rotation(self) -> int:
        """The counter-clockwise rotation in degrees; a mirrored image is mirrored left to right before it."""
        return 90 * (1 + 2 * self.flip_x if self.swapped else 2 * self.flip_y)


UPRIGHT = Orientation()


def orientation_of_matrix(a: float, b: float, c: float, d: float) -> Orientation:
    """The orientation nearest to a matrix that maps stored (x, y) to displayed (a x + c y, b x + d y), y down."""
    if max(abs(a), abs(d)) >= max(abs(b), abs(c)):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)


def orientation_of_exif(value: int) -> Orientation:
    """The orientation for a value of TIFF's and EXIF's tag 274 (TIFF 6.0, page 36); values outside 1-8 are upright.

    The value says which sides of the upright image are the first row and the first column in the file.
    """
    return Orientation(swapped=value in (5, 6, 7, 8), flip_x=value in (2, 3, 6, 7), flip_y=value in (3, 4, 7, 8))


def read_orientation(frame: "av.VideoFrame") -> Orientation:
    """The orientation given by the display matrix of a decoded frame; upright if there is none."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None or memoryview(data).nbytes != _MATRIX.size:
        return UPRIGHT
    # ISO/IEC 14496-12, 6.2.2: rows (a b u), (c d v), (x y w); only a, b, c and d rotate and mirror.
    a, b, _, c, d, *_ = _MATRIX.unpack(bytes(data))
    return orientation_of_matrix(a, b, c, d)


def make_upright(image: np.ndarray, orientation: Orientation) -> np.ndarray:
    """Apply an orientation to an (H, W, C) image; the result is contiguous, (W, H, C) if the axes are swapped."""
    if orientation.swapped:
        image = image.transpose(1, 0, 2)
    step_x, step_y = -1 if orientation.flip_x else 1, -1 if orientation.flip_y else 1
    return np.ascontiguousarray(image[::step_y, ::step_x])
