"""Alpha, foreground and shadow of a frame as arrays, as a render makes them, for scoring against ground truth."""

from typing import NamedTuple

import numpy as np
import torch

from howard.compositing.packing import pack_rgba
from howard.compositing.transfer import upload
from howard.pipeline.frame_finisher import estimate_frame_shadow
from howard.pipeline.frame_tensors import FrameTensors, solve_frame_edges
from howard.pipeline.pipeline_types import MattedFrame, to_numpy


class ImageCutOut(NamedTuple):
    """``alpha`` (H, W) and straight sRGB ``foreground`` (H, W, 3), float32 in [0, 1]."""

    alpha: np.ndarray
    foreground: np.ndarray


@torch.inference_mode()
def cut_out_frame(frame: MattedFrame, edges: str = "solved", *, linear_light: bool = True) -> ImageCutOut:
    """The final matte of a frame, filtered with its neighbours, and its colours.

    With solved edges the colours are those that a render writes, black where alpha is 0; with ``edges="network"`` those
    of the network, everywhere.

    Args:
        frame: with its matte.
        edges: one of `howard.choices.EDGES`.
        linear_light: whether foreground and background mix in linear light or in encoded values.
    """
    solved = solve_frame_edges(frame, edges, linear_light=linear_light)
    alpha = solved.alpha[0, ..., 0].cpu().numpy()
    if edges == "network":
        return ImageCutOut(alpha, np.moveaxis(to_numpy(frame.matte.foreground)[0], 0, -1))
    rgba = pack_rgba(frame.tensors.source, solved, "float32", alpha_depth="uint8", linear_light=linear_light)
    return ImageCutOut(alpha, rgba[0, ..., :3].cpu().numpy())


@torch.inference_mode()
def estimate_image_shadow(source: np.ndarray, plate: np.ndarray, coverage: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The shadow as a factor on linear light, (H, W, 3) float32; 1 where there is none.

    Args:
        source: (H, W, 3) RGB.
        plate: of the same size and type, aligned to the source.
        coverage: (H, W) in [0, 1].
        alpha: (H, W) in [0, 1], the person's.
    """
    image, behind = (upload(each)[None] for each in (source, plate))
    cover, matte = (upload(each.astype(np.float32, copy=False))[None, ..., None] for each in (coverage, alpha))
    return estimate_frame_shadow(FrameTensors(image, behind, cover), matte).numpy()
