"""Where soft pixels should have alpha and colours from: ``python benchmarks/foreground.py --data ../shared/data``.

Rendered people of the validation split are laid, in linear light, over the source views of validation plate pairs; the
other view is aligned and the network mattes. Printed are, for the network's alpha, for the unmixed one, and for that of
``quality=best``, which is the mean of three, medians of the mattes' scores, and, by where colours come from, the mean
error of the foreground (x 1e3), weighted by true alpha, over all pixels that the matte calls soft, and over those that
truly are.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from howard.align import PlateAligner
from howard.colour import linear_to_srgb, mix, srgb_to_linear
from howard.errors import InputError
from howard.evaluation.metrics import band_mad, gradient_error, mad
from howard.matting import MattingPredictor, load_matting
from howard.media import Frame, open_reader, read_still, to_depth
from howard.pipeline import AlignedFrame, MattedFrame, matte_frames
from howard.pipeline.cutout import Pixels, find_soft, round_alpha
from howard.pipeline.foreground import choose_colours

WRONG_MATTE = 0.02


class Case(NamedTuple):
    """A matted frame, what several predictors say of its alpha, and the truth."""

    frame: MattedFrame
    found: dict[str, np.ndarray]  # (H, W) in [0, 1] each
    alpha: np.ndarray  # (H, W) in [0, 1]
    foreground: np.ndarray  # (H, W, 3) in [0, 1]


def unmixed(frame: MattedFrame) -> Callable[[Pixels], np.ndarray]:
    """What is left of the source when the plate is taken out of it, and nothing else asked."""

    def colours(soft: Pixels) -> np.ndarray:
        weight = frame.alpha[soft][:, None]
        pictures = frame.source.image, frame.plate.image
        seen, behind = (srgb_to_linear(to_depth(picture[soft], np.float32)) for picture in pictures)
        return linear_to_srgb(((seen - (1 - weight) * behind) / weight).clip(0, 1))

    return colours


WAYS: dict[str, Callable[[MattedFrame], Callable[[Pixels], np.ndarray]]] = {
    "the network's": lambda frame: choose_colours(frame, "network", linear_light=True),
    "the source's": lambda frame: lambda soft: to_depth(frame.source.image[soft], np.float32),
    "unmixed from the plate": unmixed,
    "estimated": lambda frame: choose_colours(frame, "estimated", linear_light=True),
}


def person_over(place: np.ndarray, person: str, people: Path, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """A person standing somewhere in a place (H, W, 3) uint8: source uint8, true alpha and foreground in [0, 1]."""
    colour, cover = read_still(people / f"{person}_fgr.jpg"), read_still(people / f"{person}_pha.png")[..., 0]
    height, width = place.shape[:2]
    scale = 0.9 * height / len(colour)
    shift = rng.uniform(0, max(1.0, width - scale * colour.shape[1]))
    matrix = np.array([[scale, 0, shift], [0, scale, height - scale * len(colour)]])
    foreground = cv2.warpAffine(colour, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    alpha = to_depth(cv2.warpAffine(cover, matrix, (width, height)), np.float32)
    mixed = mix(to_depth(foreground, np.float32), to_depth(place, np.float32), alpha[..., None])
    noisy = mixed + rng.normal(0, 0.008, mixed.shape)
    return to_depth(noisy.astype(np.float32), np.uint8), alpha, to_depth(foreground, np.float32)


def cases(data: Path, count: int, predictors: dict[str, MattingPredictor]) -> Iterator[Case]:
    """Frames matted by the first of the predictors, with their truth; those whose matte is wrong altogether say nothing
    of edges and are left out."""
    pairs, people = data / "plate_pairs", data / "people_rendered"
    if not (pairs / "val.txt").is_file() or not (people / "val.txt").is_file():
        raise InputError(f"{data} has no plate_pairs and people_rendered; give their folder with --data")
    names, persons = ((folder / "val.txt").read_text().split() for folder in (pairs, people))
    rng = np.random.default_rng(3)
    for index, name in enumerate(names[:count]):
        place = read_still(pairs / f"{name}_src.jpg")
        source, alpha, foreground = person_over(place, persons[index % len(persons)], people, rng)
        frame = Frame(source, 0, 1, Fraction(0))
        with open_reader(pairs / f"{name}_plate.jpg") as plate:
            aligned = PlateAligner(plate).align(frame)
        mattes = [next(matte_frames([AlignedFrame(frame, aligned)], each)) for each in predictors.values()]
        found = {name: matte.alpha for name, matte in zip(predictors, mattes, strict=True)}
        if np.abs(mattes[0].alpha - alpha).mean() < WRONG_MATTE:
            yield Case(mattes[0], found, alpha, foreground)


def errors(case: Case, way: Callable[[MattedFrame], Callable[[Pixels], np.ndarray]]) -> tuple[float, float]:
    """Over pixels the matte calls soft, and over those of them that are."""
    soft = find_soft(round_alpha(case.frame.alpha, np.uint8))
    weight = case.alpha[soft]
    difference = np.abs(way(case.frame)(soft).clip(0, 1) - case.foreground[soft]).mean(axis=1)
    truly = (weight > 0.02) & (weight < 0.98)
    return tuple(1e3 * np.average(difference[some], weights=weight[some]) for some in (weight > 0, truly))  # type: ignore[return-value]


def main() -> None:
    """Print a line a way."""
    parser = argparse.ArgumentParser(description="Where soft pixels should have alpha and colours from.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--pairs", type=int, default=20)
    options = parser.parse_args()
    try:
        predictors = {
            "unmixed": load_matting("default"),
            "the network's": load_matting("default", alpha="network"),
            "unmixed, the mean of three": load_matting("default", augmented=True),
        }
        everything = list(cases(options.data, options.pairs, predictors))
    except InputError as error:
        sys.exit(f"error: {error}")
    print(f"{len(everything)} frames; median of                       MAD      Grad  Band MAD")
    for name in predictors:
        scores = [
            [score(case.found[name], case.alpha) for score in (mad, gradient_error, band_mad)] for case in everything
        ]
        print(f"  alpha: {name:<26} " + " ".join(f"{value:9.2f}" for value in np.median(scores, axis=0)))
    print("error of colour x 1e3                  called soft  truly soft")
    for name, way in WAYS.items():
        called, truly = np.mean([errors(case, way) for case in everything], axis=0)
        print(f"  {name:<34} {called:10.1f} {truly:11.1f}")


if __name__ == "__main__":
    main()
