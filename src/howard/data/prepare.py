"""Prepares plate pairs for training: composites a person into each and aligns the plate with :mod:`howard.align`.

Training then sees real alignment errors, also behind the person. :mod:`howard.data.prepared_pairs` reads the results.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from howard.colour import mix
from howard.data.image_files import read_image
from howard.data.people_collections import PersonClip, find_people
from howard.data.place_collections import Place, list_places
from howard.data.prepared_pairs import ALPHA, ENDINGS, PairImages, PreparedPair
from howard.data.splits import SPLITS, Split
from howard.errors import InputError
from howard.media import Frame, write_atomically
from howard.media.files import make_folder
from howard.synthesis import Person
from howard.synthesis.canvases import crop_person
from howard.synthesis.placement import sample_person_matrix
from howard.synthesis.recipe import PlacementRecipe

# From a person on the far side of the room to one that fills the frame.
_PLACEMENT = PlacementRecipe(
    rotation=4.0,
    shift=0.25,
    shear=2.0,
    scale=(0.6, 1.8),
    perspective=0.02,
    head_visible_probability=0.8,
    colour=(0, 0, 0, 0),
)
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]


class SingleFramePlate:
    """An image as a plate clip of one frame."""

    def __init__(self, image: np.ndarray) -> None:
        self._frame = Frame(image, 0, 1, Fraction(0))

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Frame]:
        yield self._frame

    def __getitem__(self, index: int) -> Frame:
        return [self._frame][index]


class _Task(NamedTuple):
    """A prepared pair to be made: its name, the plate pair it is made from, and its split."""

    name: str
    pair: Place
    split: Split


class PreparationCounts(NamedTuple):
    """Number of pairs that were made, and number of pairs that could not be aligned."""

    made: int
    failed: int


def prepare(
    pairs_folder: Path,
    people_folder: Path,
    output: Path,
    *,
    per_pair: int = 1,
    seed: int = 0,
    quality: str = "standard",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> PreparationCounts:
    """Write a collection of prepared pairs. Results of an interrupted run are kept.

    The split of a prepared pair is that of its room, and its person is from the same split. Pairs that cannot be
    aligned are left out.

    Args:
        pairs_folder: a collection of plate pairs.
        people_folder: a collection of people.
        output: folder of the new collection.
        per_pair: number of prepared pairs made from each plate pair, each with another person.
        seed: of the choice of people and of their placement.
        quality: of the alignment; see :class:`howard.align.PlateAligner`.
        progress: called with the number of pairs done and the number of all.

    Raises:
        InputError: a collection is missing or has no pairs, or an image cannot be read.
        OutputError: the folder cannot be written to.
    """
    tasks = [task for pair, split in _find_plate_pairs(pairs_folder) for task in _tasks(pair, split, per_pair)]
    wanted = {task.split for task in tasks}
    people = {split: find_people(people_folder, split) for split in SPLITS if split in wanted}
    make_folder(output)
    written: dict[Split, list[str]] = {split: [] for split in SPLITS}
    for number, (name, pair, split) in enumerate(tasks):
        rng = np.random.default_rng([seed, number])
        if _prepare_one(PreparedPair(name, output), pair, people[split], rng, quality):
            written[split].append(name)
        progress(number + 1, len(tasks))
    for split, names in written.items():
        if names:
            write_atomically(output / f"{split}.txt", "".join(f"{name}\n" for name in names).encode())
    made = sum(map(len, written.values()))
    return PreparationCounts(made, len(tasks) - made)


def align_pair(source: np.ndarray, plate: np.ndarray, person: Person, quality: str) -> PairImages | None:
    """Composite a person over the source view and align the plate to the result; None if the alignment fails.

    Args:
        source: (H, W, 3) uint8, the empty place.
        plate: (h, w, 3) uint8, the place from another view.
        person: of the same size as the source.
        quality: of the alignment.
    """
    # Imported here because training does not need the aligner.
    from howard.align import PlateAligner

    foreground, background = (each.astype(np.float32) / 255 for each in (person.foreground, source))
    shot = mix(foreground, background, person.alpha[..., None].astype(np.float32) / 255)
    frame = Frame(np.round(255 * shot).astype(np.uint8), 0, 1, Fraction(0))
    # Without learned features, so that the result does not depend on whether they are installed.
    aligned = PlateAligner(SingleFramePlate(plate), quality=quality, xfeat=False).align(frame)
    if not aligned.plate_indices:
        return None
    coverage = np.where(aligned.coverage >= 1, np.uint8(255), np.uint8(0))
    return PairImages(source, aligned.image, coverage, person.foreground, person.alpha)


def place_person(person: Person, size: tuple[int, int], rng: np.random.Generator) -> Person:
    """A person warped to a random place in an image of ``size`` (height, width): (height, width, ...) uint8."""
    matrix = sample_person_matrix(person.alpha, size, _PLACEMENT, rng)
    foreground, alpha = (
        cv2.warpPerspective(cut.image, matrix @ np.linalg.inv(cut.matrix), size[::-1], borderMode=border)
        for image, border in zip(person, (cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT), strict=True)
        for cut in crop_person([image], matrix, size)
    )
    return Person(foreground, alpha)


def _find_plate_pairs(folder: Path) -> list[tuple[Place, Split]]:
    found = [each for each in list_places(folder) if each[0].plate is not None]
    if not found:
        raise InputError(f"{folder} has no plate pairs, NAME_src.jpg next to NAME_plate.jpg")
    return found


def _tasks(pair: Place, split: Split, per_pair: int) -> Iterator[_Task]:
    for number in range(per_pair):
        yield _Task(f"{pair.name.replace('/', '_')}_{number}", pair, split)


def _prepare_one(
    prepared: PreparedPair, pair: Place, people: list[PersonClip], rng: np.random.Generator, quality: str
) -> bool:
    """Write a pair unless it exists; returns False if it cannot be aligned. The alpha file is written last."""
    if prepared.path(ALPHA).exists():
        return True
    assert pair.plate is not None
    source, plate = read_image(pair.path), read_image(pair.plate)
    clip = people[int(rng.integers(len(people)))]
    person = place_person(clip.read(int(rng.integers(clip.frame_count))), source.shape[:2], rng)
    images = align_pair(source, plate, person, quality)
    if images is None:
        return False
    for ending, image in zip(ENDINGS, images, strict=True):
        _write(prepared.path(ending), image)
    return True


def _write(path: Path, image: np.ndarray) -> None:
    channels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(path.suffix, channels, _JPEG if path.suffix == ".jpg" else [])
    write_atomically(path, encoded.tobytes())
