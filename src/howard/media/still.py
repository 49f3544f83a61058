"""Reading one picture from its file, whatever its format."""

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
# Cameras' raw files, which need developing: white balance, exposure and demosaicing are a person's choice.
RAW_SUFFIXES = frozenset(
    {".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw", ".crw", ".braw", ".r3d", ".ari"}
)
_HEAD_BYTES = 16
# The main brand of an AVIF file that is a sequence of frames (AV1 Image File Format, 6).
_BRAND = slice(8, 12)
_MOVING_AVIF = b"avis"


def read_picture(path: Path, layer: str | None = None) -> StillPicture:
    """Read a still at its own depth; an alpha channel is left out.

    ``layer`` is one of an EXR file that has several. Raises InputError where the file cannot be read, and
    DamagedFrameError where its decoder complained.
    """
    head = _read_bytes(path, _HEAD_BYTES)
    if not head:
        raise InputError(f"{path} is empty; copy or render it again")
    suffix = path.suffix.lower()
    # Names lie: what a file is stands in its first bytes.
    if head.startswith(PNG_SIGNATURE):
        return png_reading.read_png(path, _read_bytes(path))
    # Libraries that not every render needs are loaded with the first file that needs them.
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
    """Whether a file, by its name and its first bytes, is one picture; AVIF holds sequences too."""
    suffix = path.suffix.lower()
    if suffix != ".avif":
        return suffix in STILL_SUFFIXES
    return _read_bytes(path, _HEAD_BYTES)[_BRAND] != _MOVING_AVIF


def _read_bytes(path: Path, count: int = -1) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the file and its permissions") from error


def read_still(path: Path) -> np.ndarray:
    """Read a still in the working space, upright: RGB, (H, W, 3) uint8; deeper ones are rounded and held to 1."""
    picture = read_picture(path)
    return to_depth(WorkingSpace(picture.tags)(picture.image), np.uint8)
