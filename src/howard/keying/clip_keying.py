"""Keying a whole clip: footage in; alpha, foreground, a contact sheet and a JSON record out."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from howard.colour import mix
from howard.errors import InputError, SettingsError
from howard.images import to_uint8
from howard.keying.frame_keying import KeyedFrame, TrackingMarkers, find_markers, key_frame
from howard.keying.image_operations import encode, to_linear
from howard.keying.keying_folder import KeyingFolder, describe
from howard.keying.screen import SCREENS, Screen, find_screen
from howard.media import Reader, choose_frames, open_reader

# Frames from which the screen and its tracking markers are estimated.
_SAMPLE_COUNT = 8
# Rows of the contact sheet, one per frame.
_SHEET_ROWS = 8
# Width of a contact sheet's cell, and the gap after it, in pixels.
_CELL_WIDTH = 320
_GAP = 4
# sRGB-encoded backgrounds on the contact sheet.
_GREY = (0.5, 0.5, 0.5)
_RED = (0.8, 0.1, 0.1)


class ClipKey(NamedTuple):
    """What all frames of a clip share: the screen, and tracking markers at fixed positions (None: no markers)."""

    screen: Screen
    markers: TrackingMarkers | None


class FrameWritten(NamedTuple):
    """Frame ``number`` has been written, as number ``done`` of ``total`` missing frames."""

    number: int
    done: int
    total: int


@dataclass(frozen=True)
class KeyingSummary:
    """A keyed clip: the folder and contact sheet; how many frames were ``keyed`` now and ``skipped`` as existing."""

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
        source: a video, an image sequence or a still, as `open_reader` takes them.
        output: a folder. Writes pha/CLIP/NNNN.png (8-bit grey), fgr/CLIP/NNNN.png (8-bit straight sRGB, extended beyond
            the edge), contact_CLIP.jpg and keying_CLIP.json. It may hold other clips' frames; an interrupted run of
            the same clip is continued.
        screen: auto, green or blue.
        frames: "10-20", both included, or "7", in the clip's own numbers; None means all.
        colour: the colour space of the clip's values, if its tags are wrong; see `open_reader`.
        overwrite: write into a folder with other files, or key an already keyed clip again.
        progress: called after every frame.

    Raises:
        HowardError: one of its subclasses, with a one-line message.
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
            folder.write(number, key_frame(reader[number - reader.info.first_number].image, key.screen, key.markers))
            if progress:
                progress(FrameWritten(number, done, len(missing)))
        shown = [numbers[place] for place in _spread_indices(len(numbers), _SHEET_ROWS)]
        rows = ((number, reader[number - reader.info.first_number].image, folder.read(number)) for number in shown)
        sheet = folder.write_contact_sheet(contact_sheet(rows))
    skipped = len(numbers) - len(missing)
    return KeyingSummary(reader.info.name, folder.path, sheet, key.screen, len(missing), skipped)


def find_key(reader: Reader, screen: str = "auto") -> ClipKey:
    """Estimate the screen and the tracking markers of a clip from a few evenly spaced frames.

    Raises InputError, naming the clip, if there is no screen.
    """
    images = [reader[index].image for index in _spread_indices(len(reader), _SAMPLE_COUNT)]
    try:
        found = find_screen(images, screen)
    except InputError as error:
        raise InputError(f"{reader.info.path}: {error}") from error
    return ClipKey(found, find_markers(images, found))


def _spread_indices(count: int, most: int) -> list[int]:
    """At most ``most`` evenly spaced indices below ``count``, the first and the last among them."""
    return [int(place) for place in np.unique(np.linspace(0, count - 1, most).round().astype(int))]


def contact_sheet(frames: Iterable[tuple[int, np.ndarray, KeyedFrame]]) -> np.ndarray:
    """One row per frame (number, image as in `Frame`, key): source, alpha, foreground, over grey, over red.

    Returns (H, W, 3) uint8 RGB.
    """
    return np.concatenate([_sheet_row(*each) for each in frames])


def _sheet_row(number: int, image: np.ndarray, keyed: KeyedFrame) -> np.ndarray:
    alpha = keyed.alpha[..., None]
    over = [mix(keyed.foreground, np.array(colour, np.float32), alpha) for colour in (_GREY, _RED)]
    cells = [encode(to_linear(image)), np.repeat(alpha, 3, axis=2), keyed.foreground, *over]
    row = np.concatenate([_sheet_cell(cell) for cell in cells], axis=1)
    cv2.putText(row, f"{number}", (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return row


def _sheet_cell(image: np.ndarray) -> np.ndarray:
    height = max(1, round(_CELL_WIDTH * image.shape[0] / image.shape[1]))
    shrinks = image.shape[1] > _CELL_WIDTH
    small = cv2.resize(image, (_CELL_WIDTH, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return cv2.copyMakeBorder(to_uint8(small), 0, _GAP, 0, _GAP, cv2.BORDER_CONSTANT)
