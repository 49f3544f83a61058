"""Scores a folder of mattes, made by any program, against the true ones."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from howard.errors import InputError
from howard.evaluation.difference_key import difference_key
from howard.evaluation.metrics import as_batch
from howard.evaluation.scores import CLIP_SCORES, FRAME_SCORES, MatteScores
from howard.evaluation.tables import format_number, markdown_table
from howard.evaluation.true_clip import read_normalised
from howard.measures import holes, islands, plate_residual, recomposition_error
from howard.media import open_reader

_SCORES = tuple(dict.fromkeys((*FRAME_SCORES, *CLIP_SCORES)))


class Cutout(NamedTuple):
    """One frame's matte: ``alpha`` HxW, ``foreground`` HxWx3 straight sRGB where the file has it, both in [0, 1]."""

    alpha: NDArray[np.float32]
    foreground: NDArray[np.float32] | None


@dataclass(frozen=True)
class PredictionReport:
    """Mean scores over the frames.

    Attributes:
        frames: number of frames.
        scores: of the ``predictions``, and of the difference ``key`` if source and plate were given.
        measures: ``holes`` and ``islands`` of the predictions; with a plate also their ``recomposition`` error (8-bit
            levels), and over the true background ``plate_residual`` (8-bit levels) and ``plate_wrong`` (fraction with a
            difference of more than 10 levels).
    """

    frames: int
    scores: dict[str, dict[str, float]]
    measures: dict[str, float] = field(default_factory=dict)

    def to_stored(self) -> dict[str, Any]:
        """The report under the names in JSON files, which call predictions and key roads."""
        return {"frames": self.frames, "roads": self.scores, "measures": self.measures}


def score_predictions(
    predictions: Path, truth: Path, source: Path | None = None, plate: Path | None = None, linear_light: bool = True
) -> PredictionReport:
    """Score a folder of mattes, in the order of their names.

    Args:
        predictions: PNG files of 8 or 16 bits, grey (alpha) or RGBA (straight, as Howard renders them).
        truth: the same, or a folder laid out like ``data/sample`` with ``alpha/`` and possibly ``fgr/``. Frames are
            matched by name if every prediction has a true matte of its name, else by order if there are equally many.
        source: the shot, video or sequence; used with a plate only.
        plate: video or sequence aligned to the source frame by frame; all pixels count as covered.
        linear_light: whether mattes are composited in linear light.

    Raises:
        InputError: a folder has no mattes, frames cannot be matched, or a file cannot be read.
    """
    files, true_files = matte_files(predictions), matte_files(_alpha_folder(truth))
    indices = _match_frames(files, true_files, predictions, truth)
    colours = sorted((truth / "fgr").glob("*.*")) if (truth / "fgr").is_dir() else []
    scores, key = MatteScores(_SCORES), MatteScores(CLIP_SCORES)
    measured: list[dict[str, float]] = []
    sources = open_reader(source) if source and plate else None
    plates = open_reader(plate) if sources and plate else None
    for file, index in zip(files, indices, strict=True):
        cutout, true = read_cutout(file), read_cutout(true_files[index])
        true_colour = read_colour(colours[index]) if index < len(colours) else true.foreground
        _check_same_size(file, cutout.alpha, true.alpha)
        images = [cutout.alpha, true.alpha]
        if cutout.foreground is not None and true_colour is not None:
            images += [cutout.foreground, true_colour]
        scores.update(*(as_batch(image) for image in images))
        measured.append({"holes": holes(cutout.alpha), "islands": islands(cutout.alpha)})
        if sources is not None and plates is not None:
            shot_image, plate_image = sources[index].image, plates[index].image
            _check_same_size(file, cutout.alpha, plate_image[..., 0])
            key.update(as_batch(difference_key(shot_image, plate_image)), as_batch(true.alpha))
            measured[-1] |= _plate_measures(shot_image, plate_image, cutout, true.alpha, linear_light)
    methods = {"predictions": scores} | ({"key": key} if sources is not None else {})
    return PredictionReport(
        frames=len(files),
        scores={
            method: {name: value.item() for name, value in each.compute().items()} for method, each in methods.items()
        },
        measures={name: float(np.nanmean([frame[name] for frame in measured])) for name in measured[0]},
    )


def matte_files(folder: Path) -> list[Path]:
    """The PNG files of a folder except composites, sorted; raises InputError if there are none."""
    files = sorted(path for path in folder.glob("*.png") if "_comp." not in path.name)
    if not files:
        raise InputError(f"{folder} has no mattes; give a folder of PNG files, grey or with alpha")
    return files


def score_table(report: PredictionReport) -> str:
    """A Markdown table with a row for each score and measure, and a column for each matte that was scored."""
    rows = [
        [name, *(format_number(scores.get(name, math.nan)) for scores in report.scores.values())]
        for name in report.scores["predictions"]
    ]
    others = len(report.scores) - 1
    rows += [[name, format_number(value), *["-"] * others] for name, value in report.measures.items()]
    return markdown_table([f"{report.frames} frames", *report.scores], rows)


def read_cutout(path: Path) -> Cutout:
    """Read a matte; raises InputError if it is not a grey or RGBA PNG file."""
    image = read_normalised(path)
    if image.ndim == 2:
        return Cutout(image, None)
    if image.shape[2] != 4:
        raise InputError(f"{path} has no alpha; mattes must be grey or RGBA")
    return Cutout(np.ascontiguousarray(image[..., 3]), image[..., 2::-1])


def read_colour(path: Path) -> NDArray[np.float32]:
    """Read HxWx3 RGB in [0, 1]; raises InputError if the file is grey or cannot be read."""
    image = read_normalised(path)
    if image.ndim != 3:
        raise InputError(f"{path} is grey; a true foreground has colour")
    return image[..., 2::-1]


def _alpha_folder(truth: Path) -> Path:
    return truth / "alpha" if (truth / "alpha").is_dir() else truth


def _match_frames(files: list[Path], true_files: list[Path], predictions: Path, truth: Path) -> list[int]:
    """For each matte, the index of its true matte."""
    index_of = {path.name: index for index, path in enumerate(true_files)}
    if all(path.name in index_of for path in files):
        return [index_of[path.name] for path in files]
    if len(files) != len(true_files):
        raise InputError(
            f"{len(files)} mattes in {predictions}, {len(true_files)} in {truth}, with different names: "
            "give equally many, or use the same names"
        )
    return list(range(len(files)))


def _check_same_size(path: Path, alpha: NDArray, other: NDArray) -> None:
    if alpha.shape != other.shape:
        sizes = " and ".join(f"{each.shape[1]}x{each.shape[0]}" for each in (alpha, other))
        raise InputError(f"{path} differs in size from the image it is compared with: {sizes}")


def _plate_measures(
    source: NDArray, plate: NDArray, cutout: Cutout, true: NDArray, linear_light: bool
) -> dict[str, float]:
    residual = plate_residual(source, plate, true == 0)
    found = {"plate_residual": residual.mean, "plate_wrong": residual.wrong}
    if cutout.foreground is not None:
        everywhere = np.ones_like(cutout.alpha)
        colours = (cutout.foreground, plate, everywhere)
        found["recomposition"] = recomposition_error(source, cutout.alpha, *colours, linear_light)
    return found
