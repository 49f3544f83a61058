"""The value that alignment hands on."""

from enum import StrEnum
from typing import NamedTuple

import numpy as np

from howard.align.homography import HomographyEstimate
from howard.align.photometric import NEUTRAL


class AlignmentStatus(StrEnum):
    """How far to believe an aligned plate: ``WEAK`` is used but deserves a look, ``FAILED`` has no plate at all."""

    GOOD = "good"
    WEAK = "weak"
    FAILED = "failed"


class AlignedPlate(NamedTuple):
    """The plate as the source's camera would have seen it.

    ``image`` (H, W, 3) RGB of the source's dtype, 0 where not covered; ``coverage`` (H, W) float32, 1 where the plate
    saw the place, else 0. ``homography`` (3, 3) float64 maps pixels of the main plate frame to source pixels, pixel
    centres at integers, y down (identity where failed). ``plate_indices`` and ``plate_weights`` say which plate frames
    went in and how much of each. ``gain`` and ``bias`` (3,) took the main frame's exposure to the source's: source =
    gain * plate + bias in sRGB code values where 255 is white, whatever the pictures' dtype. ``inliers`` counts the
    matches that agree, ``error_px`` is their median reprojection error in source pixels, NaN where there is none.
    ``changed`` (h, w) bool at 1/8 of 1080p is where the source shows what the plate does not, the person above all;
    None where there is no plate. ``hidden`` (h, w) bool, of the same size, is where the main plate frame shows somebody
    instead of the place, whether or not another fills it; None where it does nowhere.
    """

    image: np.ndarray
    coverage: np.ndarray
    homography: np.ndarray
    plate_indices: tuple[int, ...]
    plate_weights: tuple[float, ...]
    gain: np.ndarray
    bias: np.ndarray
    inliers: int
    error_px: float
    status: AlignmentStatus
    changed: np.ndarray | None = None
    hidden: np.ndarray | None = None

    @property
    def main_index(self) -> int:
        """The plate frame that gave most, whose homography this is; there is none where alignment failed."""
        return self.plate_indices[int(np.argmax(self.plate_weights))]


def failed_plate(source: np.ndarray, closest: HomographyEstimate | None) -> AlignedPlate:
    """No plate for an (H, W, 3) source; ``closest`` is the best of the estimates not believed."""
    return AlignedPlate(
        image=np.zeros_like(source),
        coverage=np.zeros(source.shape[:2], np.float32),
        homography=np.eye(3),
        plate_indices=(),
        plate_weights=(),
        gain=NEUTRAL.gain,
        bias=NEUTRAL.bias,
        inliers=closest.inliers if closest else 0,
        error_px=closest.error_px if closest else float("nan"),
        status=AlignmentStatus.FAILED,
    )
