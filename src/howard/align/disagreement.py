"""Detection of transient objects in a plate of any appearance, by majority vote between its frames."""

from collections.abc import Sequence

import cv2
import numpy as np

from howard.align.aligned import AlignmentStatus
from howard.align.pictures import size_of
from howard.align.plate_aligner import PlateAligner
from howard.align.plate_frames import Picture

# A pixel is invalid if at least so many reference frames differ there, ...
_FEWEST_VOTES = 2
# ... and more than this fraction of those that cover it.
_MAJORITY = 0.6
# Fraction of the picture; smaller areas are parallax and noise.
_MIN_FRACTION = 0.003


class DisagreementFinder:
    """Finds what one plate frame shows and the majority of some reference frames do not.

    Two frames that differ do not tell which of them shows the place; of three or more the majority does. What is static
    in most of them counts as part of the place.
    """

    def __init__(self, references: Sequence[Picture]) -> None:
        """``references`` are frames spread over the whole plate."""
        self._aligners = [PlateAligner([reference], quality="fast") for reference in references]

    def __call__(self, picture: Picture) -> np.ndarray:
        """The validity mask of a plate frame, (h, w) bool at 1/8 of 1080p, False on what does not belong.

        A reference that is the frame itself agrees with it and counts as one vote.
        """
        votes = shown = np.zeros((1, 1), np.float32)
        for aligner in self._aligners:
            aligned = aligner.align(picture)
            if aligned.status == AlignmentStatus.FAILED or aligned.changed is None:
                continue
            size = size_of(aligned.changed)
            shown = shown + cv2.resize(aligned.coverage, size, interpolation=cv2.INTER_AREA)
            votes = votes + aligned.changed
        outvoted = (votes >= _FEWEST_VOTES) & (votes > _MAJORITY * np.maximum(shown, 1))
        kept = cv2.morphologyEx(outvoted.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        return kept == 0 if kept.mean() >= _MIN_FRACTION else np.ones(kept.shape, bool)
