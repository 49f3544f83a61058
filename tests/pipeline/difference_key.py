"""A predictor without a network: a difference key of source and plate."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from howard.media import to_depth


@dataclass(frozen=True)
class KeyMetadata:
    """Describes the difference key as a weights file would describe its network."""

    name: str = "difference key"
    version: str = "1"
    encoder: str = "none"
    mixing: str = "linear"


class KeyCoarse(NamedTuple):
    """The coarse matte of a key that has none: the alpha at a quarter of the size."""

    alpha: np.ndarray
    error: np.ndarray


class KeyMatte(NamedTuple):
    """A matte that is numpy already."""

    alpha: np.ndarray
    foreground: np.ndarray
    coarse: KeyCoarse
    refined: np.ndarray

    def numpy(self) -> "KeyMatte":
        return self


@dataclass
class DifferenceKey:
    """A stand-in for the network: soft where source and plate differ a little, and the colour slightly dimmed.

    ``stop_after`` frames it behaves as if the user had pressed Ctrl-C; ``plates`` keeps what it was shown.
    ``find_people`` is that of a network that takes maps of people; ``people`` keeps those that it was given.
    """

    metadata: KeyMetadata = KeyMetadata()
    device: str = "cpu"
    precision: str = "fp32"
    digests: dict[str, str] = field(default_factory=dict)
    stop_after: int | None = None
    plates: list[np.ndarray] = field(default_factory=list)
    find_people: Callable[[np.ndarray, np.ndarray | None], Any] | None = None
    people: list[Any] = field(default_factory=list)

    def __call__(self, source: np.ndarray, plate: np.ndarray, coverage: np.ndarray, person: Any = None) -> KeyMatte:
        if len(self.plates) == self.stop_after:
            raise KeyboardInterrupt
        self.plates.append(plate)
        self.people.append(person)
        source, plate = to_depth(source, np.float32), to_depth(plate, np.float32)
        difference = 255 * np.abs(source - plate).max(axis=2)
        alpha = np.clip((difference - 10) / 60, 0, 1)
        foreground = np.float32(0.9) * source.clip(0, 1)
        quarter = alpha[None, None, ::4, ::4]
        coarse = KeyCoarse(quarter, quarter * (1 - quarter))
        refined = (coarse.error > 0).astype(np.float32)
        return KeyMatte(alpha[None, None], np.moveaxis(foreground, -1, 0)[None], coarse, refined)
