"""The line that the sidecar keeps of each frame."""

import json
import math
import re
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from howard.align import AlignmentStatus
from howard.measures import holes, islands, plate_residual, recomposition_error
from howard.pipeline.frames import MattedFrame

# Alpha below which a pixel counts as background when the plate is judged.
_EMPTY = 0.02
# Measures look at every n-th pixel and row, at most this many along the longer side: they are there to point at frames.
_LOOKED_AT = 320


@dataclass(frozen=True)
class FrameRecord:
    """What the sidecar keeps of one frame; None where a value cannot be had, as without a plate.

    ``plate_indices`` count from zero; ``error_px`` is the matches' median error in source pixels, ``coverage`` a share
    of the picture; ``residual`` and ``recomposition_error`` are in 8-bit levels, ``holes`` and ``islands`` shares.
    ``damaged`` says that the source's data were, ``plate_damaged`` which plate frames were left out for that reason.
    """

    number: int
    index: int
    time: str
    plate_indices: tuple[int, ...]
    status: str
    inliers: int
    error_px: float | None
    coverage: float
    residual: float | None
    recomposition_error: float | None
    holes: float
    islands: float
    damaged: bool = False
    plate_damaged: tuple[int, ...] = ()


_FIELDS = {each.name for each in fields(FrameRecord)}
# Seconds as a fraction.
_TIME = re.compile(r"[0-9]{1,30}(/0*[1-9][0-9]{0,29})?")


def parse_record(line: bytes) -> dict[str, Any] | None:
    """A frame's line as it was written; None where it is damaged, cut short or something else."""
    try:
        record = json.loads(line)
        is_whole = (
            record.keys() == _FIELDS
            and type(record["number"]) is int
            and record["status"] in tuple(AlignmentStatus)
            and _TIME.fullmatch(record["time"])
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return record if is_whole else None


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
