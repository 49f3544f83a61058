"""The suite's frozen recipe on data/sample at small sizes, and the pictures it made when it was frozen.

``python -m tests.evaluation.suites`` writes these pictures anew, for a new version of the suite.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from howard.evaluation.suite.frozen_recipe import Kind, SuiteRecipe, load_recipe
from howard.evaluation.suite.rendering import Composite, CompositeId, render_composite
from howard.evaluation.suite.validation_sources import find_validation_sources

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
PICTURES = Path(__file__).parent / "suite_pictures_v1.json"
STILLS, CLIPS = Kind("stills", (160, 160), 3, 1), Kind("clips", (72, 128), 1, 3)
_STRIDE = 16  # of the pixels that are compared


def small_recipe() -> SuiteRecipe:
    """Every phenomenon, three small stills and one small clip of each, from the collections of data/sample."""
    frozen = load_recipe()
    people = {kind.name: {"people": 1.0} for kind in frozen.kinds}
    phenomena = {name: replace(each, people=people) for name, each in frozen.phenomena.items()}
    return replace(frozen, kinds=(STILLS, CLIPS), people=("people",), places=("places",), phenomena=phenomena)


def sampled_pixels() -> dict[str, list[str]]:
    """Every 16th pixel of one small still of every variant of every phenomenon, as hexadecimal digits."""
    recipe = small_recipe()
    sources = find_validation_sources(SAMPLE, recipe.people, recipe.places)
    return {
        name: [
            _pixels(render_composite(CompositeId(each, STILLS, number), sources)) for number in range(len(each.recipes))
        ]
        for name, each in recipe.phenomena.items()
    }


def _pixels(composite: Composite) -> str:
    source, plate, *planes = composite
    stacked = np.concatenate([source, plate, np.stack(planes, axis=-1)], axis=-1)[0]
    return stacked[_STRIDE // 2 :: _STRIDE, _STRIDE // 2 :: _STRIDE].tobytes().hex()


class StandIn:
    """Stands in for a predictor of batches: ``matte`` makes alpha (B, H, W) of source, plate and coverage."""

    precision, device, metadata = "fp32", torch.device("cpu"), None

    def __init__(self, matte: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]) -> None:
        self.matte = matte
        self.frames = 0

    def __call__(self, source: np.ndarray, plate: np.ndarray, coverage: np.ndarray) -> "StandIn":
        assert source.dtype == plate.dtype == np.uint8
        assert source.shape == plate.shape == (*coverage.shape, 3)
        self.frames += len(source)
        self.alpha = torch.from_numpy(self.matte(source, plate, coverage).astype(np.float32))[:, None]
        return self


if __name__ == "__main__":
    PICTURES.write_text(json.dumps(sampled_pixels(), indent=1) + "\n")
