"""From a matted frame to its final pixels: the one place where alpha and colour are decided after the network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from howard.pipeline.cutout import Pixels, cut_out
from howard.pipeline.foreground import choose_colours
from howard.pipeline.frames import MattedFrame
from howard.pipeline.layers import make_layers

if TYPE_CHECKING:
    from howard.pipeline.edge_controls import EditedFrame


@dataclass(frozen=True, kw_only=True)
class ComposeSettings:
    """How final pixels are made.

    Attributes:
        depths: types of the pictures, uint8, uint16 or float32, that outputs store; the first output's first.
        layers: further pictures that are made, by the names of :func:`howard.pipeline.layers.make_layers`.
        linear_light: whether the matte mixes in linear light or in encoded values.
        foreground: where soft pixels have their colours from, one of `howard.choices.FOREGROUNDS`.
        controls: those of :class:`howard.compositing.finishing.FinishingControls` that change something, by name.
    """

    depths: tuple[np.dtype, ...]
    layers: tuple[str, ...] = ()
    linear_light: bool = True
    foreground: str = "estimated"
    controls: Mapping[str, float] = field(default_factory=dict)


class ComposedPixels(NamedTuple):
    """Final pixels; fields as those of `FinishedFrame`."""

    rgba: Mapping[np.dtype, np.ndarray]
    layers: Mapping[str, np.ndarray]


def compose_pixels(frame: MattedFrame, settings: ComposeSettings) -> ComposedPixels:
    """The straight RGBA of a frame at every depth, and its layers.

    Each depth is computed by itself, so that a picture does not depend on what else is written.
    """
    colours = choose_colours(frame, settings.foreground, linear_light=settings.linear_light)
    image, alpha = frame.source.image, frame.alpha
    edited = _edit(frame, colours, settings.controls) if settings.controls else None
    if edited is not None:
        alpha, colours = edited.alpha, edited.colours_of
    rgba = {}
    for depth in settings.depths:
        # Float sources may be HDR: the writers convert them.
        dtype = image.dtype if image.dtype.kind == "f" else depth
        picture = image if edited is None else edited.picture(image, dtype)
        rgba[depth] = cut_out(picture, alpha, colours, dtype, alpha_dtype=depth)
    deepest = rgba[max(rgba, key=lambda depth: depth.itemsize)]
    return ComposedPixels(rgba, make_layers(frame, settings.layers, deepest))


def _edit(frame: MattedFrame, colours: Callable[[Pixels], np.ndarray], controls: Mapping[str, float]) -> "EditedFrame":
    # Torch takes seconds to load: only when a frame is there.
    from howard.compositing.finishing import FinishingControls
    from howard.pipeline.edge_controls import apply_controls

    return apply_controls(frame, colours, FinishingControls(**controls))
