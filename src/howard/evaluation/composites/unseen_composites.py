"""Composites of validation people over validation places, and scores of network and difference key on them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from howard.data.curriculum import validation_schedule
from howard.data.dataset import SyntheticDataset, collate
from howard.data.sample_sources import gather_sources
from howard.errors import SettingsError
from howard.evaluation.difference_key import difference_key
from howard.evaluation.metrics import as_batch
from howard.evaluation.scores import MatteScores
from howard.pipeline import FrameDone, Predictor, ProgressCallback
from howard.pipeline.frame_tensors import matte_image
from howard.synthesis.batch_rendering import render_batch
from howard.synthesis.recipe_presets import LEVELS, level_recipe

_LICENCES = ("open", "by_sa", "gpl", "stock")
_SEED = 20201
# Alpha above which a pixel belongs to the region that the person prior is shown.
_IS_PERSON = 0.5
# How a matte is made, and what it is called in tables.
METHODS = {
    "level": "network, plate errors of the level",
    "clean": "network, true background",
    "key": "difference key, plate errors of the level",
}
SCORES = {"mad": "MAD", "mse": "MSE", "grad": "Grad", "dtssd": "dtSSD", "band_mad": "Band MAD"}


class CompositeFrame(NamedTuple):
    """One frame: ``source``, ``plate``, ``background`` (H, W, 3) uint8, ``coverage``, ``alpha`` (H, W) float32."""

    source: NDArray[np.uint8]
    plate: NDArray[np.uint8]
    background: NDArray[np.uint8]
    coverage: NDArray[np.float32]
    alpha: NDArray[np.float32]


def make_composites(
    root: Path,
    level: str,
    size: tuple[int, int],
    clips: int,
    frames: int,
    *,
    people: Mapping[str, float] = MappingProxyType({"people_real": 0.6, "people_rendered": 0.4}),
    places: Sequence[str] = ("backgrounds", "plate_pairs"),
) -> Iterator[list[CompositeFrame]]:
    """Composite clips of people and places from the validation splits, one at a time.

    Args:
        root: folder of collections.
        level: one of :data:`howard.synthesis.recipe_presets.LEVELS`.
        size: height and width of the frames in pixels.
        clips: number of clips.
        frames: number of frames of each clip.
        people: sampling weights of collections of people.
        places: collections of places.

    Raises:
        InputError: the data folder or a collection is missing.
        SettingsError: the level is unknown.
    """
    if level not in LEVELS:
        raise SettingsError(f"level={level} is unknown; choose {', '.join(LEVELS)}")
    recipe = level_recipe(LEVELS[level])
    sources = gather_sources(root, "val", list(people), list(people.values()), places, _LICENCES)
    dataset = SyntheticDataset(sources, validation_schedule(recipe), size, clips, _SEED, frames)
    for number in range(clips):
        sample = render_batch(collate([dataset[number]]), size, recipe.mixing)
        images = [_to_uint8(each) for each in (sample.source, sample.plate, sample.background)]
        masks = [each[0, :, 0].numpy() for each in (sample.coverage, sample.alpha)]
        yield [CompositeFrame(*frame) for frame in zip(*images, *masks, strict=True)]


def score_composites(
    clips: Iterable[list[CompositeFrame]],
    count: int,
    predictor: Predictor,
    progress: ProgressCallback,
    edges: str = "solved",
) -> dict[str, dict[str, float]]:
    """Mean scores over clips.

    Args:
        clips: the frames of each clip.
        count: number of clips.
        predictor: of the network.
        progress: called after each clip.
        edges: how soft edges are made, one of `howard.choices.EDGES`.

    Returns:
        The :data:`SCORES` of each of the :data:`METHODS`.
    """
    found: dict[str, list[dict[str, float]]] = {method: [] for method in METHODS}
    for number, clip in enumerate(clips, start=1):
        scores = {method: MatteScores(tuple(SCORES)) for method in METHODS}
        for source, plate, background, coverage, alpha in clip:
            is_person = alpha > _IS_PERSON
            mattes = {
                "level": matte_image(predictor, source, plate, coverage, is_person, edges=edges),
                "clean": matte_image(predictor, source, background, None, is_person, edges=edges),
                "key": difference_key(source, plate, coverage),
            }
            for method, matte in mattes.items():
                scores[method].update(as_batch(matte), as_batch(alpha))
        for method, each in scores.items():
            found[method].append({name: value.item() for name, value in each.compute().items()})
        progress(FrameDone(number, "good", number, count))
    return {
        method: {name: float(np.nanmean([clip[name] for clip in each])) for name in SCORES}
        for method, each in found.items()
    }


def _to_uint8(images: Tensor) -> NDArray[np.uint8]:
    """(1, T, 3, H, W) in [0, 1] to (T, H, W, 3)."""
    return (images[0] * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
