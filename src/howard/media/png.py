"""Numbered PNG files: straight RGBA cut-outs, and the composites that go with them."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np

from howard.errors import OutputError
from howard.media.files import write_whole

# A PNG begins with 8 bytes of signature and 25 of header; the colour space must be told before the pixels.
_END_OF_HEADER = 33
_PERCEPTUAL_INTENT = b"\0"


class PngSequenceWriter:
    """Writes ``NAME.0001.png``, ``NAME.0002.png``, ... into a folder, made if missing.

    Each file appears whole or not at all. Numbers have four digits, more where needed.
    """

    def __init__(self, folder: str | Path, name: str) -> None:
        self._folder = Path(folder)
        self._name = name
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{folder} cannot be made ({error.strerror}); choose another folder") from error

    def path(self, number: int) -> Path:
        """Where frame ``number`` is written."""
        return self._folder / f"{self._name}.{number:04d}.png"

    def write(self, number: int, image: np.ndarray) -> Path:
        """Write one picture, (H, W, 4) straight RGBA or (H, W, 3) RGB, uint8, sRGB; return its path.

        RGB is set to 0 where alpha is 0: nothing of the background stays in the file, and it is several times smaller.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (3, 4):
            raise ValueError(f"expected (H, W, 3 or 4) uint8, got {image.shape} {image.dtype}")
        if image.shape[2] == 4:
            image = np.where(image[..., 3:] > 0, image, np.uint8(0))
        path = self.path(number)
        write_whole(path, encode_png(image))
        return path


def encode_png(image: np.ndarray) -> bytes:
    """Encode (H, W, 3) RGB or (H, W, 4) straight RGBA, uint8, as a PNG file tagged sRGB."""
    swap = cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR
    done, encoded = cv2.imencode(".png", cv2.cvtColor(image, swap))
    if not done:
        raise OutputError(f"a picture of {image.shape[1]}x{image.shape[0]} pixels cannot be encoded as PNG")
    data = encoded.tobytes()
    return data[:_END_OF_HEADER] + _chunk(b"sRGB", _PERCEPTUAL_INTENT) + data[_END_OF_HEADER:]


def _chunk(kind: bytes, content: bytes) -> bytes:
    """One PNG chunk: length, kind, content, check sum (PNG specification, 5.3)."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
