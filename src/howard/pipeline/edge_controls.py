"""What an artist's controls (choke, levels, feather, despill) make of a frame's alpha and colours."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from howard.colour import linear_to_srgb
from howard.compositing.finishing import FinishingControls, despill, extend_foreground, finish_alpha
from howard.media import to_depth
from howard.pipeline.cutout import Pixels, find_soft, round_alpha
from howard.pipeline.frames import MattedFrame
from howard.pipeline.tensors import as_light, as_picture, as_tensor, device_of


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


@torch.inference_mode()
def apply_controls(
    frame: MattedFrame, colours_of: Callable[[Pixels], np.ndarray], controls: FinishingControls
) -> EditedFrame:
    """Alpha and colours after levels, choke and feather, for which colours are extended outward first, and despill.

    ``colours_of`` gives the colours of soft pixels, as :func:`howard.pipeline.cutout.cut_out` takes it. The pixels that
    ``choke`` and ``feather`` count are the source's.
    """
    device = device_of(frame)
    solved = to_depth(frame.source.image, np.float32).copy()
    soft = find_soft(round_alpha(frame.alpha, np.float32))
    solved[soft] = colours_of(soft)
    source, plate, foreground = (as_light(each, device) for each in (frame.source.image, frame.plate.image, solved))
    before = as_tensor(frame.alpha, device)
    alpha = finish_alpha(before, controls)
    foreground = extend_foreground(foreground, before, controls.reach)
    foreground = despill(foreground, plate, alpha, controls.despill)
    return EditedFrame(
        alpha=as_picture(alpha)[..., 0],
        colours=as_picture(linear_to_srgb(foreground)),
        is_changed=as_picture((foreground != source).any(dim=1, keepdim=True))[..., 0] > 0,
    )
