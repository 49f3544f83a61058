"""Preview composites: a colour, a still, a sequence or a video behind the cut-out."""

import re
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from howard.colour import linear_to_srgb, mix, srgb_to_linear
from howard.errors import SettingsError
from howard.images import full_scale, to_depth
from howard.media.colours.stored_colour import choose_stored_colour
from howard.media.frame import ClipInfo
from howard.media.reader import Reader, open_reader
from howard.media.sequence_files import is_pattern

_COLOURS = {
    "black": "#000000",
    "white": "#ffffff",
    "grey": "#808080",
    "gray": "#808080",
    "red": "#ff0000",
    "green": "#00b140",
    "blue": "#0047bb",
}


class Background:
    """Background images of ``width`` x ``height`` for composites.

    ``value`` is a colour name, "#rrggbb", or a path that `open_reader` accepts: a still, a video or a sequence. Images
    are scaled to cover the frame and cropped at the centre. "green" and "blue" are the colours of studio screens.

    A video is shown at its own frame rate; an image sequence at ``frame_rate``, which should be the shot's.

    Raises SettingsError if ``value`` is none of these, and InputError if the file cannot be read.
    """

    def __init__(self, value: str | Path, width: int, height: int, frame_rate: Fraction | None = None) -> None:
        self.name = str(value)
        self._size = width, height
        self._reader: Reader | None = None
        self._image_index = -1
        code = _COLOURS.get(str(value).lower(), str(value))
        if re.fullmatch(r"#[0-9a-fA-F]{6}", code):
            colour = [int(code[start : start + 2], 16) for start in (1, 3, 5)]
            self._image = np.full((height, width, 3), colour, dtype=np.uint8)
        elif _exists(value) or (is_pattern(Path(value)) and not str(value).startswith("#")):
            self._reader = open_reader(value, frame_rate=frame_rate)
            self.frame(Fraction(0))
        else:
            raise SettingsError(
                f"background={value} is neither a still, a video nor a colour; "
                f"give a file, #rrggbb or one of {', '.join(_COLOURS)}"
            )

    @property
    def clip(self) -> ClipInfo | None:
        """The properties of the file; None for a colour."""
        return self._reader.info if self._reader else None

    def frame(self, time: Fraction) -> np.ndarray:
        """The background image ``time`` seconds after the first frame; clips are looped.

        RGB, (height, width, 3), sRGB-encoded, with the bit depth of the file; HDR is tone-mapped to uint16. The array
        must not be modified.
        """
        if self._reader is not None:
            # For clips with a variable frame rate this is the nominal rate.
            index = int(time * self._reader.info.frame_rate) % len(self._reader)
            if index != self._image_index:
                self._image_index = index
                self._image = _as_sdr(_fill(self._reader[index].image, *self._size), self._reader.info)
        return self._image

    def close(self) -> None:
        """Close the file."""
        if self._reader is not None:
            self._reader.close()

    def __enter__(self) -> "Background":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _as_sdr(image: np.ndarray, clip: ClipInfo) -> np.ndarray:
    """An image of a clip as SDR, as composites need it."""
    if image.dtype.kind != "f":
        return image
    return choose_stored_colour(clip, keep_clip_colour=False).store(image, np.dtype(np.uint16))


def composite(
    rgba: np.ndarray, background: np.ndarray, linear_light: bool, shadow: np.ndarray | None = None
) -> np.ndarray:
    """Composite a cut-out over a background of the same size.

    Args:
        rgba: (H, W, 4), straight alpha, sRGB-encoded.
        background: (H, W, 3), sRGB-encoded, of any bit depth.
        linear_light: whether soft pixels are mixed in linear light, as in `howard.colour.mix`.
        shadow: (H, W, 3) float, multiplied with the linear light of the background; none if None.

    Returns:
        (H, W, 3), sRGB-encoded, with the bit depth of ``rgba``. Pixels with alpha 1 have the cut-out's exact values,
        pixels with alpha 0 the (shaded) background's.
    """
    scale = full_scale(rgba.dtype)
    alpha, background = rgba[..., 3], to_depth(background, rgba.dtype)
    if shadow is not None:
        background = _shade(background, shadow)
    result = np.where(alpha[..., None] > 0, rgba[..., :3], background)
    soft = (alpha > 0) & (alpha < scale)
    # Only soft pixels are mixed, since they are few and the transfer curves are slow.
    mixed = mix(
        to_depth(rgba[soft][:, :3], np.float32),
        to_depth(background[soft], np.float32),
        to_depth(alpha[soft], np.float32)[:, None],
        linear_light,
    )
    result[soft] = to_depth(mixed, rgba.dtype)
    return result


def _shade(image: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Multiply the linear light of an sRGB-encoded image (H, W, 3) by a factor; exact where the factor is 1."""
    changed = (factor != 1).any(axis=2)
    shaded = image.copy()
    light = srgb_to_linear(to_depth(image[changed], np.float32)) * factor[changed]
    shaded[changed] = to_depth(linear_to_srgb(light).astype(np.float32), image.dtype)
    return shaded


def _exists(value: str | Path) -> bool:
    try:
        return Path(value).exists()
    except (OSError, ValueError):  # too long for a file name, or with characters that file names cannot contain
        return False


def _fill(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Scale an image (h, w, 3) to cover ``width`` x ``height`` and crop the excess equally on both sides."""
    scale = max(width / image.shape[1], height / image.shape[0])
    scaled_width, scaled_height = (
        max(size, round(scale * old)) for size, old in ((width, image.shape[1]), (height, image.shape[0]))
    )
    scaled = cv2.resize(
        image, (scaled_width, scaled_height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    top, left = (scaled_height - height) // 2, (scaled_width - width) // 2
    return np.ascontiguousarray(scaled[top : top + height, left : left + width])
