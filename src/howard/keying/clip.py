"""A whole clip from end to end: film in; alpha, foreground, a contact sheet and a record of it all out."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from howard.errors import InputError, SettingsError
from howard.keying.contact import contact_sheet
from howard.keying.folder import KeyingFolder, describe
from howard.keying.frame import key_frame
from howard.keying.marks import Marks, find_marks
from howard.keying.screen import SCREENS, Screen, find_screen
from howard.media import ClipInfo, Reader, open_reader

_SAMPLES = 8  # frames that the screen and its marks are learnt from
_SHOWN = 8  # frames on the contact sheet


class Key(NamedTuple):
    """What is the same in all frames of a clip: its screen, and the marks on it that stay where they are."""

    screen: Screen
    marks: Marks | None


class FrameWritten(NamedTuple):
    """Frame ``number`` has been written, the ``done``-th of ``total`` to do."""

    number: int
    done: int
    total: int


@dataclass(frozen=True)
class KeyingSummary:
    """A keyed clip: where its frames and its contact sheet are; ``keyed`` frames now, ``skipped`` were there."""

    name: str
    output: Path
    contact_sheet: Path
    screen: Screen
    keyed: int
    skipped: int


def key_clip(
    source: str | Path,
    output: str | Path,
    *,
    screen: str = "auto",
    frames: str | None = None,
    colour: str | None = None,
    overwrite: bool = False,
    progress: Callable[[FrameWritten], None] | None = None,
) -> KeyingSummary:
    """Turn a green- or blue-screen clip into alpha and despilled foreground frames.

    Args:
        source: anything that `open_reader` opens: a video, an image sequence, a still.
        output: a folder. Writes pha/CLIP/NNNN.png (8-bit grey), fgr/CLIP/NNNN.png (8-bit straight sRGB, carried on
            beyond the edge), contact_CLIP.jpg and keying_CLIP.json. Other clips' frames may be there; an interrupted
            run of the same is gone on with.
        screen: auto, green or blue.
        frames: "10-20", both included, or "7", counted in the clip's own numbers; all where None.
        colour: how the clip's values are meant, where its tags are wrong; see `open_reader`.
        overwrite: write into a foreign folder, or start a clip over.
        progress: called after every frame.

    Raises:
        HowardError: one of its kinds, in one line.
    """
    if screen not in SCREENS:
        raise SettingsError(f"screen={screen} is unknown; choose {', '.join(SCREENS)}")
    folder = KeyingFolder(Path(output), overwrite)
    with open_reader(source, colour) as reader:
        numbers = choose_numbers(frames, reader.info)
        key = find_key(reader, screen)
        folder.begin(reader.info.name, describe(reader.info, {"screen": screen, "colour": colour}, key.screen))
        missing = [number for number in numbers if not folder.has(number)]
        for done, number in enumerate(missing, start=1):
            folder.write(number, key_frame(reader[number - reader.info.first_number].image, key.screen, key.marks))
            if progress:
                progress(FrameWritten(number, done, len(missing)))
        shown = [numbers[place] for place in np.unique(np.linspace(0, len(numbers) - 1, _SHOWN).round().astype(int))]
        rows = ((number, reader[number - reader.info.first_number].image, folder.read(number)) for number in shown)
        sheet = folder.write_contact_sheet(contact_sheet(rows))
    skipped = len(numbers) - len(missing)
    return KeyingSummary(reader.info.name, folder.path, sheet, key.screen, len(missing), skipped)


def find_key(reader: Reader, screen: str = "auto") -> Key:
    """Estimate from a few frames, spread over the whole clip, what all frames are keyed with.

    Raises InputError where there is no screen, naming the clip.
    """
    places = np.unique(np.linspace(0, len(reader) - 1, _SAMPLES).round().astype(int))
    images = [reader[int(place)].image for place in places]
    try:
        found = find_screen(images, screen)
    except InputError as error:
        raise InputError(f"{reader.info.path}: {error}") from error
    return Key(found, find_marks(images, found))


def choose_numbers(frames: str | None, clip: ClipInfo) -> range:
    """The frame numbers that ``frames`` asks for; raises SettingsError where the clip has not got them."""
    first, last = clip.first_number, clip.first_number + clip.frame_count - 1
    if frames is None:
        return range(first, last + 1)
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", str(frames).replace(" ", ""))
    start, end = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if not first <= start <= end <= last:
        raise SettingsError(f"frames={frames} is no part of {clip.path}, which has frames {first}-{last}")
    return range(start, end + 1)
