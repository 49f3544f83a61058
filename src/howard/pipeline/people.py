"""Who is in a frame: what the person prior says of it."""

from typing import Any

import numpy as np

from howard.pipeline.predictor import Predictor


def find_people(predictor: Predictor, source: Any, mask: np.ndarray | None, subject: str = "person") -> Any:
    """The person prior's maps of a source; None if the subject may be anything, or the predictor has no prior.

    Args:
        predictor: what mattes a frame.
        source: (H, W, 3) RGB, as the predictor takes it.
        mask: (h, w) bool of any size, where the source differs from the plate and somebody may be; None means anywhere.
        subject: one of :data:`howard.choices.SUBJECTS`.
    """
    if subject != "person" or predictor.find_people is None:
        return None
    return predictor.find_people(source, mask)
