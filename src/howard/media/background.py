"""New backgrounds: a colour or a still behind the cut-out, for a quick look."""

import re
from pathlib import Path

import cv2
import numpy as np

from howard.colour import mix
from howard.errors import SettingsError
from howard.media.still import read_still

_COLOURS = {
    "black": "#000000",
    "white": "#ffffff",
    "grey": "#808080",
    "gray": "#808080",
    "red": "#ff0000",
    "green": "#00b140",
    "blue": "#0047bb",
}


def load_background(value: str | Path, width: int, height: int) -> np.ndarray:
    """A background for pictures of ``width`` x ``height``: RGB, (H, W, 3) uint8, sRGB-encoded.

    ``value`` is a colour name, "#rrggbb", or the path of a still, which is scaled to fill the picture and cropped
    evenly. The names "green" and "blue" are those of a studio's screens.
    """
    code = _COLOURS.get(str(value).lower(), str(value))
    if re.fullmatch(r"#[0-9a-fA-F]{6}", code):
        colour = [int(code[start : start + 2], 16) for start in (1, 3, 5)]
        return np.full((height, width, 3), colour, dtype=np.uint8)
    if not Path(value).is_file():
        raise SettingsError(
            f"background={value} is neither a still nor a colour; give a file, #rrggbb or one of {', '.join(_COLOURS)}"
        )
    return _fill(read_still(Path(value)), width, height)


def composite(rgba: np.ndarray, background: np.ndarray, linear_light: bool) -> np.ndarray:
    """Lay a cut-out over a background of its size.

    ``rgba`` (H, W, 4) straight and ``background`` (H, W, 3) are uint8, sRGB-encoded; so is the result, (H, W, 3).
    Opaque pixels keep the cut-out's values exactly, empty ones the background's.
    """
    alpha = rgba[..., 3]
    result = np.where(alpha[..., None] > 0, rgba[..., :3], background)
    soft = (alpha > 0) & (alpha < 255)
    # Only soft pixels are mixed: they are few, and the transfer curves are slow.
    mixed = mix(
        rgba[soft][:, :3].astype(np.float32) / 255,
        background[soft].astype(np.float32) / 255,
        alpha[soft].astype(np.float32)[:, None] / 255,
        linear_light,
    )
    result[soft] = np.rint(255 * np.clip(mixed, 0, 1)).astype(np.uint8)
    return result


def _fill(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Scale (h, w, 3) to cover ``width`` x ``height``, then crop what stands over, evenly."""
    scale = max(width / image.shape[1], height / image.shape[0])
    scaled_width, scaled_height = (
        max(size, round(scale * old)) for size, old in ((width, image.shape[1]), (height, image.shape[0]))
    )
    scaled = cv2.resize(
        image, (scaled_width, scaled_height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    top, left = (scaled_height - height) // 2, (scaled_width - width) // 2
    return np.ascontiguousarray(scaled[top : top + height, left : left + width])
