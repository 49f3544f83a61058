"""Collections of people: cut-out stills and clips, in the layouts that public data sets unpack to.

* ``NAME_fgr.jpg`` beside ``NAME_pha.png``: stills, as in this project's own collections.
* ``fgr/`` beside ``pha/``, with files of the same names: a folder in them is a clip of frames, a video is a clip, a
  picture is a still. VideoMatte240K and keyed green screen look like this.
* a folder of masks beside one of whole photos, as P3M-10k and AIM-500 have: a third, ``foreground/``, must be made
  from them first; see :mod:`howard.data.foreground`.
* PNG files of straight colour and alpha, as PhotoMatte85 has them: stills.

Names of folders count in capitals or not: Distinctions-646 has ``Train/FG`` and ``Train/GT``.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from howard.data.pictures import (
    PICTURES,
    VIDEOS,
    is_cut_out,
    open_video,
    pictures_below,
    read_cut_out,
    read_picture,
    read_video_frame,
)
from howard.data.splits import Split, read_split_lists, split_by_folder, split_without_lists
from howard.errors import InputError
from howard.synthesis import Person

ALPHA_FOLDERS = ("pha", "mask", "masks", "alpha", "gt")
PUBLISHED_FOREGROUND_FOLDERS = ("fgr", "fg")
MADE_FOREGROUND_FOLDER = "foreground"
_STILL_ENDINGS = ("_pha", "_fgr")
PHOTO_FOLDERS = ("original", "original_image", "blurred_image", "image", "images")


class PersonSource(Protocol):
    """A person as samples read one: from files of a collection, or from a pack."""

    @property
    def name(self) -> str:
        """The same for everything that is read from it."""
        ...

    @property
    def frame_count(self) -> int:
        """How many frames; 1 of a still."""
        ...

    def read(self, index: int) -> Person:
        """Decode a frame; what it returns is not written to."""
        ...


class PersonClip(NamedTuple):
    """One person in one take: files of colour and of alpha, frame by frame; a video is a single file of each.

    A picture with alpha is its own file of both.
    """

    name: str
    foreground: tuple[Path, ...]
    alpha: tuple[Path, ...]

    @property
    def frame_count(self) -> int:
        """How many frames; of a video it is read from the file."""
        return len(open_video(self.alpha[0])) if self.is_video else len(self.alpha)

    @property
    def is_video(self) -> bool:
        """Whether the frames are in one video of colour and one of alpha."""
        return self.alpha[0].suffix.lower() in VIDEOS

    def read(self, index: int) -> Person:
        """Decode a frame: foreground HxWx3 uint8 RGB, alpha HxW uint8.

        Raises:
            InputError: a file is missing or unreadable, or the sizes differ.
        """
        if self.is_video:
            foreground = read_video_frame(self.foreground[0], index)
            alpha = read_video_frame(self.alpha[0], index)[..., 1]
            files = self.foreground[0], self.alpha[0]
        elif self.foreground[index] == self.alpha[index]:
            cut_out = read_cut_out(self.alpha[index])
            return Person(np.ascontiguousarray(cut_out[..., :3]), np.ascontiguousarray(cut_out[..., 3]))
        else:
            files = self.foreground[index], self.alpha[index]
            foreground, alpha = read_picture(files[0]), read_picture(files[1], grey=True)
        if foreground.shape[:2] != alpha.shape:
            sizes = ["x".join(map(str, image.shape[1::-1])) for image in (foreground, alpha)]
            raise InputError(f"{files[0]} is {sizes[0]} but {files[1]} is {sizes[1]}; they must be of one size")
        return Person(foreground, alpha)


def find_people(folder: Path, split: Split) -> list[PersonClip]:
    """People of one side of a collection.

    The side is that of the lists ``train.txt``, ``val.txt`` and ``test.txt`` where the folder has any; else that of a
    folder called train, val(idation) or test on the way; else it follows from the name. See
    :func:`howard.data.splits.split_without_lists`.

    Raises:
        InputError: the folder is missing or holds no people of that side, a listed one is not there, a person is listed
            twice, a colour or alpha file lacks its other half, or a folder of them is empty.
    """
    found = [clip for clip, side in scan_people(folder) if side == split]
    if not found:
        raise InputError(
            f"{folder} has no people for {split}: name some in {split}.txt, or see data/README.md for how a collection "
            "is laid out"
        )
    return found


def scan_people(folder: Path) -> list[tuple[PersonClip, Split]]:
    """Every person of a collection with the side of the split, by name; raises as :func:`find_people`."""
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; give one that holds people")
    clips = sorted([*_stills(folder), *_cut_outs(folder), *_folders(folder)], key=lambda clip: clip.name)
    sides = read_split_lists(folder)
    if sides is None:
        paths = [clip.alpha[0].relative_to(folder) for clip in clips]
        return list(zip(clips, split_without_lists([clip.name for clip in clips], paths), strict=True))
    by_name = {clip.name: clip for clip in clips}
    absent = sorted(sides.keys() - by_name.keys())
    if absent:
        raise InputError(f"{folder}: {absent[0]} is listed in {sides[absent[0]]}.txt but its pictures are not there")
    # What is on no list is left out: whoever made the lists may have had a reason.
    return [(by_name[name], side) for name, side in sides.items()]


class Photo(NamedTuple):
    """A photo of somebody, its mask, and where the foreground colours made of the two belong."""

    photo: Path
    alpha: Path
    foreground: Path


def photos_without_foreground(folder: Path) -> list[Photo]:
    """Every still of a collection that lacks its foreground colours.

    Raises:
        InputError: there is no such folder, no photos are beside masks in it, or one lacks its other half.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; give one that holds photos and masks")
    missing, found = [], False
    for alpha_folder in _alpha_folders(folder):
        photo_folder = _sibling(alpha_folder, PHOTO_FOLDERS)
        if photo_folder is None or _sibling(alpha_folder, PUBLISHED_FOREGROUND_FOLDERS) is not None:
            continue
        found = True
        for alpha, photo in _pairs(alpha_folder, photo_folder):
            made = alpha_folder.parent / MADE_FOREGROUND_FOLDER / alpha.relative_to(alpha_folder).with_suffix(".png")
            if not made.exists():
                missing.append(Photo(photo, alpha, made))
    if not found:
        raise InputError(f"{folder} has no photos beside masks, as original/ beside mask/; see data/README.md")
    return missing


def _stills(folder: Path) -> Iterator[PersonClip]:
    pictures = {path.stem: path for path in folder.iterdir() if path.suffix.lower() in PICTURES}
    for stem, path in pictures.items():
        name, _, ending = stem.rpartition("_")
        if ending in ("pha", "fgr"):
            other = f"{name}_{'fgr' if ending == 'pha' else 'pha'}"
            if other not in pictures:
                raise InputError(f"{path} has no {other} beside it")
            if ending == "pha":
                yield PersonClip(name, (pictures[other],), (path,))


def _cut_outs(folder: Path) -> Iterator[PersonClip]:
    """Pictures with alpha in the folder itself, or in those of a side of the split."""
    sides = [each for each in folder.iterdir() if each.is_dir() and split_by_folder(Path(each.name))]
    for path in sorted(path for each in (folder, *sides) for path in each.iterdir()):
        if not path.name.startswith(".") and not path.stem.endswith(_STILL_ENDINGS) and is_cut_out(path):
            yield PersonClip(path.relative_to(folder).with_suffix("").as_posix(), (path,), (path,))


def _folders(folder: Path) -> Iterator[PersonClip]:
    for alpha_folder in _alpha_folders(folder):
        foreground_folder = _sibling(alpha_folder, (*PUBLISHED_FOREGROUND_FOLDERS, MADE_FOREGROUND_FOLDER))
        if foreground_folder is None:
            raise InputError(
                f"{alpha_folder} has no foreground colours beside it; make them with "
                f"python -m howard.data foreground={folder}"
            )
        takes: dict[Path, list[tuple[Path, Path]]] = {}
        for alpha, foreground in _pairs(alpha_folder, foreground_folder):
            single = alpha.suffix.lower() in VIDEOS or alpha.parent == alpha_folder
            takes.setdefault(alpha.with_suffix("") if single else alpha.parent, []).append((alpha, foreground))
        # The folders above tell apart takes of one name, such as 0000 of train and 0000 of test.
        above = alpha_folder.parent.relative_to(folder)
        for take, frames in takes.items():
            name = (above / take.relative_to(alpha_folder)).as_posix()
            yield PersonClip(name, tuple(foreground for _, foreground in frames), tuple(alpha for alpha, _ in frames))


def _alpha_folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.name.lower() in ALPHA_FOLDERS and path.is_dir())


def _sibling(folder: Path, names: tuple[str, ...]) -> Path | None:
    """The folder beside one that is called by the first of these names that there is, in capitals or not."""
    beside = {path.name.lower(): path for path in sorted(folder.parent.iterdir(), reverse=True) if path.is_dir()}
    return next((beside[name] for name in names if name in beside), None)


def _pairs(alpha_folder: Path, colour_folder: Path) -> list[tuple[Path, Path]]:
    """Files of the same names in both, whatever they end in, in order; raises InputError where one lacks the other."""
    alphas, colours = _by_name(alpha_folder), _by_name(colour_folder)
    for name in sorted(alphas.keys() ^ colours.keys()):
        if name in alphas:
            raise InputError(f"{alphas[name]} has no picture of its name in {colour_folder}")
        raise InputError(f"{colours[name]} has no picture of its name in {alpha_folder}")
    return [(alpha, colours[name]) for name, alpha in alphas.items()]


def _by_name(folder: Path) -> dict[Path, Path]:
    """Pictures and videos below a folder by their place in it without the ending; raises InputError for empty ones."""
    for above, folders, files in os.walk(folder):
        if not folders and not files:
            raise InputError(f"the folder {above} is empty; put its pictures back, or remove it")
    return {path.relative_to(folder).with_suffix(""): path for path in pictures_below(folder, PICTURES | VIDEOS)}
