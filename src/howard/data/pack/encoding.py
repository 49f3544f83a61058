"""Pictures of a pack: how large they are, and how they are encoded."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.errors import InputError

# Longest side of a person's picture, as a share of the training frame's. A person is shown at 0.35 to 2.2 times the
# size that fits the frame (the levels' recipes), with 1.1 canvas pixels for a frame pixel (synthesis.canvas), so that
# 2.4 would lose nothing. With 1.25, no pixel is lost up to 1.14 times: by the recipe, in seven of eleven cases.
PERSON_SIDE = 1.25
# The same of a place or a pair: 1280 pixels for frames of 512, as places are kept without a pack.
PLACE_SIDE = 2.5
_LOSSLESS = 101  # WebP's quality from which OpenCV encodes exactly
_PNG_LEVEL = 9


class Encoded(NamedTuple):
    """An encoded picture and the file ending of its format."""

    ending: str
    data: bytes


def encode_colour(image: np.ndarray, quality: int) -> Encoded:
    """Encode (H, W, 3) uint8 RGB as lossy WebP.

    At equal error it takes six tenths of JPEG's bytes (measured on the project's people and places).
    """
    return Encoded(
        "webp", _encode(".webp", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, quality])
    )


def encode_exact(mask: np.ndarray) -> Encoded:
    """Encode (H, W) uint8 without loss, as WebP or PNG, whichever is smaller."""
    webp = Encoded("webp", _encode(".webp", mask, [cv2.IMWRITE_WEBP_QUALITY, _LOSSLESS]))
    png = Encoded("png", _encode(".png", mask, [cv2.IMWRITE_PNG_COMPRESSION, _PNG_LEVEL]))
    return min(webp, png, key=lambda encoded: len(encoded.data))


def decode(data: bytes, grey: bool, name: str) -> np.ndarray:
    """Decode to (H, W, 3) uint8 RGB, or (H, W) uint8 if grey; raises InputError, naming it, where it is damaged."""
    mode = cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR_RGB
    image = cv2.imdecode(np.frombuffer(data, np.uint8), mode) if data else None
    if image is None:
        raise InputError(f"cannot decode {name}; pack the data again")
    return image


def _encode(ending: str, image: np.ndarray, parameters: list[int]) -> bytes:
    _, encoded = cv2.imencode(ending, image, parameters)
    return encoded.tobytes()
