"""Reading stills: the file formats by suffix and signature, and the reader of each."""

from pathlib import Path

import numpy as np

from howard.errors import InputError
from howard.images import to_depth
from howard.media.signatures import EXR_SIGNATURE, JPEG_SIGNATURE, PNG_SIGNATURE
from howard.media.stills import png_reading
from howard.media.stills.picture import StillPicture
from howard.media.working_space import WorkingSpace

_EXR_SUFFIXES = frozenset({".exr", ".sxr"})
_HEIF_SUFFIXES = frozenset({".avif", ".heic", ".heif", ".hif"})
STILL_SUFFIXES = frozenset(
    {
        *(".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".bmp", ".webp", ".jxl"),
        *(".dpx", ".cin", ".tga", ".jp2", ".j2k", ".j2c", ".jpx", ".hdr", ".pfm", ".sgi"),
        *_EXR_SUFFIXES,
        *_HEIF_SUFFIXES,
    }
)
# Camera raw files, which are not read: white balance, exposure and demosaicing are the user's choice.
RAW_SUFFIXES = frozenset(
    {".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw", ".crw", ".braw", ".r3d", ".ari"}
)
_HEAD_BYTES = 16
# The major brand of an AVIF file that is an image sequence (AV1 Image File Format, 6).
_BRAND = slice(8, 12)
_AVIF_SEQUENCE = b"avis"


def read_picture(path: Path, layer: str | None = None) -> StillPicture:
    """Read a still with its own bit depth and colours, without its alpha channel.

    ``layer`` is the layer of an EXR file that has several. Raises InputError if the file cannot be read, and
    DamagedFrameError if its data are damaged.
    """
    head = _read_bytes(path, _HEAD_BYTES)
    if not head:
        raise InputError(f"{path} is empty; copy or render it again")
    suffix = path.suffix.lower()
    # The signature is more reliable than the suffix.
    if head.startswith(PNG_SIGNATURE):
        return png_reading.read_png(path, _read_bytes(path))
    # Libraries of other formats are imported at their first use.
    if head.startswith(JPEG_SIGNATURE):
        from howard.media.stills.jpeg import read_jpeg

        return read_jpeg(path, _read_bytes(path))
    if head.startswith(EXR_SIGNATURE) or suffix in _EXR_SUFFIXES:
        from howard.media.stills.exr_reading import read_exr

        return read_exr(path, layer)
    if suffix in _HEIF_SUFFIXES:
        from howard.media.stills.heif import read_heif

        return read_heif(path, _read_bytes(path))
    from howard.media.stills.oiio_stills import read_image

    return read_image(path)


def is_still(path: Path) -> bool:
    """Whether a file is a still, by its suffix, and for AVIF, which also contains sequences, its major brand."""
    suffix = path.suffix.lower()
    if suffix != ".avif":
        return suffix in STILL_SUFFIXES
    return _read_bytes(path, _HEAD_BYTES)[_BRAND] != _AVIF_SEQUENCE


def _read_bytes(path: Path, count: int = -1) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the file and its permissions") from error


def read_still(path: Path) -> np.ndarray:
    """Read a still, upright, in the working space: RGB, (H, W, 3) uint8, rounded from higher bit depths, clipped."""
    picture = read_picture(path)
    return to_depth(WorkingSpace(picture.tags)(picture.image), np.uint8)
