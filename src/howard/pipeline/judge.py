"""Whether a finished frame can be used, and what is wrong with it: its alignment, its data, and its matte."""

from typing import NamedTuple

import numpy as np

from howard.align import AlignedPlate, AlignmentStatus
from howard.render_record import FAILING_REASONS

# Share of the picture that the matte covers: less is nobody, more is everything.
_EMPTY, _FULL = 0.0005, 0.95
# Share of the silhouette that its holes take. True gaps, between arm and body or legs, reach 7 %.
_HOLES = 0.12
# 8-bit levels between the source and the cut-out laid over the plate. Noise and small misplacements reach 4.
_RECOMPOSITION = 8.0
# Share of the picture that people in the plate hide and no other plate frame shows.
_HIDDEN = 0.01


class Verdict(NamedTuple):
    """``status`` is good, weak (to be looked at) or failed (of no use); ``reasons`` are `render_record.REASONS`."""

    status: str
    reasons: tuple[str, ...]


def judge_frame(
    plate: AlignedPlate,
    alpha: np.ndarray,
    *,
    damaged: bool,
    holes: float,
    recomposition: float | None,
    hidden: float,
) -> Verdict:
    """Judge a frame.

    Args:
        plate: the aligned plate.
        alpha: (h, w) in [0, 1], of any size.
        damaged: whether the data of the shot's frame are.
        holes: as a share of the silhouette.
        recomposition: error in 8-bit levels; None where nothing is covered.
        hidden: share of the picture that somebody in the plate hides and no other plate frame shows.
    """
    covers = float(alpha.mean())
    found = {
        "alignment failed": plate.status == AlignmentStatus.FAILED,
        "full": covers > _FULL,
        "alignment weak": plate.status == AlignmentStatus.WEAK,
        "damaged": damaged,
        "empty": covers < _EMPTY,
        "holes": holes > _HOLES,
        "recomposition": recomposition is not None and recomposition > _RECOMPOSITION,
        "plate hidden": hidden > _HIDDEN,
    }
    reasons = tuple(reason for reason, holds in found.items() if holds)
    if not reasons:
        return Verdict("good", ())
    return Verdict("failed" if FAILING_REASONS.intersection(reasons) else "weak", reasons)
