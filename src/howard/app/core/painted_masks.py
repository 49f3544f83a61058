"""A pair's masks with its strokes in them: for previews frame by frame, and as files for a render."""

import functools
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from howard.align import default_cache_folder
from howard.app.core.command import MaskFiles, mask_files
from howard.app.core.motion import PersonMotion, PlaceMotion
from howard.app.core.pair import Pair
from howard.app.core.project import Project
from howard.app.core.propagation import StrokeCarrier
from howard.errors import OutputError, SettingsError
from howard.fields import one_of
from howard.media import fingerprint_all, open_reader, to_depth
from howard.media.files import make_folder, unwritable_error, write_atomically
from howard.pipeline.inputs import Inputs, open_inputs
from howard.pipeline.masks import FrameMask, Mask
from howard.pipeline.plate_indexing import PlateIndexer
from howard.progress import SilentProgress

_STAMP = "masks.json"
# Options that change the pictures by which strokes are carried.
_DECODING = ("plate_frames", "input_colour", "plate_colour", "layer", "plate_layer", "interlaced")
# Part of the stamp: change it when the same strokes give other masks.
_VERSION = 1


class PaintedMask:
    """One of a pair's masks with strokes in it, with the values that a render reads from the files of `write_masks`."""

    def __init__(self, own: FrameMask | None, paint: Callable[[int], np.ndarray]) -> None:
        """``own`` is the pair's own mask, ``paint`` gives the painted one of a frame by index, (H, W) bool."""
        self._own = own
        self._paint = paint

    def picture(self, index: int) -> np.ndarray:
        """The mask of the shot's frame ``index``, (H, W) uint8, 255 where it is set."""
        painted = self._paint(index)
        own = 0 if self._own is None else to_depth(self._own.frame(index), np.uint8)
        return np.where(painted, 255, own).astype(np.uint8)

    def frame(self, index: int) -> np.ndarray:
        """The same, (H, W) float32 in [0, 1]."""
        grey = to_depth(self.picture(index), np.float32)
        # As of the three equal channels that a reader makes of a grey picture, to the last bit.
        return np.stack([grey] * 3, axis=2).mean(axis=2)


class PaintedMasks(NamedTuple):
    """``garbage`` and ``holdout`` as `howard.pipeline.masks.mask_frame` takes them, and what carries their strokes."""

    garbage: FrameMask | None
    holdout: FrameMask | None
    carrier: StrokeCarrier | None = None


class Motions:
    """The motions of place and person in open inputs, each made when a stroke first follows it.

    ``indexer`` gives that of the plate. To be used by one thread at a time, which alone reads the inputs meanwhile.
    """

    def __init__(self, inputs: Inputs, indexer: Callable[[], PlateIndexer]) -> None:
        self._inputs = inputs
        self._indexer = indexer

    @functools.cached_property
    def place(self) -> PlaceMotion:
        """Of the place."""
        return PlaceMotion(self._inputs.shot, self._inputs.plate, self._indexer())

    @functools.cached_property
    def person(self) -> PersonMotion:
        """Of the person."""
        return PersonMotion(self._inputs.shot)


def paint_masks(pair: Pair, inputs: Inputs, motions: Motions) -> PaintedMasks:
    """The masks of a pair whose inputs, with its own masks, are open."""
    own = {"remove": inputs.garbage, "keep": inputs.holdout}
    if not pair.strokes:
        return PaintedMasks(own["remove"], own["keep"])
    shot = inputs.shot.info
    carrier = StrokeCarrier(
        pair.strokes,
        (shot.width, shot.height),
        shot.first_number,
        place=lambda: motions.place,
        person=lambda: motions.person,
    )
    kinds = {stroke.kind for stroke in pair.strokes if not stroke.erase}

    def mask(kind: str, paint: Callable[[int], np.ndarray]) -> FrameMask | None:
        return PaintedMask(own[kind], paint) if kind in kinds else own[kind]

    return PaintedMasks(
        mask("remove", lambda index: carrier.masks(shot.first_number + index).remove),
        mask("keep", lambda index: carrier.masks(shot.first_number + index).keep),
        carrier,
    )


def write_masks(project: Project, pair: Pair, *, wants_on: Callable[[], bool] = lambda: True) -> MaskFiles:
    """Write the masks that a pair's strokes become, for all frames of the shot, unless the same are there already.

    Args:
        project: the pair's, into whose folder they go.
        pair: the strokes' own; where it has none, nothing is written.
        wants_on: asked before every frame; where it says no, the masks are left unfinished.

    Raises:
        HowardError: shot, plate or own masks cannot be read, or the files not be written.
    """
    files = mask_files(project, pair)
    if files == MaskFiles():
        return files
    folder = project.folder / "masks" / pair.id
    with _open_masks(pair) as (inputs, painted):
        stamp = _describe(pair, inputs)
        if _read_stamp(folder) == stamp and all(_is_there(path, inputs) for path in files if path is not None):
            return files
        shutil.rmtree(folder, ignore_errors=True)
        make_folder(folder)
        first, count = inputs.shot.info.first_number, inputs.shot.info.frame_count
        is_still = all("%" not in path.name for path in files if path is not None)
        numbers = range(first, first + (1 if is_still else count))
        if painted.carrier is not None:
            painted.carrier.prepare(numbers, wants_on)
            numbers = painted.carrier.sort(numbers)
        for number in numbers:
            if not wants_on():
                return files
            for mask, path in zip(painted[:2], files, strict=True):
                if path is not None and isinstance(mask, PaintedMask):
                    _write_picture(frame_file(path, number), mask.picture(number - first))
        write_atomically(folder / _STAMP, stamp.encode())
    return files


def export_masks(project: Project, pair: Pair, folder: Path) -> MaskFiles:
    """Write the masks of a pair's strokes and copy them into a folder; gives their paths there.

    Raises HowardErrors as :func:`write_masks`.
    """
    files = write_masks(project, pair)
    make_folder(folder)
    try:
        for path in filter(None, files):
            for file in path.parent.glob(f"{path.name.partition('.')[0]}.*"):
                shutil.copy2(file, folder / file.name)
    except OSError as error:
        raise unwritable_error(folder, error) from error
    return MaskFiles(*(None if path is None else folder / path.name for path in files))


def import_mask(project: Project, pair_id: str, name: str, path: str | Path) -> Pair:
    """Take a mask from files, a still or one frame for each of the shot's, as a pair's ``garbage`` or ``holdout``.

    Raises SettingsError for other names, and InputError where the mask cannot be read or does not fit the shot.
    """
    if name not in MaskFiles._fields:
        raise SettingsError(f"{name} is no mask; choose {one_of(MaskFiles._fields)}")
    pair = project.pair(pair_id)
    options = pair.render_options()
    shot = open_reader(pair.shot, options.input_colour, options.rate, options.interlaced, options.layer)
    with shot, Mask(path, shot.info):
        return project.update(pair_id, options={**pair.options, name: str(path)})


def frame_file(path: Path, number: int) -> Path:
    """The file of a frame by a pattern with ``%04d``; a path that is no pattern as it is."""
    return path.with_name(path.name % number) if "%" in path.name else path


@contextmanager
def _open_masks(pair: Pair) -> Iterator[tuple[Inputs, PaintedMasks]]:
    """A pair's inputs and masks; the plate is read only where a stroke follows the place."""
    surveys: list[PlateIndexer] = []

    def indexer() -> PlateIndexer:
        surveys.append(PlateIndexer(inputs.plate, cache=default_cache_folder()).__enter__())
        return surveys[-1]

    options = pair.render_options(background=None)
    with open_inputs(pair.shot, pair.plate_text, options, SilentProgress()) as inputs:
        try:
            yield inputs, paint_masks(pair, inputs, Motions(inputs, indexer))
        finally:
            for each in surveys:
                each.__exit__(None, None, None)


def _describe(pair: Pair, inputs: Inputs) -> str:
    """A name of all that the masks are made of."""
    clips = [fingerprint_all(clip.files) for clip in inputs.clips]
    decoding = {name: str(pair.options.get(name)) for name in _DECODING}
    made_of = [_VERSION, [stroke.to_json() for stroke in pair.strokes], clips, decoding]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()


def _read_stamp(folder: Path) -> str | None:
    try:
        return (folder / _STAMP).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def _is_there(path: Path, inputs: Inputs) -> bool:
    shot = inputs.shot.info
    ends: Sequence[int] = (shot.first_number, shot.first_number + shot.frame_count - 1)
    return all(frame_file(path, number).exists() for number in ends)


def _write_picture(path: Path, picture: np.ndarray) -> None:
    encoded, data = cv2.imencode(".png", picture)
    if not encoded:
        raise OutputError(f"{path} cannot be encoded as PNG; report this together with the size of the shot")
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise unwritable_error(path, error) from error
