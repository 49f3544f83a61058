"""Measures of a finished frame for its journal line, and its status: good, weak or failed."""

import math
from typing import NamedTuple

import cv2
import numpy as np

from howard.align import AlignedPlate, AlignmentStatus
from howard.measures import holes, islands, plate_residual, recomposition_error
from howard.media import to_depth
from howard.pipeline.pipeline_types import MattedFrame
from howard.render_record import FAILING_REASONS, FrameRecord

# Alpha below which a pixel counts as background when the plate is compared with the source.
_BACKGROUND_ALPHA = 0.02
# Coverage of a subsampled pixel from which it counts as covered by the plate.
_COVERED = 0.5
# Mean alpha below which the matte counts as empty: nobody was found.
_EMPTY = 0.0005
# Mean alpha above which the matte counts as full: everything was kept.
_FULL = 0.95
# Holes as a fraction of the silhouette. True gaps, between arm and body or between legs, reach 7 %.
_HOLES = 0.12
# 8-bit levels between the source and the cut-out composited over the plate. Noise and small misalignments reach 4.
_RECOMPOSITION = 8.0
# Fraction of the frame hidden by people in the plate that no other plate frame shows.
_HIDDEN = 0.01


class FrameStatus(NamedTuple):
    """``status`` is good, weak (needs checking) or failed (unusable); ``reasons`` are `render_record.REASONS`."""

    status: str
    reasons: tuple[str, ...]


def measure_frame(
    frame: MattedFrame, rgba: np.ndarray, plate: np.ndarray, coverage: np.ndarray, linear_light: bool
) -> FrameRecord:
    """The record of a frame.

    Args:
        frame: its source and alignment.
        rgba: the final pixels, (H, W, 4) straight, of any depth: alpha and recomposition error are measured on these.
        plate: the aligned plate with a stride of n pixels and rows, (h, w, 3), of the source's dtype.
        coverage: its coverage with the same stride, (h, w) in [0, 1].
        linear_light: whether foreground and background mix in linear light or in encoded values.
    """
    source, aligned = frame.source, frame.plate
    step = -(-rgba.shape[0] // plate.shape[0])
    seen, pixels = (np.ascontiguousarray(image[::step, ::step]) for image in (source.image, rgba))
    pixels = to_depth(pixels, np.float32)
    foreground, alpha = pixels[..., :3], np.ascontiguousarray(pixels[..., 3])
    residual = plate_residual(seen, plate, (coverage >= _COVERED) & (alpha < _BACKGROUND_ALPHA))
    recomposition = _rounded(recomposition_error(seen, alpha, foreground, plate, coverage, linear_light))
    hole_fraction = round(holes(alpha), 6)
    hidden, unfilled = _hidden_fractions(aligned.hidden, coverage)
    status = classify_frame(
        aligned, alpha, damaged=source.damaged, holes=hole_fraction, recomposition=recomposition, hidden=unfilled
    )
    return FrameRecord(
        number=source.number,
        index=source.index,
        time=str(source.time),
        plate_indices=aligned.plate_indices,
        status=status.status,
        inliers=aligned.inliers,
        error_px=_rounded(aligned.error_px),
        coverage=round(float(coverage.mean()), 5),
        residual=_rounded(residual.mean),
        recomposition_error=recomposition,
        holes=hole_fraction,
        islands=round(islands(alpha), 6),
        damaged=source.damaged,
        plate_damaged=frame.plate_damaged,
        reasons=status.reasons,
        plate_hidden=round(hidden, 5),
    )


def classify_frame(
    plate: AlignedPlate,
    alpha: np.ndarray,
    *,
    damaged: bool,
    holes: float,
    recomposition: float | None,
    hidden: float,
) -> FrameStatus:
    """The status of a frame, with the reasons if it is not good.

    Args:
        plate: the aligned plate.
        alpha: (h, w) in [0, 1], of any size.
        damaged: whether the data of the shot's frame are damaged.
        holes: as a fraction of the silhouette.
        recomposition: error in 8-bit levels; None if nothing is covered.
        hidden: fraction of the frame that people in the plate hide and no other plate frame shows.
    """
    mean_alpha = float(alpha.mean())
    found = {
        "alignment failed": plate.status == AlignmentStatus.FAILED,
        "full": mean_alpha > _FULL,
        "alignment weak": plate.status == AlignmentStatus.WEAK,
        "damaged": damaged,
        "empty": mean_alpha < _EMPTY,
        "holes": holes > _HOLES,
        "recomposition": recomposition is not None and recomposition > _RECOMPOSITION,
        "plate hidden": hidden > _HIDDEN,
    }
    reasons = tuple(reason for reason, holds in found.items() if holds)
    if not reasons:
        return FrameStatus("good", ())
    return FrameStatus("failed" if FAILING_REASONS.intersection(reasons) else "weak", reasons)


def _hidden_fractions(hidden: np.ndarray | None, coverage: np.ndarray) -> tuple[float, float]:
    """Fractions of the frame that people in the main plate frame hide, and that no other plate frame shows either."""
    if hidden is None:
        return 0.0, 0.0
    coverage = cv2.resize(coverage, hidden.shape[::-1], interpolation=cv2.INTER_AREA)
    return float(hidden.mean()), float((hidden & (coverage < _COVERED)).mean())


def _rounded(value: float) -> float | None:
    """The value with three decimals; NaN, which JSON does not have, becomes None."""
    return None if math.isnan(value) else round(value, 3)
