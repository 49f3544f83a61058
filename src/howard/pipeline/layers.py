"""The pictures beside RGBA from which a compositor can repeat or correct the matte; see `howard.choices.LAYERS`."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.align import AlignmentStatus
from howard.compositing.edges import Edges
from howard.compositing.light import decode
from howard.compositing.packing import convert_codes, pack_rgba
from howard.compositing.patches import PATCH
from howard.compositing.shadow import estimate_shadow
from howard.pipeline.frames import MattedFrame

# By how much a frame's alignment lowers the confidence in its alpha. Chosen by what the statuses mean: a weak alignment
# is to be checked, without one the network has no plate to compare with.
_GOOD_TRUST = 1.0
_WEAK_TRUST = 0.5
_FAILED_TRUST = 0.0
_TRUST = {
    AlignmentStatus.GOOD: _GOOD_TRUST,
    AlignmentStatus.WEAK: _WEAK_TRUST,
    AlignmentStatus.FAILED: _FAILED_TRUST,
}


def make_layers(frame: MattedFrame, names: Sequence[str], edges: Edges, *, linear_light: bool) -> dict[str, Tensor]:
    """The layers ``names`` of a frame whose edges are solved, float32 tensors on its device.

    They are (H, W) in [0, 1], or (H, W, 3): sRGB-encoded colour, or the shadow's linear factor.
    """
    pictures = frame.tensors
    makers = {
        "matte": lambda: frame.alpha[0, ..., 0],
        "foreground": lambda: pack_rgba(pictures.source, edges, "float32", linear_light=linear_light)[0, ..., :3],
        "plate": lambda: convert_codes(pictures.plate, "float32")[0],
        "coverage": lambda: pictures.coverage[0, ..., 0],
        "shadow": lambda: make_shadow(frame, edges),
        "confidence": lambda: estimate_confidence(frame),
    }
    return {name: makers[name]() for name in names}


def make_shadow(frame: MattedFrame, edges: Edges) -> Tensor:
    """The factor by which the person changes the light on the place, (H, W, 3); 1 where they do not."""
    source, plate = (decode(image, True).movedim(3, 1) for image in frame.tensors[:2])
    coverage, alpha = (each.movedim(3, 1) for each in (frame.tensors.coverage, edges.alpha))
    return estimate_shadow(source, plate, coverage, alpha)[0].movedim(0, 2).contiguous()


def estimate_confidence(frame: MattedFrame) -> Tensor:
    """How far alpha can be relied on, (H, W) in [0, 1].

    It is 1 less the error that the network expects of itself, enlarged bilinearly, times the trust in the alignment.
    """
    height, width = frame.alpha.shape[1:3]
    error, refined = (torch.as_tensor(each) for each in (frame.matte.coarse.error, frame.matte.refined))
    # Both span the picture padded to whole patches.
    padded = max(PATCH * refined.shape[2], height), max(PATCH * refined.shape[3], width)
    error = F.interpolate(error.float(), padded, mode="bilinear", align_corners=False)[0, 0, :height, :width]
    return _TRUST[frame.plate.status] * (1 - error.clamp(0, 1))
