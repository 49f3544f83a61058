"""New backgrounds: a colour, a still or a video behind the cut-out, for a quick look."""

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
    """What lies behind the person in pictures of ``width`` x ``height``.

    ``value`` is a colour name, "#rrggbb", or whatever `open_reader` reads: a still, a video, a sequence. Pictures are
    scaled to fill and cropped evenly. The names "green" and "blue" are those of a studio's screens.

    Videos play by their own time, image sequences at ``frame_rate``, that of the shot, frame by frame.

    Raises SettingsError where ``value`` is none of these, and InputError where it cannot be read.
    """

    def __init__(self, value: str | Path, width: int, height: int, frame_rate: Fraction | None = None) -> None:
        self.name = str(value)
        self._size = width, height
        self._reader: Reader | None = None
        self._shown = -1
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
        """What is known of the file; None for a colour."""
        return self._reader.info if self._reader else None

    def frame(self, time: Fraction) -> np.ndarray:
        """What is shown ``time`` seconds after the beginning; a clip that is too short begins again.

        RGB, (height, width, 3), sRGB-encoded, in the depth of its file, HDR tone-mapped to uint16; not to be written
        to.
        """
        if self._reader is not None:
            # Of a clip with a varying rate the nominal one counts.
            index = int(time * self._reader.info.frame_rate) % len(self._reader)
            if index != self._shown:
                self._shown = index
                self._image = _as_sdr(_fill(self._reader[index].image, *self._size), self._reader.info)
        return self._image

    def close(self) -> None:
        """Let go of the file."""
        if self._reader is not None:
            self._reader.close()

    def __enter__(self) -> "Background":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _as_sdr(image: np.ndarray, clip: ClipInfo) -> np.ndarray:
    """A clip's picture as composites, which are SDR, show it."""
    if image.dtype.kind != "f":
        return image
    return choose_stored_colour(clip, keeps=False).store(image, np.dtype(np.uint16))


def composite(
    rgba: np.ndarray, background: np.ndarray, linear_light: bool, shadow: np.ndarray | None = None
) -> np.ndarray:
    """Lay a cut-out over a background of its size.

    ``rgba`` (H, W, 4) straight and ``background`` (H, W, 3) are sRGB-encoded; the result is too, (H, W, 3) in the
    depth of ``rgba``. Opaque pixels keep the cut-out's values exactly, empty ones the background's, times ``shadow``
    where that is given: a factor on linear light, (H, W, 3) float.
    """
    scale = full_scale(rgba.dtype)
    alpha, background = rgba[..., 3], to_depth(background, rgba.dtype)
    if shadow is not None:
        background = _shade(background, shadow)
    result = np.where(alpha[..., None] > 0, rgba[..., :3], background)
    soft = (alpha > 0) & (alpha < scale)
    # Only soft pixels are mixed: they are few, and the transfer curves are slow.
    mixed = mix(
        to_depth(rgba[soft][:, :3], np.float32),
        to_depth(background[soft], np.float32),
        to_depth(alpha[soft], np.float32)[:, None],
        linear_light,
    )
    result[soft] = to_depth(mixed, rgba.dtype)
    return result


def _shade(picture: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """An sRGB-encoded picture (H, W, 3) of any depth with its linear light multiplied; unchanged where that is 1."""
    changed = (factor != 1).any(axis=2)
    shaded = picture.copy()
    light = srgb_to_linear(to_depth(picture[changed], np.float32)) * factor[changed]
    shaded[changed] = to_depth(linear_to_srgb(light).astype(np.float32), picture.dtype)
    return shaded


def _exists(value: str | Path) -> bool:
    try:
        return Path(value).exists()
    except (OSError, ValueError):  # longer than a name can be, or with characters that none can have
        return False


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
