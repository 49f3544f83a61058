"""Alpha, foreground and shadow of single images, as a render makes them, for scoring against ground truth."""

from typing import NamedTuple

import numpy as np
import torch

from howard.compositing.packing import pack_rgba
from howard.compositing.transfer import upload
from howard.pipeline.frame_finisher import estimate_frame_shadow
from howard.pipeline.frame_tensors import FrameTensors, predict_image, solve_image_edges
from howard.pipeline.pipeline_types import Predictor, to_numpy


class ImageCutOut(NamedTuple):
    """``alpha`` (H, W) and straight sRGB ``foreground`` (H, W, 3), float32 in [0, 1]."""

    alpha: np.ndarray
    foreground: np.ndarray


@torch.inference_mode()
def cut_out_image(
    predictor: Predictor,
    source: np.ndarray,
    plate: np.ndarray,
    coverage: np.ndarray,
    mask: np.ndarray | None,
    *,
    edges: str = "solved",
) -> ImageCutOut:
    """The matte of :func:`howard.pipeline.frame_tensors.matte_image`, whose arguments these are, with its colours.

    With solved edges the colours are those that a render writes, black where alpha is 0; with ``edges="network"`` those
    of the network, everywhere.
    """
    matte, person = predict_image(predictor, source, plate, coverage, mask)
    if edges == "network":
        return ImageCutOut(to_numpy(matte.alpha)[0, 0], np.moveaxis(to_numpy(matte.foreground)[0], 0, -1))
    solved = solve_image_edges(predictor, source[None], plate[None], coverage[None], matte, person)
    is_linear = predictor.metadata.mixing == "linear"
    image = upload(source, torch.device(str(predictor.device)))[None]
    rgba = pack_rgba(image, solved, "float32", alpha_depth="uint8", linear_light=is_linear)
    return ImageCutOut(solved.alpha[0, ..., 0].cpu().numpy(), rgba[0, ..., :3].cpu().numpy())


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
