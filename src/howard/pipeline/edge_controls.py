"""What an artist's controls (choke, levels, feather, despill) make of a frame's alpha and colours."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from howard.colour import linear_to_srgb, srgb_to_linear
from howard.compositing.finishing import FinishingControls, despill, extend_foreground, finish_alpha
from howard.media import to_depth
from howard.pipeline.cutout import Pixels, find_soft, round_alpha
from howard.pipeline.frames import MattedFrame
from howard.pipeline.tensors import as_light, as_picture, as_plane, device_of


class EditedEdges(NamedTuple):
    """``alpha`` (B, 1, H, W) in [0, 1] and straight ``foreground`` (B, 3, H, W) in linear light, of all pixels."""

    alpha: Tensor
    foreground: Tensor


class EditedFrame(NamedTuple):
    """A frame's ``alpha`` (H, W) float32 in [0, 1], and the ``colours`` (H, W, 3) float32, sRGB-encoded, of all pixels.

    ``is_changed`` (H, W) bool says where a colour is not the source's.
    """

    alpha: np.ndarray
    colours: np.ndarray
    is_changed: np.ndarray

    def colours_of(self, pixels: Pixels) -> np.ndarray:
        """The colours of some pixels, (N, 3)."""
        return pixels.of(self.colours)

    def picture(self, source: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """The colours at a depth; where they are those of ``source`` (H, W, 3), its values exactly."""
        picture = to_depth(source, dtype).copy()
        picture[self.is_changed] = to_depth(self.colours[self.is_changed], dtype)
        return picture


def edit_edges(alpha: Tensor, foreground: Tensor, plate: Tensor, controls: FinishingControls) -> EditedEdges:
    """Alpha and colours after levels, choke and feather, for which colours are extended outward first, and despill.

    Args:
        alpha: (B, 1, H, W) in [0, 1].
        foreground: (B, 3, H, W) linear light, straight; it means nothing where alpha is 0.
        plate: (B, 3, H, W) linear light, what lies behind.
        controls: ``choke`` and ``feather`` count pixels of these pictures.
    """
    finished = finish_alpha(alpha, controls)
    extended = extend_foreground(foreground, alpha, controls.reach)
    return EditedEdges(finished, despill(extended, plate, finished, controls.despill))


@torch.inference_mode()
def apply_controls(
    frame: MattedFrame, colours_of: Callable[[Pixels], np.ndarray], controls: FinishingControls
) -> EditedFrame:
    """:func:`edit_edges` of a frame.

    ``colours_of`` gives the colours of soft pixels, as :func:`howard.pipeline.cutout.cut_out` takes it.
    """
    device = device_of(frame)
    source, plate = (as_light(image, device) for image in (frame.source.image, frame.plate.image))
    soft = find_soft(round_alpha(frame.alpha, np.float32))
    foreground = source.clone()
    colours = torch.as_tensor(np.asarray(colours_of(soft), np.float32), device=device)
    foreground[0][:, soft.rows, soft.columns] = srgb_to_linear(colours).T
    edited = edit_edges(as_plane(frame.alpha, device), foreground, plate, controls)
    is_changed = (edited.foreground != source).any(dim=1, keepdim=True)
    return EditedFrame(
        alpha=as_picture(edited.alpha)[..., 0],
        colours=as_picture(linear_to_srgb(edited.foreground)),
        is_changed=as_picture(is_changed)[..., 0] > 0,
    )
