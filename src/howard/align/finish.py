"""From the chosen plate frame to the aligned plate, at full size: residual flow, one resample, exposure, verdict."""

import cv2
import numpy as np

from howard.align.aligned import AlignedPlate, AlignmentStatus
from howard.align.candidate import Candidate, Comparison, compare
from howard.align.flow import residual_flow
from howard.align.geometry import reduce_to, size_of
from howard.align.warp import plate_positions, sample_plate, shrink_plate, warp_reduced

# Long side at which the residual flow is found: half of 1080p.
_FLOW_SIDE = 960
# Rules of thumb for what somebody should look at, not measured. A plate is used but called weak where it saw less
# than this share of the picture, ...
_WEAK_COVERAGE = 0.5
# ... where more than this share of what it saw differs, or where the rest is this many 8-bit levels off.
_WEAK_PERSON = 0.8
_WEAK_RESIDUAL = 15.0


def finish(source: np.ndarray, plate: np.ndarray, candidate: Candidate, comparison: Comparison) -> AlignedPlate:
    """Bring a plate frame, (h, w, 3) uint8 RGB, to the view of a source frame, (H, W, 3) uint8 RGB.

    ``candidate`` holds the homography between them, ``comparison`` exposure and person as the homography left them.
    """
    matrix = candidate.estimate.matrix
    flow = _flow_at_full_size(source, plate, matrix, comparison)
    scaled = shrink_plate(plate, matrix)
    warped = sample_plate(scaled.image, plate_positions(scaled.matrix, size_of(source), flow))
    # The flow sharpens what the exposure is fitted on.
    verdict = compare(source, warped)
    image = verdict.photometry.apply_rounded(warped.image)
    image[~warped.coverage] = 0
    return AlignedPlate(
        image=image,
        coverage=warped.coverage.astype(np.float32),
        homography=matrix,
        plate_indices=(candidate.index,),
        plate_weights=(1.0,),
        gain=verdict.photometry.gain,
        bias=verdict.photometry.bias,
        inliers=candidate.estimate.inliers,
        error_px=candidate.estimate.error_px,
        status=_status(verdict),
    )


def _flow_at_full_size(source: np.ndarray, plate: np.ndarray, matrix: np.ndarray, comparison: Comparison) -> np.ndarray:
    """What is left after the homography, (H, W, 2) in source pixels."""
    seen, empty = reduce_to(source, _FLOW_SIDE), reduce_to(plate, _FLOW_SIDE)
    warped = warp_reduced(empty, seen, matrix, size_of(plate), size_of(source))
    person = cv2.resize(comparison.person.astype(np.float32), size_of(seen), interpolation=cv2.INTER_LINEAR)
    usable = warped.coverage & (person < 0.3)
    flow = residual_flow(seen, comparison.photometry.apply_rounded(warped.image), usable)
    scale = np.array(size_of(source), np.float32) / np.array(size_of(seen), np.float32)
    return cv2.resize(flow, size_of(source), interpolation=cv2.INTER_LINEAR) * scale


def _status(comparison: Comparison) -> AlignmentStatus:
    coverage = comparison.coverage.mean()
    doubtful = (
        coverage < _WEAK_COVERAGE
        or comparison.person.mean() > _WEAK_PERSON * coverage
        or comparison.residual > _WEAK_RESIDUAL
    )
    return AlignmentStatus.WEAK if doubtful else AlignmentStatus.GOOD
