"""A whole clip from end to end: film in; alpha, foreground, a contact sheet and a record of it all out."""

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
from howard.media import Reader, choose_frames, open_reader

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
        numbers = [reader.info.first_number + index for index in choose_frames(frames, reader.info)]
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
