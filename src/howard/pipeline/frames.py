"""Frames on their way through the inference pipeline."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np

from howard.align import AlignedPlate
from howard.media import Frame


class Frames(Protocol):
    """Frames of a clip, or of several in a row: in order, and by index."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Frame]: ...

    def __getitem__(self, index: int, /) -> Frame: ...


class MatteDetail(NamedTuple):
    """What a matte was made from; float32 numpy arrays in [0, 1].

    ``alpha`` and ``error`` (h, w) are the coarse network's, ``error`` its own estimate of how far alpha is off.
    ``refined`` (H / 4, W / 4), rounded up, is 1 where a patch was refined. All three span the picture padded to whole
    patches at its right and lower edges.
    """

    alpha: np.ndarray
    error: np.ndarray
    refined: np.ndarray


class AlignedFrame(NamedTuple):
    """A source frame and the plate brought to its view, with a picture that explains how, if that was asked for.

    ``plate_damaged`` are the indices of plate frames that were left out because they are damaged.
    """

    source: Frame
    plate: AlignedPlate
    explanation: np.ndarray | None = None
    plate_damaged: tuple[int, ...] = ()


class MattedFrame(NamedTuple):
    """An aligned frame with its matte: ``alpha`` (H, W) and ``foreground`` (H, W, 3) straight sRGB, float32, [0, 1].

    Frames that are explained say what their matte was made from, too.
    """

    source: Frame
    plate: AlignedPlate
    alpha: np.ndarray
    foreground: np.ndarray
    explanation: np.ndarray | None = None
    detail: MatteDetail | None = None
    plate_damaged: tuple[int, ...] = ()
