"""The journal's line about a frame, measured on the frame."""

import math

import numpy as np

from howard.measures import holes, islands, plate_residual, recomposition_error
from howard.pipeline.frames import MattedFrame
from howard.render_record import FrameRecord

# Alpha below which a pixel counts as background when the plate is judged.
_EMPTY = 0.02
# Measures look at every n-th pixel and row, at most this many along the longer side: they are there to point at frames.
_LOOKED_AT = 320


def measure_frame(frame: MattedFrame, linear_light: bool) -> FrameRecord:
    """Measure a finished frame; ``linear_light`` says in which light its matte mixes."""
    source, plate = frame.source, frame.plate
    step = -(-max(frame.alpha.shape) // _LOOKED_AT)
    seen, empty, coverage, alpha, foreground = (
        np.ascontiguousarray(image[::step, ::step])
        for image in (source.image, plate.image, plate.coverage, frame.alpha, frame.foreground)
    )
    residual = plate_residual(seen, empty, (coverage >= 0.5) & (alpha < _EMPTY))
    recomposition = recomposition_error(seen, alpha, foreground, empty, coverage, linear_light)
    return FrameRecord(
        number=source.number,
        index=source.index,
        time=str(source.time),
        plate_indices=plate.plate_indices,
        status=str(plate.status),
        inliers=plate.inliers,
        error_px=_rounded(plate.error_px),
        coverage=round(float(plate.coverage.mean()), 5),
        residual=_rounded(residual.mean),
        recomposition_error=_rounded(recomposition),
        holes=round(holes(alpha), 6),
        islands=round(islands(alpha), 6),
        damaged=source.damaged,
        plate_damaged=frame.plate_damaged,
    )


def _rounded(value: float) -> float | None:
    """JSON knows no NaN."""
    return None if math.isnan(value) else round(value, 3)
