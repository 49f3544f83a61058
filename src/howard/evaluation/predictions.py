"""Scores finished mattes, files of any origin, against true ones."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from howard.errors import InputError
from howard.evaluation.key import difference_key
from howard.evaluation.metrics import as_batch
from howard.evaluation.scores import CLIP_SCORES, FRAME_SCORES, MatteScores
from howard.measures import holes, islands, plate_residual, recomposition_error
from howard.media import open_reader

_SCORES = tuple(dict.fromkeys((*FRAME_SCORES, *CLIP_SCORES)))


class Cutout(NamedTuple):
    """One frame's matte: ``alpha`` HxW, ``foreground`` HxWx3 straight sRGB where the file has it, both in [0, 1]."""

    alpha: NDArray[np.float32]
    foreground: NDArray[np.float32] | None


@dataclass(frozen=True)
class PredictionReport:
    """Mean scores of the predictions, and of the difference key where source and plate were given.

    ``measures`` need no truth: ``holes`` and ``islands``, and with a plate ``recomposition`` (8-bit levels), and over
    the true background ``plate_residual`` (8-bit levels) and ``plate_wrong`` (share more than 10 levels off).
    """

    frames: int
    roads: dict[str, dict[str, float]]
    measures: dict[str, float] = field(default_factory=dict)


def score_predictions(
    predictions: Path, truth: Path, source: Path | None = None, plate: Path | None = None, linear_light: bool = True
) -> PredictionReport:
    """Score a folder of mattes, frame by frame in the order of their names.

    Args:
        predictions: PNG files of 8 or 16 bits, grey (alpha) or RGBA (straight, as Howard renders them).
        truth: the same, or a folder laid out like ``data/sample`` with ``alpha/`` and perhaps ``fgr/``. Frames go
            together by name where all names are alike, else in their order, and then there must be as many.
        source: the shot, video or sequence; with a plate only.
        plate: video or sequence aligned to the source, frame by frame; uncovered pixels are not known of.
        linear_light: whether mattes mix in linear light.

    Raises:
        InputError: a folder holds no mattes, frames do not go together, or a file cannot be read.
    """
    files, true_files = matte_files(predictions), matte_files(_alpha_folder(truth))
    indices = _partners(files, true_files, predictions, truth)
    colours = sorted((truth / "fgr").glob("*.*")) if (truth / "fgr").is_dir() else []
    scores, key = MatteScores(_SCORES), MatteScores(CLIP_SCORES)
    measured: list[dict[str, float]] = []
    sources = open_reader(source) if source and plate else None
    plates = open_reader(plate) if sources and plate else None
    for file, index in zip(files, indices, strict=True):
        cutout, true = read_cutout(file), read_cutout(true_files[index])
        true_colour = read_colour(colours[index]) if index < len(colours) else true.foreground
        _check_size(file, cutout.alpha, true.alpha)
        pictures = [cutout.alpha, true.alpha]
        if cutout.foreground is not None and true_colour is not None:
            pictures += [cutout.foreground, true_colour]
        scores.update(*(as_batch(picture) for picture in pictures))
        measured.append({"holes": holes(cutout.alpha), "islands": islands(cutout.alpha)})
        if sources is not None and plates is not None:
            shot, empty = sources[index].image, plates[index].image
            _check_size(file, cutout.alpha, empty[..., 0])
            key.update(as_batch(difference_key(shot, empty)), as_batch(true.alpha))
            measured[-1] |= _plate_measures(shot, empty, cutout, true.alpha, linear_light)
    roads = {"predictions": scores} | ({"key": key} if sources is not None else {})
    return PredictionReport(
        frames=len(files),
        roads={road: {name: value.item() for name, value in each.compute().items()} for road, each in roads.items()},
        measures={name: float(np.nanmean([frame[name] for frame in measured])) for name in measured[0]},
    )


def matte_files(folder: Path) -> list[Path]:
    """PNG files of a folder by name, without composites; raises InputError where there is none."""
    files = sorted(path for path in folder.glob("*.png") if "_comp." not in path.name)
    if not files:
        raise InputError(f"{folder} holds no mattes; give a folder of PNG files, grey or with alpha")
    return files


def read_cutout(path: Path) -> Cutout:
    """Read a matte; raises InputError where it is no PNG that is grey or has alpha."""
    image = _read(path)
    if image.ndim == 2:
        return Cutout(image, None)
    if image.shape[2] != 4:
        raise InputError(f"{path} has no alpha; mattes are grey or RGBA")
    return Cutout(np.ascontiguousarray(image[..., 3]), image[..., 2::-1])


def read_colour(path: Path) -> NDArray[np.float32]:
    """Read HxWx3 RGB in [0, 1]; raises InputError where that cannot be."""
    image = _read(path)
    if image.ndim != 3:
        raise InputError(f"{path} is grey; a true foreground has colour")
    return image[..., 2::-1]


def _read(path: Path) -> NDArray[np.float32]:
    encoded = np.fromfile(path, np.uint8)
    image = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if encoded.size else None
    if image is None or image.dtype not in (np.uint8, np.uint16):
        raise InputError(f"{path} cannot be read as a picture of 8 or 16 bits")
    return image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)


def _alpha_folder(truth: Path) -> Path:
    return truth / "alpha" if (truth / "alpha").is_dir() else truth


def _partners(files: list[Path], true_files: list[Path], predictions: Path, truth: Path) -> list[int]:
    places = {path.name: index for index, path in enumerate(true_files)}
    if all(path.name in places for path in files):
        return [places[path.name] for path in files]
    if len(files) != len(true_files):
        raise InputError(
            f"{len(files)} mattes in {predictions}, {len(true_files)} in {truth}, under other names: "
            "give as many of both, or the same names"
        )
    return list(range(len(files)))


def _check_size(path: Path, alpha: NDArray, other: NDArray) -> None:
    if alpha.shape != other.shape:
        sizes = " and ".join(f"{each.shape[1]}x{each.shape[0]}" for each in (alpha, other))
        raise InputError(f"{path} and what it is compared with differ in size: {sizes}")


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
