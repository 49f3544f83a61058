"""The pictures of one frame as tensors on the network's device, where they are uploaded once."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from howard.align import AlignedPlate
from howard.compositing.edges import Edges, keep_network, solve_edges
from howard.compositing.transfer import upload


class FrameTensors(NamedTuple):
    """``source`` and ``plate``, aligned to it, are (1, H, W, 3) code values; ``coverage`` (1, H, W, 1) in [0, 1]."""

    source: Tensor
    plate: Tensor
    coverage: Tensor


def upload_frame(source: np.ndarray, plate: AlignedPlate, device: torch.device | str = "cpu") -> FrameTensors:
    """Bring a source (H, W, 3) and its plate to a device; a plate that was rendered there stays."""
    return FrameTensors(
        upload(source[None], device), upload(plate.image[None], device), upload(plate.coverage[None, ..., None], device)
    )


def solve_matte(
    tensors: FrameTensors,
    matte: Any,
    person: Any = None,
    *,
    edges: str = "solved",
    linear_light: bool = True,
    alpha: Tensor | None = None,
) -> Edges:
    """The soft edges of a matte, or of a batch of mattes.

    Args:
        tensors: the pictures.
        matte: as :class:`howard.pipeline.predictor.MatteTensors`, on the same device, or numpy.
        person: the person prior's maps that the network was given; None if the subject may be anything.
        edges: one of `howard.options.EDGES`.
        linear_light: whether soft pixels mix in linear light, or in encoded values.
        alpha: (B, H, W, 1) to be used in place of the matte's.
    """
    cover, foreground = (torch.as_tensor(each).movedim(1, 3) for each in (matte.alpha, matte.foreground))
    alpha = cover.contiguous() if alpha is None else alpha
    refined = torch.as_tensor(matte.refined)
    if edges == "network":
        return keep_network(alpha, foreground, refined, linear_light=linear_light)
    prior = None if person is None else person.person()
    return solve_edges(*tensors, alpha, foreground, refined, prior, linear_light=linear_light)
