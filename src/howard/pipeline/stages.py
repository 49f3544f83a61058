"""The two halves of the film road as streams: frames with their plates, and frames with their mattes."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from howard.align import AlignedPlate, PlateAligner
from howard.media import Frame, Reader
from howard.pipeline.predictor import Predictor


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
    source: Reader, plate: Reader, indices: Iterable[int], *, candidates: int = 4
) -> Iterator[AlignedFrame]:
    """Align the plate to source frames, by zero-based index; one frame is in memory at a time.

    The plate is read through once before the first frame. ``candidates`` plate frames are tried on each source frame.
    """
    aligner = None
    for index in indices:
        # Reading the plate through is not worth it when there is nothing to align.
        aligner = aligner or PlateAligner(plate, candidates=candidates)
        frame = source[index]
        yield AlignedFrame(frame, aligner.align(frame))


def matte_frames(aligned: Iterable[AlignedFrame], predictor: Predictor) -> Iterator[MattedFrame]:
    """Matte aligned frames one by one. Where the plate saw nothing it stays 0 and the coverage says so."""
    for source, plate in aligned:
        matte = predictor(source.image, plate.image, plate.coverage).numpy()
        yield MattedFrame(source, plate, matte.alpha[0, 0], np.moveaxis(matte.foreground[0], 0, -1))
