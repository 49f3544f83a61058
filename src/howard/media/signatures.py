"""Whether a file begins, and where its format says so ends, as a file of its format does."""

import os
from pathlib import Path
from typing import NamedTuple


class _Signature(NamedTuple):
    """The bytes at ``offset`` from a file's beginning, and those at its very end."""

    begin: bytes
    offset: int = 0
    end: bytes = b""


# PNG specification 5.2 and 11.2.5; OpenEXR file layout; ISO 14496-12, 4.3; RFC 8794, 11.2.1; the NUT specification.
_PNG = _Signature(b"\x89PNG\r\n\x1a\n", end=b"\0\0\0\0IEND\xae\x42\x60\x82")
_EXR = _Signature(b"\x76\x2f\x31\x01")
_ISO = _Signature(b"ftyp", offset=4)
_EBML = _Signature(b"\x1a\x45\xdf\xa3")
_NUT = _Signature(b"nut/multimedia container\0")
# By FFmpeg's names of containers.
_SIGNATURES = {"png": _PNG, "exr": _EXR, "mov": _ISO, "mp4": _ISO, "matroska": _EBML, "webm": _EBML, "nut": _NUT}


def has_signature(path: Path, container: str) -> bool:
    """Whether ``path`` is a file that is marked as one of ``container``; False where it cannot be read.

    After a power failure a file may have its name and size, and nothing but zeros in it.
    """
    signature = _SIGNATURES[container]
    try:
        with path.open("rb") as file:
            file.seek(signature.offset)
            begin = file.read(len(signature.begin))
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - len(signature.end)))
            end = file.read(len(signature.end))
    except OSError:
        return False
    return (begin, end) == (signature.begin, signature.end)
