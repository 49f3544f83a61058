"""Who is in a frame: what the person prior says of it, for networks that take that beside source and plate."""

from typing import Any

import numpy as np

from howard.pipeline.predictor import MatteTensors, Predictor


def matte_with_people(
    predictor: Predictor,
    source: np.ndarray,
    plate: np.ndarray,
    coverage: np.ndarray | None,
    mask: np.ndarray | None,
    subject: str = "person",
) -> MatteTensors:
    """Matte a frame; a network that takes maps of people is given them.

    Args:
        predictor: what mattes a frame.
        source: (H, W, 3) RGB.
        plate: of the same size, aligned to it; 0 where not covered.
        coverage: (H, W) in [0, 1]; None means everywhere.
        mask: (h, w) bool of any size, where the source differs from the plate and somebody may be; None means anywhere.
        subject: one of :data:`howard.choices.SUBJECTS`; if it may be anything the network is given no people.
    """
    people: dict[str, Any] = {}
    if subject == "person" and predictor.find_people is not None:
        people["person"] = predictor.find_people(source, mask)
    return predictor(source, plate, coverage, **people)
