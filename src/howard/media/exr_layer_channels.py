"""The named channels that an EXR file holds beside its RGBA, such as plate.R, plate.G and plate.B."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from howard.colour import srgb_to_linear
from howard.media.colours.output_colour import OutputColour
from howard.media.working_space import LARGEST_HALF


class _Form(NamedTuple):
    """A layer's channels, and whether they are colour: others are the same in every colour space."""

    channels: str
    is_colour: bool = False


_FORMS = {
    "matte": _Form("A"),
    "foreground": _Form("RGB", is_colour=True),
    "plate": _Form("RGB", is_colour=True),
    "coverage": _Form("A"),
    "shadow": _Form("RGB"),
    "confidence": _Form("A"),
}
EXR_LAYERS = tuple(_FORMS)


def layer_channels(layers: Mapping[str, np.ndarray], colour: OutputColour) -> dict[str, np.ndarray]:
    """The channels of ``layers``, (H, W) float16 each, by their full names.

    ``layers`` are some of `EXR_LAYERS`, float32: of colour (H, W, 3), sRGB-encoded and straight, which is converted to
    linear light and to ``colour``, the others as they are.
    """
    channels = {}
    for name, values in layers.items():
        form = _FORMS[name]
        if form.is_colour:
            values = colour(srgb_to_linear(values))
        values = values.clip(-LARGEST_HALF, LARGEST_HALF).astype(np.float16)
        for position, letter in enumerate(form.channels):
            plane = values if values.ndim == 2 else values[..., position]
            channels[f"{name}.{letter}"] = np.ascontiguousarray(plane)
    return channels
