"""Collections of people: stills and clips with alpha, in the layouts of public data sets.

* ``NAME_fgr.jpg`` next to ``NAME_pha.png``: stills, as in this project's own collections.
* ``fgr/`` next to ``pha/``, with files of the same names: a subfolder is a clip of frames, a video is a clip, an image
  is a still. VideoMatte240K and keyed green screen have this layout.
* a folder of masks next to a folder of photos, as in P3M-10k and AIM-500: a third folder, ``foreground/``, must be made
  from them first; see :mod:`howard.data.foreground_estimation`.
* RGBA PNG files with straight colour, as in PhotoMatte85: stills.

Folder names are case-insensitive: Distinctions-646 has ``Train/FG`` and ``Train/GT``.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from howard.data.image_files import (
    IMAGE_SUFFIXES,
    MEDIA_SUFFIXES,
    VIDEO_SUFFIXES,
    find_files,
    is_rgba_png,
    open_video,
    read_image,
    read_rgba,
    read_video_frame,
)
from howard.data.splits import Split, read_split_lists, split_by_folder, split_without_lists
from howard.errors import InputError
from howard.synthesis import Person

ALPHA_FOLDERS = ("pha", "mask", "masks", "alpha", "gt")
PHOTO_FOLDERS = ("original", "original_image", "blurred_image", "image", "images")
PUBLISHED_FOREGROUND_FOLDERS = ("fgr", "fg")
ESTIMATED_FOREGROUND_FOLDER = "foreground"
_STILL_ENDINGS = ("_pha", "_fgr")


class PersonSource(Protocol):
    """A person's clip or still, from the files of a collection or from a pack."""

    @property
    def name(self) -> str:
        """Unique in the collection."""
        ...

    @property
    def frame_count(self) -> int:
        """Number of frames; 1 for a still."""
        ...

    def read(self, index: int) -> Person:
        """Decode a frame. Callers must not modify the arrays: they may be cached."""
        ...


class PersonClip(NamedTuple):
    """One recording of a person: files of colour and of alpha, one each per frame, or one video each.

    The two files are the same for an RGBA image.
    """

    name: str
    foreground: tuple[Path, ...]
    alpha: tuple[Path, ...]

    @property
    def frame_count(self) -> int:
        """Number of frames; for a video, it is read from the file."""
        return len(open_video(self.alpha[0])) if self.is_video else len(self.alpha)

    @property
    def is_video(self) -> bool:
        """Whether the frames are in one video of colour and one of alpha."""
        return self.alpha[0].suffix.lower() in VIDEO_SUFFIXES

    def read(self, index: int) -> Person:
        """Decode a frame: foreground (H, W, 3) uint8 RGB, alpha (H, W) uint8.

        Raises:
            InputError: a file is missing or unreadable, or the sizes differ.
        """
        if self.is_video:
            foreground = read_video_frame(self.foreground[0], index)
            alpha = read_video_frame(self.alpha[0], index)[..., 1]
            files = self.foreground[0], self.alpha[0]
        elif self.foreground[index] == self.alpha[index]:
            rgba = read_rgba(self.alpha[index])
            return Person(np.ascontiguousarray(rgba[..., :3]), np.ascontiguousarray(rgba[..., 3]))
        else:
            files = self.foreground[index], self.alpha[index]
            foreground, alpha = read_image(files[0]), read_image(files[1], grey=True)
        check_same_size(files[0], foreground, files[1], alpha)
        return Person(foreground, alpha)


def check_same_size(image_path: Path, image: np.ndarray, alpha_path: Path, alpha: np.ndarray) -> None:
    """Raise InputError if an image (H, W, 3) and its alpha (H, W) differ in size."""
    if image.shape[:2] != alpha.shape:
        sizes = ["x".join(map(str, each.shape[1::-1])) for each in (image, alpha)]
        raise InputError(f"{image_path} is {sizes[0]} but {alpha_path} is {sizes[1]}; they must be of one size")


def find_people(folder: Path, split: Split) -> list[PersonClip]:
    """The people of one split of a collection.

    The lists ``train.txt``, ``val.txt`` and ``test.txt`` decide on the split if the folder has any. Without them, the
    name of a folder on the path or the hash of the person's name does; see
    :func:`howard.data.splits.split_without_lists`.

    Raises:
        InputError: the folder is missing, has no people in the split or an empty subfolder; a listed person is missing
            or listed twice; a colour file lacks its alpha file, or the reverse.
    """
    found = [clip for clip, each in list_people(folder) if each == split]
    if not found:
        raise InputError(
            f"{folder} has no people for {split}: name some in {split}.txt, or see data/README.md for the layout of a "
            "collection"
        )
    return found


def list_people(folder: Path) -> list[tuple[PersonClip, Split]]:
    """All people of a collection and their splits, sorted by name; raises InputError as :func:`find_people`."""
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; name a collection of people (data.people= in training)")
    clips = sorted(
        [*_stills_with_alpha_files(folder), *_rgba_stills(folder), *_clips_in_folders(folder)],
        key=lambda clip: clip.name,
    )
    splits = read_split_lists(folder)
    if splits is None:
        paths = [clip.alpha[0].relative_to(folder) for clip in clips]
        return list(zip(clips, split_without_lists([clip.name for clip in clips], paths), strict=True))
    by_name = {clip.name: clip for clip in clips}
    absent = sorted(splits.keys() - by_name.keys())
    if absent:
        raise InputError(f"{folder}: {absent[0]} is listed in {splits[absent[0]]}.txt but its images are missing")
    # People on no list are left out on purpose.
    return [(by_name[name], split) for name, split in splits.items()]


class Photo(NamedTuple):
    """Files of a photo, of its mask, and of the foreground colours that are estimated from both."""

    photo: Path
    alpha: Path
    foreground: Path


def photos_without_foreground(folder: Path) -> list[Photo]:
    """All photos of a collection whose foreground colours have not been estimated yet.

    Raises:
        InputError: the folder is missing or has no photos with masks, a photo has no mask, or a mask no photo.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; give a collection of photos and masks")
    missing, found = [], False
    for alpha_folder in _alpha_folders(folder):
        photo_folder = _sibling(alpha_folder, PHOTO_FOLDERS)
        if photo_folder is None or _sibling(alpha_folder, PUBLISHED_FOREGROUND_FOLDERS) is not None:
            continue
        found = True
        for alpha, photo in _match_files(alpha_folder, photo_folder):
            relative = alpha.relative_to(alpha_folder).with_suffix(".png")
            estimated = alpha_folder.parent / ESTIMATED_FOREGROUND_FOLDER / relative
            if not estimated.exists():
                missing.append(Photo(photo, alpha, estimated))
    if not found:
        raise InputError(f"{folder} has no photos with masks, such as original/ and mask/; see data/README.md")
    return missing


def _stills_with_alpha_files(folder: Path) -> Iterator[PersonClip]:
    """Pairs of ``NAME_fgr`` and ``NAME_pha`` in the folder itself."""
    images = {path.stem: path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES}
    for stem, path in images.items():
        name, _, ending = stem.rpartition("_")
        if ending in ("pha", "fgr"):
            other = f"{name}_{'fgr' if ending == 'pha' else 'pha'}"
            if other not in images:
                raise InputError(f"{path} has no {other} next to it")
            if ending == "pha":
                yield PersonClip(name, (images[other],), (path,))


def _rgba_stills(folder: Path) -> Iterator[PersonClip]:
    """RGBA images in the folder itself, or in its folders named after a split."""
    split_folders = [each for each in folder.iterdir() if each.is_dir() and split_by_folder(Path(each.name))]
    for path in sorted(path for each in (folder, *split_folders) for path in each.iterdir()):
        if not path.name.startswith(".") and not path.stem.endswith(_STILL_ENDINGS) and is_rgba_png(path):
            yield PersonClip(path.relative_to(folder).with_suffix("").as_posix(), (path,), (path,))


def _clips_in_folders(folder: Path) -> Iterator[PersonClip]:
    """Clips and stills in a folder of alpha and a folder of colour next to it."""
    for alpha_folder in _alpha_folders(folder):
        foreground_folder = _sibling(alpha_folder, (*PUBLISHED_FOREGROUND_FOLDERS, ESTIMATED_FOREGROUND_FOLDER))
        if foreground_folder is None:
            raise InputError(
                f"{alpha_folder} has no foreground colours next to it; make them with "
                f"python -m howard.data foreground={folder}"
            )
        clips: dict[Path, list[tuple[Path, Path]]] = {}
        for alpha, foreground in _match_files(alpha_folder, foreground_folder):
            single = alpha.suffix.lower() in VIDEO_SUFFIXES or alpha.parent == alpha_folder
            clips.setdefault(alpha.with_suffix("") if single else alpha.parent, []).append((alpha, foreground))
        # The parent folders distinguish clips of equal name, such as 0000 of train and 0000 of test.
        parents = alpha_folder.parent.relative_to(folder)
        for clip, frames in clips.items():
            name = (parents / clip.relative_to(alpha_folder)).as_posix()
            yield PersonClip(name, tuple(foreground for _, foreground in frames), tuple(alpha for alpha, _ in frames))


def _alpha_folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.name.lower() in ALPHA_FOLDERS and path.is_dir())


def _sibling(folder: Path, names: tuple[str, ...]) -> Path | None:
    """The folder next to ``folder`` with the first of these names that exists, case-insensitive; None without any."""
    siblings = {path.name.lower(): path for path in sorted(folder.parent.iterdir(), reverse=True) if path.is_dir()}
    return next((siblings[name] for name in names if name in siblings), None)


def _match_files(alpha_folder: Path, colour_folder: Path) -> list[tuple[Path, Path]]:
    """Files of equal name apart from the suffix, sorted; raises InputError if a file has no counterpart."""
    alphas, colours = _files_by_name(alpha_folder), _files_by_name(colour_folder)
    for name in sorted(alphas.keys() ^ colours.keys()):
        if name in alphas:
            raise InputError(f"{alphas[name]} has no image of the same name in {colour_folder}")
        raise InputError(f"{colours[name]} has no image of the same name in {alpha_folder}")
    return [(alpha, colours[name]) for name, alpha in alphas.items()]


def _files_by_name(folder: Path) -> dict[Path, Path]:
    """Images and videos by their relative path without the suffix; raises InputError if a subfolder is empty."""
    for parent, folders, files in os.walk(folder):
        if not folders and not files:
            raise InputError(f"the folder {parent} is empty; restore its images, or remove it")
    return {path.relative_to(folder).with_suffix(""): path for path in find_files(folder, MEDIA_SUFFIXES)}
