"""From a matted frame to its final pixels: the one place where alpha and colour are decided after the network."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from howard.compositing.edge_controls import apply_controls
from howard.compositing.edges import Edges
from howard.compositing.finishing import FinishingControls
from howard.compositing.packing import pack_edited, pack_rgba
from howard.compositing.transfer import Download, open_copy_stream
from howard.pipeline.frame_tensors import FrameTensors, explain_memory, solve_frame
from howard.pipeline.frames import MattedFrame
from howard.pipeline.layers import make_layers

# Measures are taken of every n-th pixel and row, at most this many along the longer side: they only point at frames.
MEASURED_SIDE = 320


@dataclass(frozen=True, kw_only=True)
class ComposeSettings:
    """How final pixels are made.

    Attributes:
        depths: types of the pictures, uint8, uint16 or float32, that outputs store; the first output's first.
        layers: further pictures that are made, by the names of :func:`howard.pipeline.layers.make_layers`.
        linear_light: whether the matte mixes in linear light or in encoded values.
        edges: how soft edges are made, one of `howard.choices.EDGES`.
        controls: what is changed of alpha and colours afterwards.
    """

    depths: tuple[np.dtype, ...]
    layers: tuple[str, ...] = ()
    linear_light: bool = True
    edges: str = "solved"
    controls: FinishingControls = field(default_factory=FinishingControls)


class ComposedPixels(NamedTuple):
    """Final pixels: ``rgba`` and ``layers`` as in `FinishedFrame`, and every n-th pixel of the plate, (h, w, 3), and of
    its coverage, (h, w), for the measures."""

    rgba: dict[np.dtype, np.ndarray]
    layers: dict[str, np.ndarray]
    plate: np.ndarray
    coverage: np.ndarray


class Composer:
    """Makes final pixels on a device and brings them to the host."""

    def __init__(self, settings: ComposeSettings, device: torch.device | str = "cpu") -> None:
        self._settings = settings
        self._stream = open_copy_stream(torch.device(device))

    @torch.inference_mode()
    def begin(self, frame: MattedFrame) -> Callable[[], ComposedPixels]:
        """Start on a frame; the function that is returned waits for its pixels."""
        with explain_memory(frame.tensors.source.device, frame.source.image.shape[:2]):
            download = self._start(frame)
        return lambda: self._collect(download.wait())

    def _start(self, frame: MattedFrame) -> Download:
        edges = solve_frame(frame, self._settings.edges, linear_light=self._settings.linear_light)
        tensors = compose_tensors(frame.tensors, edges, self._settings)
        layers = make_layers(frame, self._settings.layers, edges, linear_light=self._settings.linear_light)
        return Download(tensors | {f"layer {name}": layer for name, layer in layers.items()}, self._stream)

    def _collect(self, arrays: dict[str, np.ndarray]) -> ComposedPixels:
        return ComposedPixels(
            {depth: arrays[f"rgba {depth}"] for depth in self._settings.depths},
            {name: arrays[f"layer {name}"] for name in self._settings.layers},
            arrays["plate"],
            arrays["coverage"],
        )


def compose_tensors(tensors: FrameTensors, edges: Edges, settings: ComposeSettings) -> dict[str, Tensor]:
    """Straight RGBA at every depth, (H, W, 4), as "rgba TYPE", and the "plate" and "coverage" of every n-th pixel.

    Each depth is computed by itself, so that a picture does not depend on what else is written.
    """
    source, is_linear = tensors.source, settings.linear_light
    edited = None
    if not settings.controls.is_identity:
        edited = apply_controls(source, tensors.plate, edges, settings.controls, linear_light=is_linear)
    packed = {}
    for depth in map(str, settings.depths):
        # Float sources may be HDR: the writers convert them.
        stored = "float32" if source.is_floating_point() else depth
        if edited is None:
            rgba = pack_rgba(source, edges, stored, alpha_depth=depth, linear_light=is_linear)
        else:
            rgba = pack_edited(source, edited, stored, alpha_depth=depth, linear_light=is_linear)
        packed[f"rgba {depth}"] = rgba[0]
    step = measuring_step(source.shape[1], source.shape[2])
    plate, coverage = (each[0, ::step, ::step].contiguous() for each in (tensors.plate, tensors.coverage[..., 0]))
    return packed | {"plate": plate, "coverage": coverage}


def measuring_step(height: int, width: int) -> int:
    """Of every how many pixels and rows of a frame measures are taken."""
    return -(-max(height, width) // MEASURED_SIDE)
