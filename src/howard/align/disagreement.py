"""What comes and goes in a plate, found without knowing what it looks like: plate frames outvote one another."""

from collections.abc import Sequence

import cv2
import numpy as np

from howard.align.aligned import AlignmentStatus
from howard.align.pictures import size_of
from howard.align.plate import PlateAligner
from howard.align.plate_index import Picture

# Of the other frames that show a pixel, at least so many, ...
_FEWEST_VOTES = 2
# ... and more than this share must differ from a frame for it to be the one that is wrong there.
_MAJORITY = 0.6
# Share of the picture; smaller pieces are parallax and noise.
_LEAST_SHARE = 0.003


class DisagreementFinder:
    """Finds what one plate frame shows and most of some others do not.

    Two frames that differ do not say which of them is wrong; of three or more the majority does. What stands still in
    most of them belongs to the place.
    """

    def __init__(self, references: Sequence[Picture]) -> None:
        """``references`` are frames from all over the plate."""
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
        return kept == 0 if kept.mean() >= _LEAST_SHARE else np.ones(kept.shape, bool)
