"""File signatures: the bytes at the beginning, and for some formats at the end, that identify a file's format."""

import os
from pathlib import Path
from typing import NamedTuple

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"  # PNG specification, 5.2
EXR_SIGNATURE = b"\x76\x2f\x31\x01"  # OpenEXR file layout
JPEG_SIGNATURE = b"\xff\xd8\xff"  # ISO/IEC 10918-1, B.1.1.3: a start-of-image marker, then another marker


class _Signature(NamedTuple):
    """The bytes ``begin`` at ``offset`` from the start of a file, and the bytes ``end`` at its end."""

    begin: bytes
    offset: int = 0
    end: bytes = b""


_PNG = _Signature(PNG_SIGNATURE, end=b"\0\0\0\0IEND\xae\x42\x60\x82")  # the chunk IEND; PNG specification, 11.2.5
_EXR = _Signature(EXR_SIGNATURE)
_ISO = _Signature(b"ftyp", offset=4)  # ISO/IEC 14496-12, 4.3
_EBML = _Signature(b"\x1a\x45\xdf\xa3")  # RFC 8794, 11.2.1
_NUT = _Signature(b"nut/multimedia container\0")  # the NUT specification
# Keys are FFmpeg's names of containers.
_SIGNATURES = {"png": _PNG, "exr": _EXR, "mov": _ISO, "mp4": _ISO, "matroska": _EBML, "webm": _EBML, "nut": _NUT}


def has_signature(path: Path, container: str) -> bool:
    """Whether a file has the signature of ``container``, FFmpeg's name of it; False if the file cannot be read.

    This finds files that a power failure left with the right name and size but filled with zeros.
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
