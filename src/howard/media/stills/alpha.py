"""The alpha channel of a still, which the readers of pictures leave out."""

from pathlib import Path

import numpy as np

from howard.errors import InputError
from howard.media.stills.open_image import number_of, open_image
from howard.media.stills.picture import Window, check_size, place_in_window, upright


def read_alpha(path: Path) -> np.ndarray | None:
    """Alpha of a still, (H, W) float32 in [0, 1], upright; None where it has none or is of a kind that has none.

    Raises InputError for a picture that is too large.
    """
    try:
        with open_image(path) as opened:
            spec = opened.spec()
            channel = spec.alpha_channel
            if channel < 0:
                return None
            check_size(path, spec.width, spec.height)
            check_size(path, spec.full_width, spec.full_height)
            samples = opened.read_image(0, 0, channel, channel + 1, "float")
    except InputError:
        # Of kinds that only other libraries read; that the picture itself can be read has been checked before.
        return None
    if samples is None:
        return None
    data = Window(spec.x, spec.y, spec.x + spec.width, spec.y + spec.height)
    display = Window(spec.full_x, spec.full_y, spec.full_x + spec.full_width, spec.full_y + spec.full_height)
    alpha = place_in_window(np.repeat(samples.reshape(spec.height, spec.width, 1), 3, axis=2), data, display)
    return upright(alpha[..., :1], number_of(spec, "Orientation", 1))[..., 0].clip(0, 1)
