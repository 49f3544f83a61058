"""True plate pairs made ready for training: persons pasted in, and the plate brought over by our own aligner.

What the aligner leaves wrong then is real, its mistakes behind the person included; see :mod:`howard.data.pairs`.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from howard.colour import mix
from howard.data.pairs import ALPHA, ENDINGS, PairPictures, PreparedPair
from howard.data.people import PersonClip, find_people
from howard.data.pictures import read_picture
from howard.data.places import Place, scan_places
from howard.data.splits import SPLITS, Split
from howard.errors import InputError
from howard.media import Frame, write_whole
from howard.media.files import make_folder
from howard.synthesis import Person
from howard.synthesis.canvases import crop_person
from howard.synthesis.placement import sample_person_matrix
from howard.synthesis.recipe import PlacementRecipe

# From a figure across the room to one that fills the frame.
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


class StillPlate:
    """One picture as a plate clip of one frame."""

    def __init__(self, image: np.ndarray) -> None:
        self._frame = Frame(image, 0, 1, Fraction(0))

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Frame]:
        yield self._frame

    def __getitem__(self, index: int) -> Frame:
        return [self._frame][index]


class _Job(NamedTuple):
    """``name`` of what is to be made of a pair, and the side it will be on."""

    name: str
    pair: Place
    split: Split


class Counts(NamedTuple):
    """How many pairs were ``made`` by now, and how many the aligner ``failed`` on."""

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
) -> Counts:
    """Write a collection of prepared pairs; what an interrupted run has written is kept.

    A pair is on the side of its room, and so is its person. Pairs that cannot be aligned are left out.

    Args:
        pairs_folder: a collection of true plate pairs.
        people_folder: a collection of people.
        output: where to write.
        per_pair: how many persons each pair is used with, one after the other.
        seed: of the choice of persons and of where they are.
        quality: of the alignment; see :class:`howard.align.PlateAligner`.
        progress: told how many pictures of how many are done.

    Raises:
        InputError: a collection is missing, has no pairs, or a picture cannot be read.
        OutputError: the folder cannot be written to.
    """
    jobs = [job for pair, split in _find_pairs(pairs_folder) for job in _jobs(pair, split, per_pair)]
    wanted = {job.split for job in jobs}
    people = {split: find_people(people_folder, split) for split in SPLITS if split in wanted}
    make_folder(output)
    written: dict[Split, list[str]] = {split: [] for split in SPLITS}
    for number, (name, pair, split) in enumerate(jobs):
        rng = np.random.default_rng([seed, number])
        if _prepare_one(PreparedPair(name, output), pair, people[split], rng, quality):
            written[split].append(name)
        progress(number + 1, len(jobs))
    for split, names in written.items():
        if names:
            write_whole(output / f"{split}.txt", "".join(f"{name}\n" for name in names).encode())
    made = sum(map(len, written.values()))
    return Counts(made, len(jobs) - made)


def align_pair(source: np.ndarray, plate: np.ndarray, person: Person, quality: str) -> PairPictures | None:
    """Paste a placed person into the source view and bring the plate over; None where that fails.

    Args:
        source: (H, W, 3) uint8, the empty place.
        plate: (h, w, 3) uint8, the place from another camera.
        person: of the source's size.
        quality: of the alignment.
    """
    # Only who prepares pairs needs an aligner.
    from howard.align import PlateAligner

    foreground, background = (each.astype(np.float32) / 255 for each in (person.foreground, source))
    shot = mix(foreground, background, person.alpha[..., None].astype(np.float32) / 255)
    frame = Frame(np.round(255 * shot).astype(np.uint8), 0, 1, Fraction(0))
    # Without learned features, so that the same files come out wherever these are not installed.
    aligned = PlateAligner(StillPlate(plate), quality=quality, xfeat=False).align(frame)
    if not aligned.plate_indices:
        return None
    coverage = np.where(aligned.coverage >= 1, np.uint8(255), np.uint8(0))
    return PairPictures(source, aligned.image, coverage, person.foreground, person.alpha)


def place_person(person: Person, size: tuple[int, int], rng: np.random.Generator) -> Person:
    """Put a person somewhere into a picture of ``size`` (height, width); (height, width, ...) uint8."""
    matrix = sample_person_matrix(person.alpha, size, _PLACEMENT, rng)
    foreground, alpha = (
        cv2.warpPerspective(cut.image, matrix @ np.linalg.inv(cut.matrix), size[::-1], borderMode=border)
        for picture, border in zip(person, (cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT), strict=True)
        for cut in crop_person([picture], matrix, size)
    )
    return Person(foreground, alpha)


def _find_pairs(folder: Path) -> list[tuple[Place, Split]]:
    found = [each for each in scan_places(folder) if each[0].plate is not None]
    if not found:
        raise InputError(f"{folder} has no plate pairs, NAME_src.jpg beside NAME_plate.jpg")
    return found


def _jobs(pair: Place, split: Split, per_pair: int) -> Iterator[_Job]:
    for number in range(per_pair):
        yield _Job(f"{pair.name.replace('/', '_')}_{number}", pair, split)


def _prepare_one(
    prepared: PreparedPair, pair: Place, people: list[PersonClip], rng: np.random.Generator, quality: str
) -> bool:
    """Whether the pair is there afterwards; its last file says that all are."""
    if prepared.path(ALPHA).exists():
        return True
    assert pair.plate is not None
    source, plate = read_picture(pair.path), read_picture(pair.plate)
    clip = people[int(rng.integers(len(people)))]
    person = place_person(clip.read(int(rng.integers(clip.frame_count))), source.shape[:2], rng)
    pictures = align_pair(source, plate, person, quality)
    if pictures is None:
        return False
    for ending, picture in zip(ENDINGS, pictures, strict=True):
        _write(prepared.path(ending), picture)
    return True


def _write(path: Path, picture: np.ndarray) -> None:
    image = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(path.suffix, image, _JPEG if path.suffix == ".jpg" else [])
    write_whole(path, encoded.tobytes())
