"""From a matted frame to its final pixels: the one place where alpha and colour are decided after the network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from howard.pipeline.cutout import cut_out
from howard.pipeline.foreground import choose_colours
from howard.pipeline.frames import MattedFrame
from howard.pipeline.layers import make_layers


@dataclass(frozen=True, kw_only=True)
class ComposeSettings:
    """How final pixels are made.

    Attributes:
        depths: types of the pictures, uint8, uint16 or float32, that outputs store; the first output's first.
        layers: further pictures that are made, by the names of :func:`howard.pipeline.layers.make_layers`.
        linear_light: whether the matte mixes in linear light or in encoded values.
        foreground: where soft pixels have their colours from, one of `howard.choices.FOREGROUNDS`.
    """

    depths: tuple[np.dtype, ...]
    layers: tuple[str, ...] = ()
    linear_light: bool = True
    foreground: str = "estimated"


class ComposedPixels(NamedTuple):
    """Final pixels; fields as those of `FinishedFrame`."""

    rgba: Mapping[np.dtype, np.ndarray]
    layers: Mapping[str, np.ndarray]


def compose_pixels(frame: MattedFrame, settings: ComposeSettings) -> ComposedPixels:
    """The straight RGBA of a frame at every depth, and its layers.

    Each depth is computed by itself, so that a picture does not depend on what else is written.
    """
    colours = choose_colours(frame, settings.foreground, linear_light=settings.linear_light)
    image = frame.source.image
    rgba = {
        # Float sources may be HDR: the writers convert them.
        depth: cut_out(
            image, frame.alpha, colours, image.dtype if image.dtype.kind == "f" else depth, alpha_dtype=depth
        )
        for depth in settings.depths
    }
    deepest = rgba[max(rgba, key=lambda depth: depth.itemsize)]
    return ComposedPixels(rgba, make_layers(frame, settings.layers, deepest))
