"""Scores mattes of composites: with the plate as it is, with a perfect one, and by the key."""

from collections.abc import Iterable

import numpy as np

from howard.evaluation.composites.making import Composite
from howard.evaluation.key import difference_key
from howard.evaluation.metrics import as_batch
from howard.evaluation.scores import MatteScores
from howard.pipeline import FrameDone, Predictor, ProgressCallback
from howard.pipeline.frame_tensors import matte_image

ROADS = {
    "level": "network, plate as the level has it",
    "clean": "network, true background",
    "key": "difference key, plate as the level has it",
}
# Alpha above which a pixel counts for where the person prior is to look.
_IS_PERSON = 0.5
SCORES = {"mad": "MAD", "mse": "MSE", "grad": "Grad", "dtssd": "dtSSD", "band_mad": "Band MAD"}


def score_composites(
    clips: Iterable[list[Composite]],
    count: int,
    predictor: Predictor,
    progress: ProgressCallback,
    edges: str = "solved",
) -> dict[str, dict[str, float]]:
    """:data:`SCORES` by kind of plate, :data:`ROADS`: means over ``count`` clips, after each of which progress is told.

    ``edges`` is one of `howard.choices.EDGES`.
    """
    found: dict[str, list[dict[str, float]]] = {road: [] for road in ROADS}
    for number, clip in enumerate(clips, start=1):
        scores = {road: MatteScores(tuple(SCORES)) for road in ROADS}
        for source, plate, background, coverage, alpha in clip:
            is_person = alpha > _IS_PERSON
            mattes = {
                "level": matte_image(predictor, source, plate, coverage, is_person, edges=edges),
                "clean": matte_image(predictor, source, background, None, is_person, edges=edges),
                "key": difference_key(source, plate, coverage),
            }
            for road, matte in mattes.items():
                scores[road].update(as_batch(matte), as_batch(alpha))
        for road, each in scores.items():
            found[road].append({name: value.item() for name, value in each.compute().items()})
        progress(FrameDone(number, "good", number, count))
    return {
        road: {name: float(np.nanmean([clip[name] for clip in each])) for name in SCORES}
        for road, each in found.items()
    }
