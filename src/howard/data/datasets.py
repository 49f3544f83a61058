"""Datasets that synthesise their samples: fresh ones every epoch to train on, fixed ones to validate with."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from howard.data.people import PersonClip
from howard.data.pictures import VIDEOS, open_video, read_picture, read_video_frame, shrink
from howard.data.places import Place
from howard.synthesis import Person, Recipe, synthesise

_PLACE_LONGEST = 1280  # pixels; places are decoded once and kept
_FRAMES_OF_A_CLIP = 4  # kept of a place that is a clip
Batch = dict[str, Tensor]


class SyntheticDataset(Dataset[Batch]):
    """``length`` samples, each a pure function of (seed, epoch, index).

    A sample is a dict of float32 tensors in [0, 1]: ``source``, ``plate``, ``foreground`` (3, H, W), ``coverage`` and
    ``alpha`` (1, H, W).

    Args:
        people: sets of people; each set is drawn from as often as its share says.
        shares: one positive weight a set.
        places: pictures of places, all equally likely; see :func:`load_places`.
        size: side of the square samples in pixels.
        recipe: how a sample is made.
        length: samples an epoch.
        seed: of everything drawn.
        epoch: another epoch draws other samples.
    """

    def __init__(
        self,
        people: Sequence[Sequence[PersonClip]],
        shares: Sequence[float],
        places: Sequence[np.ndarray],
        size: int,
        recipe: Recipe,
        length: int,
        seed: int,
        epoch: int = 0,
    ) -> None:
        if len(people) != len(shares):
            raise ValueError(f"{len(people)} sets of people need as many shares, not {len(shares)}")
        self.people = people
        self.shares = np.asarray(shares, np.float64) / np.sum(shares)
        self.places = places
        self.size = (size, size)
        self.recipe = recipe
        self.length = length
        self.seed = seed
        self.epoch = epoch

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Batch:
        if not 0 <= index < self.length:
            raise IndexError(index)
        rng = np.random.default_rng([self.seed, self.epoch, index])
        count = 0 if rng.random() < self.recipe.nobody_probability else 1
        count += int(count and rng.random() < self.recipe.second_person_probability)
        people = [self._draw_person(rng) for _ in range(count)]
        place = self.places[int(rng.integers(len(self.places)))]
        sample = synthesise(people, place, self.size, self.recipe, rng)
        return {name: _to_tensor(image) for name, image in sample._asdict().items()}

    def _draw_person(self, rng: np.random.Generator) -> Person:
        group = self.people[int(rng.choice(len(self.people), p=self.shares))]
        clip = group[int(rng.integers(len(group)))]
        frames = clip.frame_count
        return clip.read(int(rng.integers(frames)) if frames > 1 else 0)


def load_places(places: Sequence[Place]) -> list[np.ndarray]:
    """Decode places once, shrunk to a long side of 1280 pixels: HxWx3 uint8 RGB, about 3 MB each.

    Of a clip four frames are kept, evenly spread.
    """
    pictures = []
    for place in places:
        if place.path.suffix.lower() not in VIDEOS:
            pictures.append(read_picture(place.path, longest=_PLACE_LONGEST))
            continue
        count = len(open_video(place.path))
        indices = sorted({int(index) for index in np.linspace(0, count - 1, min(count, _FRAMES_OF_A_CLIP))})
        pictures += [shrink(read_video_frame(place.path, index), _PLACE_LONGEST) for index in indices]
    return pictures


def _to_tensor(image: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1), np.float32))
