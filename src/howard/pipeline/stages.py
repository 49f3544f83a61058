"""The two halves of the film road as streams: frames with their plates, and frames with their mattes."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from howard.align import AlignedPlate, PersonFinder, PlateAligner
from howard.media import Frame, Reader
from howard.pipeline.predictor import Predictor

# Frames on either side that may help one that matches nothing.
_REACH = 3


class AlignedFrame(NamedTuple):
    """A source frame and the plate brought to its view."""

    source: Frame
    plate: AlignedPlate


class MattedFrame(NamedTuple):
    """An aligned frame with its matte: ``alpha`` (H, W) and ``foreground`` (H, W, 3) straight sRGB, float32, [0, 1]."""

    source: Frame
    plate: AlignedPlate
    alpha: np.ndarray
    foreground: np.ndarray


def align_frames(
    source: Reader,
    plate: Reader,
    indices: Iterable[int],
    *,
    quality: str = "standard",
    find_person: PersonFinder | None = None,
    cache: Path | None = None,
) -> Iterator[AlignedFrame]:
    """Align the plate to source frames, by zero-based index; one frame is in memory at a time.

    The plate is read through once before the first frame. ``quality``, ``find_person`` and ``cache`` are as in
    :class:`howard.align.PlateAligner`. Where a frame matches nothing, up to three on either side are read as well.
    """
    aligner = None
    for index in indices:
        # Reading the plate through is not worth it when there is nothing to align.
        aligner = aligner or PlateAligner(plate, quality=quality, find_person=find_person, cache=cache)
        frame = source[index]
        yield AlignedFrame(frame, aligner.align(frame, _neighbours(source, index)))


def _neighbours(source: Reader, index: int) -> Iterator[Frame]:
    """Frames before and after, the nearest first; each is read when it is asked for."""
    for distance in range(1, _REACH + 1):
        for neighbour in (index - distance, index + distance):
            if 0 <= neighbour < len(source):
                yield source[neighbour]


def matte_frames(aligned: Iterable[AlignedFrame], predictor: Predictor) -> Iterator[MattedFrame]:
    """Matte aligned frames one by one. Where the plate saw nothing it stays 0 and the coverage says so."""
    for source, plate in aligned:
        matte = predictor(source.image, plate.image, plate.coverage).numpy()
        yield MattedFrame(source, plate, matte.alpha[0, 0], np.moveaxis(matte.foreground[0], 0, -1))
