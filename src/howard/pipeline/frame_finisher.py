"""From a matted frame to final pixels: alpha and colour after the network, additional layers, and measures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from howard.align import AlignmentStatus
from howard.compositing.colour_encoding import convert_codes, decode
from howard.compositing.edge_controls import EdgeControls, apply_controls
from howard.compositing.edges import Edges
from howard.compositing.packing import pack_edited, pack_rgba
from howard.compositing.patches import PATCH
from howard.compositing.shadow import estimate_shadow
from howard.compositing.transfer import Download, open_copy_stream
from howard.options import RenderOptions
from howard.pipeline.frame_measures import measure_frame
from howard.pipeline.frame_tensors import FrameTensors, explain_out_of_memory, solve_frame_edges
from howard.pipeline.pipeline_types import FinishedFrame, MattedFrame, Predictor

# Measures are taken on a regular subsample of the pixels with at most this long side: they only point to frames.
MEASURED_SIDE = 320
# Frames that a GPU may work on while an earlier one is copied to the host.
_FRAMES_IN_FLIGHT = 1
# Factors on the confidence in alpha by alignment status. Set by definition: a weak alignment needs checking, after a
# failed one the network has no plate to compare with.
_GOOD_CONFIDENCE = 1.0
_WEAK_CONFIDENCE = 0.5
_FAILED_CONFIDENCE = 0.0
_ALIGNMENT_CONFIDENCE = {
    AlignmentStatus.GOOD: _GOOD_CONFIDENCE,
    AlignmentStatus.WEAK: _WEAK_CONFIDENCE,
    AlignmentStatus.FAILED: _FAILED_CONFIDENCE,
}


@dataclass(frozen=True, kw_only=True)
class ComposeSettings:
    """How final pixels are computed.

    Attributes:
        depths: dtypes that the outputs store (uint8, uint16 or float32), the first output's first.
        layers: names of additional images; see :func:`make_layers`.
        linear_light: whether foreground and background mix in linear light or in encoded values.
        edges: how soft edges are computed, one of `howard.choices.EDGES`.
        controls: adjustments of alpha and colour after that.
    """

    depths: tuple[np.dtype, ...]
    layers: tuple[str, ...] = ()
    linear_light: bool = True
    edges: str = "solved"
    controls: EdgeControls = field(default_factory=EdgeControls)


def compose_settings(options: RenderOptions, predictor: Predictor, depths: tuple[np.dtype, ...]) -> ComposeSettings:
    """The settings that turn mattes of ``predictor`` into images of ``depths``, the first output's first."""
    return ComposeSettings(
        depths=depths,
        layers=options.layer_names,
        linear_light=predictor.metadata.mixing == "linear",
        edges=options.edges,
        controls=EdgeControls(**options.edge_controls),
    )


class ComposedPixels(NamedTuple):
    """Final pixels on the host: ``rgba`` and ``layers`` as in `FinishedFrame`, and the subsampled plate, (h, w, 3),
    and its coverage, (h, w), for the measures."""

    rgba: dict[np.dtype, np.ndarray]
    layers: dict[str, np.ndarray]
    plate: np.ndarray
    coverage: np.ndarray


class Composer:
    """Computes final pixels on a device and copies them to the host."""

    def __init__(self, settings: ComposeSettings, device: torch.device | str = "cpu") -> None:
        self._settings = settings
        self._stream = open_copy_stream(torch.device(device))

    @torch.inference_mode()
    def begin(self, frame: MattedFrame) -> Callable[[], ComposedPixels]:
        """Start on a frame; the returned function waits for its pixels."""
        with explain_out_of_memory(frame.tensors.source.device, frame.source.image.shape[:2]):
            download = self._start(frame)
        return lambda: self._collect(download.wait())

    def _start(self, frame: MattedFrame) -> Download:
        edges = solve_frame_edges(frame, self._settings.edges, linear_light=self._settings.linear_light)
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


class FrameFinisher:
    """Turns matted frames into finished ones, in the thread that runs the network.

    Args:
        settings: how final pixels are computed.
        device: where the network runs, as torch names it.

    Attributes:
        in_flight: frames to begin before the first one's result is asked for, so that a GPU is not left idle.
    """

    def __init__(self, settings: ComposeSettings, device: str = "cpu") -> None:
        self._settings = settings
        self._composer = Composer(settings, device)
        self.in_flight = 0 if device == "cpu" else _FRAMES_IN_FLIGHT

    def begin(self, frame: MattedFrame) -> Callable[[], FinishedFrame]:
        """Start on a frame; the returned function waits for its pixels and measures those of the first output."""
        collect = self._composer.begin(frame)

        def finish() -> FinishedFrame:
            pixels = collect()
            main = pixels.rgba[self._settings.depths[0]]
            record = measure_frame(frame, main, pixels.plate, pixels.coverage, self._settings.linear_light)
            return FinishedFrame(frame.source, frame.plate, pixels.rgba, pixels.layers, record, frame.plate_damaged)

        return finish

    def finish(self, frame: MattedFrame) -> FinishedFrame:
        """A frame's final pixels and its record."""
        return self.begin(frame)()


def compose_tensors(tensors: FrameTensors, edges: Edges, settings: ComposeSettings) -> dict[str, Tensor]:
    """Straight RGBA at every depth, (H, W, 4), as "rgba DTYPE", and the subsampled "plate" and "coverage".

    Each depth is computed independently, so that an image does not depend on what else is written.
    """
    source, is_linear = tensors.source, settings.linear_light
    edited = None
    if not settings.controls.is_identity:
        edited = apply_controls(source, tensors.plate, edges, settings.controls, linear_light=is_linear)
    packed = {}
    for depth in map(str, settings.depths):
        # Float sources may be HDR; the writers convert them.
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
    """Stride, in pixels and rows, of the subsample on which a frame is measured."""
    return -(-max(height, width) // MEASURED_SIDE)


def make_layers(frame: MattedFrame, names: Sequence[str], edges: Edges, *, linear_light: bool) -> dict[str, Tensor]:
    """The layers ``names`` (see `howard.choices.LAYERS`) of a frame with solved edges, float32 on its device.

    They are (H, W) in [0, 1], or (H, W, 3): sRGB-encoded colour, or the shadow as a factor on linear light.
    """
    tensors = frame.tensors
    makers = {
        "matte": lambda: frame.alpha[0, ..., 0],
        "foreground": lambda: pack_rgba(tensors.source, edges, "float32", linear_light=linear_light)[0, ..., :3],
        "plate": lambda: convert_codes(tensors.plate, "float32")[0],
        "coverage": lambda: tensors.coverage[0, ..., 0],
        "shadow": lambda: make_shadow(frame, edges),
        "confidence": lambda: estimate_confidence(frame),
    }
    return {name: makers[name]() for name in names}


def make_shadow(frame: MattedFrame, edges: Edges) -> Tensor:
    """The factor by which the person changes the light on the background, (H, W, 3); 1 where there is no change."""
    return estimate_frame_shadow(frame.tensors, edges.alpha)


def estimate_frame_shadow(tensors: FrameTensors, alpha: Tensor) -> Tensor:
    """:func:`make_shadow` of a frame's images and its final alpha, (1, H, W, 1)."""
    source, plate = (decode(image, True).movedim(3, 1) for image in tensors[:2])
    coverage, alpha = (each.movedim(3, 1) for each in (tensors.coverage, alpha))
    return estimate_shadow(source, plate, coverage, alpha)[0].movedim(0, 2).contiguous()


def estimate_confidence(frame: MattedFrame) -> Tensor:
    """The confidence in alpha, (H, W) in [0, 1].

    It is 1 minus the network's estimate of its own error, upsampled bilinearly, times a factor for the alignment.
    """
    height, width = frame.alpha.shape[1:3]
    error, refined = (torch.as_tensor(each) for each in (frame.matte.coarse.error, frame.matte.refined))
    # Both span the frame padded to whole patches.
    padded = max(PATCH * refined.shape[2], height), max(PATCH * refined.shape[3], width)
    error = F.interpolate(error.float(), padded, mode="bilinear", align_corners=False)[0, 0, :height, :width]
    return _ALIGNMENT_CONFIDENCE[frame.plate.status] * (1 - error.clamp(0, 1))
