"""Makes the composites: validation people over validation places, in short clips, with plates and their truth."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from howard.data.curriculum import measuring
from howard.data.datasets import SyntheticDataset, collate, gather_pictures
from howard.errors import SettingsError
from howard.synthesis.batch_rendering import render_batch
from howard.synthesis.recipe_presets import LEVELS, level_recipe

_LICENCES = ("open", "by_sa", "gpl", "stock")
_SEED = 20201


class Composite(NamedTuple):
    """One frame: ``source``, ``plate``, ``background`` HxWx3, ``coverage``, ``alpha`` HxW, uint8 or float32."""

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
) -> Iterator[list[Composite]]:
    """Validation people over validation places, clip by clip.

    Args:
        root: folder of collections.
        level: one of :data:`howard.synthesis.recipe_presets.LEVELS`.
        size: height and width of the frames.
        clips: how many.
        frames: of each.
        people: collections of people, and how often each is drawn from.
        places: collections of places.

    Raises:
        InputError: the data folder or a collection is missing. SettingsError: there is no such level.
    """
    if level not in LEVELS:
        raise SettingsError(f"level={level} is unknown; choose {', '.join(LEVELS)}")
    recipe = level_recipe(LEVELS[level])
    pictures = gather_pictures(root, "val", list(people), list(people.values()), places, _LICENCES)
    dataset = SyntheticDataset(pictures, measuring(recipe), size, clips, _SEED, frames)
    for number in range(clips):
        sample = render_batch(collate([dataset[number]]), size, recipe.mixing)
        images = [_eight_bit(each) for each in (sample.source, sample.plate, sample.background)]
        planes = [each[0, :, 0].numpy() for each in (sample.coverage, sample.alpha)]
        yield [Composite(*frame) for frame in zip(*images, *planes, strict=True)]


def _eight_bit(images: Tensor) -> NDArray[np.uint8]:
    """(1, T, 3, H, W) in [0, 1] to (T, H, W, 3)."""
    return (images[0] * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
