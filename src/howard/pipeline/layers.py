"""The pictures beside RGBA from which a compositor can repeat or correct the matte; see `howard.choices.LAYERS`."""

from collections.abc import Sequence

import cv2
import numpy as np

from howard.align import AlignmentStatus
from howard.media import to_depth
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


def make_layers(frame: MattedFrame, names: Sequence[str], rgba: np.ndarray) -> dict[str, np.ndarray]:
    """The layers ``names`` of a frame, float32: (H, W) in [0, 1], or (H, W, 3): sRGB-encoded colour, or the shadow's
    linear factor.

    ``rgba`` (H, W, 4), straight, of any depth, is the frame's final picture, whose colours are the foreground's; they
    are 0 where its alpha is.
    """
    makers = {
        "matte": lambda: frame.alpha,
        "foreground": lambda: to_depth(rgba, np.float32)[..., :3],
        "plate": lambda: to_depth(frame.plate.image, np.float32),
        "coverage": lambda: frame.plate.coverage,
        "shadow": lambda: _make_shadow(frame),
        "confidence": lambda: estimate_confidence(frame),
    }
    return {name: makers[name]() for name in names}


def _make_shadow(frame: MattedFrame) -> np.ndarray:
    # Torch takes seconds to load: only when a frame is there.
    from howard.pipeline.shadow_layer import make_shadow

    return make_shadow(frame)


def estimate_confidence(frame: MattedFrame) -> np.ndarray:
    """How far alpha can be relied on, (H, W) float32 in [0, 1].

    It is 1 less the error that the network expects of itself, enlarged bilinearly, times the trust in the alignment.
    """
    height, width = frame.alpha.shape
    detail = frame.detail
    error = cv2.resize(detail.error, detail.padded_size((height, width)), interpolation=cv2.INTER_LINEAR)
    return np.float32(_TRUST[frame.plate.status]) * (1 - error[:height, :width].clip(0, 1))
