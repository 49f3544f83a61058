"""The journal's line about a frame, measured on the pixels that are written."""

import math

import cv2
import numpy as np

from howard.measures import holes, islands, plate_residual, recomposition_error
from howard.media import to_depth
from howard.pipeline.frames import MattedFrame
from howard.pipeline.judge import judge_frame
from howard.render_record import FrameRecord

# Alpha below which a pixel counts as background when the plate is judged.
_EMPTY = 0.02
# Share of a reduced pixel that the plate must show for it to count as covered.
_COVERED = 0.5


def measure_frame(
    frame: MattedFrame, rgba: np.ndarray, plate: np.ndarray, coverage: np.ndarray, linear_light: bool
) -> FrameRecord:
    """Measure a frame.

    Args:
        frame: its source, and what is known of its plate.
        rgba: (H, W, 4) of any depth, straight: the final pixels, of which all measures of alpha and the recomposition
            error are taken.
        plate: every n-th pixel and row of the aligned plate, (h, w, 3), of the source's type.
        coverage: the same of its coverage, (h, w) in [0, 1].
        linear_light: whether the matte mixes in linear light or in encoded values.
    """
    source, aligned = frame.source, frame.plate
    step = -(-rgba.shape[0] // plate.shape[0])
    seen, pixels = (np.ascontiguousarray(image[::step, ::step]) for image in (source.image, rgba))
    pixels = to_depth(pixels, np.float32)
    foreground, alpha = pixels[..., :3], np.ascontiguousarray(pixels[..., 3])
    residual = plate_residual(seen, plate, (coverage >= _COVERED) & (alpha < _EMPTY))
    recomposition = _rounded(recomposition_error(seen, alpha, foreground, plate, coverage, linear_light))
    enclosed = round(holes(alpha), 6)
    hidden, unfilled = _hidden_shares(aligned.hidden, coverage)
    verdict = judge_frame(
        aligned, alpha, damaged=source.damaged, holes=enclosed, recomposition=recomposition, hidden=unfilled
    )
    return FrameRecord(
        number=source.number,
        index=source.index,
        time=str(source.time),
        plate_indices=aligned.plate_indices,
        status=verdict.status,
        inliers=aligned.inliers,
        error_px=_rounded(aligned.error_px),
        coverage=round(float(coverage.mean()), 5),
        residual=_rounded(residual.mean),
        recomposition_error=recomposition,
        holes=enclosed,
        islands=round(islands(alpha), 6),
        damaged=source.damaged,
        plate_damaged=frame.plate_damaged,
        reasons=verdict.reasons,
        plate_hidden=round(hidden, 5),
    )


def _hidden_shares(hidden: np.ndarray | None, coverage: np.ndarray) -> tuple[float, float]:
    """Shares of the picture that somebody in the main plate frame hides, and that no other plate frame shows either."""
    if hidden is None:
        return 0.0, 0.0
    coverage = cv2.resize(coverage, hidden.shape[::-1], interpolation=cv2.INTER_AREA)
    return float(hidden.mean()), float((hidden & (coverage < _COVERED)).mean())


def _rounded(value: float) -> float | None:
    """JSON knows no NaN."""
    return None if math.isnan(value) else round(value, 3)
