"""Masks of a pair from its strokes and its mask files: per frame for previews, and written as files for a render."""

import functools
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from howard.align import default_cache_folder
from howard.app.core.pair import Pair
from howard.app.core.project import Project
from howard.app.core.render_command import MaskPaths, mask_paths
from howard.app.core.stroke_motion import BackgroundMotion, PersonMotion
from howard.app.core.stroke_propagation import StrokePropagator
from howard.errors import OutputError, SettingsError
from howard.fields import one_of
from howard.media import fingerprint_all, open_reader, to_depth
from howard.media.files import make_folder, unwritable_error, write_atomically
from howard.pipeline.inputs import Inputs, open_inputs
from howard.pipeline.masks import FrameMask, Mask
from howard.pipeline.plate_indexing import PlateIndexer
from howard.progress import SilentProgress

_STAMP = "masks.json"
# Options that change the decoded images of shot and plate at a given frame rate.
DECODING_OPTIONS = ("plate_frames", "input_colour", "plate_colour", "layer", "plate_layer", "interlaced")
# Part of the stamp: change it when the same strokes result in different masks.
_VERSION = 1


class PaintedMask:
    """A mask file of a pair combined with strokes; equals what a render reads from the files of `write_masks`."""

    def __init__(self, file_mask: FrameMask | None, paint: Callable[[int], np.ndarray]) -> None:
        """``file_mask`` is the mask from the pair's options; ``paint`` returns a frame's painted mask, (H, W) bool."""
        self._file_mask = file_mask
        self._paint = paint

    def image(self, index: int) -> np.ndarray:
        """The mask of frame ``index`` of the shot, (H, W) uint8 in [0, 255]."""
        painted = self._paint(index)
        from_file = 0 if self._file_mask is None else to_depth(self._file_mask.frame(index), np.uint8)
        return np.where(painted, 255, from_file).astype(np.uint8)

    def frame(self, index: int) -> np.ndarray:
        """The mask of frame ``index`` of the shot, (H, W) float32 in [0, 1]."""
        grey = to_depth(self.image(index), np.float32)
        # Bit-identical to the mean of the three equal channels that a reader decodes from a grey file.
        return np.stack([grey] * 3, axis=2).mean(axis=2)


class PaintedMasks(NamedTuple):
    """``garbage`` and ``holdout`` for `howard.pipeline.masks.mask_frame`; ``propagator`` is None without strokes."""

    garbage: FrameMask | None
    holdout: FrameMask | None
    propagator: StrokePropagator | None = None


class StrokeMotions:
    """Motion of background and person in opened inputs, each created when it is first needed.

    ``indexer`` returns the indexer of the plate. Not thread-safe: the inputs must not be read by another thread.
    """

    def __init__(self, inputs: Inputs, indexer: Callable[[], PlateIndexer]) -> None:
        self._inputs = inputs
        self._indexer = indexer

    @functools.cached_property
    def background(self) -> BackgroundMotion:
        """Motion of the background."""
        return BackgroundMotion(self._inputs.shot, self._inputs.plate, self._indexer())

    @functools.cached_property
    def person(self) -> PersonMotion:
        """Motion of the person."""
        return PersonMotion(self._inputs.shot)


def paint_masks(pair: Pair, inputs: Inputs, motions: StrokeMotions) -> PaintedMasks:
    """Combine the strokes of a pair with its opened mask files."""
    from_files = {"remove": inputs.garbage, "keep": inputs.holdout}
    if not pair.strokes:
        return PaintedMasks(from_files["remove"], from_files["keep"])
    shot = inputs.shot.info
    propagator = StrokePropagator(
        pair.strokes,
        (shot.width, shot.height),
        shot.first_number,
        background=lambda: motions.background,
        person=lambda: motions.person,
    )
    kinds = {stroke.kind for stroke in pair.strokes if not stroke.erase}

    def mask(kind: str, paint: Callable[[int], np.ndarray]) -> FrameMask | None:
        return PaintedMask(from_files[kind], paint) if kind in kinds else from_files[kind]

    return PaintedMasks(
        mask("remove", lambda index: propagator.masks(shot.first_number + index).remove),
        mask("keep", lambda index: propagator.masks(shot.first_number + index).keep),
        propagator,
    )


def write_masks(project: Project, pair: Pair, *, should_continue: Callable[[], bool] = lambda: True) -> MaskPaths:
    """Write a pair's painted masks for all frames of the shot, unless up-to-date files exist; returns their paths.

    Args:
        project: project of the pair; the masks are written to its folder.
        pair: pair with strokes; without strokes nothing is written.
        should_continue: called before every frame; if it returns false, the masks are left incomplete.

    Raises:
        HowardError: shot, plate or mask files cannot be read, or the masks cannot be written.
    """
    files = mask_paths(project, pair)
    if files == MaskPaths():
        return files
    folder = project.folder / "masks" / pair.id
    with _open_masks(pair) as (inputs, painted):
        stamp = _make_stamp(pair, inputs)
        if _read_stamp(folder) == stamp and all(_has_end_frames(path, inputs) for path in files if path is not None):
            return files
        shutil.rmtree(folder, ignore_errors=True)
        make_folder(folder)
        first, count = inputs.shot.info.first_number, inputs.shot.info.frame_count
        is_still = all("%" not in path.name for path in files if path is not None)
        numbers = range(first, first + (1 if is_still else count))
        if painted.propagator is not None:
            painted.propagator.precompute(numbers, should_continue)
            numbers = painted.propagator.sort_outwards(numbers)
        for number in numbers:
            if not should_continue():
                return files
            for mask, path in zip(painted[:2], files, strict=True):
                if path is not None and isinstance(mask, PaintedMask):
                    _write_png(frame_path(path, number), mask.image(number - first))
        write_atomically(folder / _STAMP, stamp.encode())
    return files


def export_masks(project: Project, pair: Pair, folder: Path) -> MaskPaths:
    """Write a pair's painted masks and copy them into a folder; returns the paths of the copies.

    Raises HowardError like :func:`write_masks`.
    """
    files = write_masks(project, pair)
    make_folder(folder)
    try:
        for path in filter(None, files):
            for file in path.parent.glob(f"{path.name.partition('.')[0]}.*"):
                shutil.copy2(file, folder / file.name)
    except OSError as error:
        raise unwritable_error(folder, error) from error
    return MaskPaths(*(None if path is None else folder / path.name for path in files))


def import_mask(project: Project, pair_id: str, name: str, path: str | Path) -> Pair:
    """Set a pair's ``garbage`` or ``holdout`` option to a mask file: a still, or one frame for each shot frame.

    Raises SettingsError for other names, and InputError if the mask cannot be read or does not match the shot.
    """
    if name not in MaskPaths._fields:
        raise SettingsError(f"{name} is not a mask option; choose {one_of(MaskPaths._fields)}")
    pair = project.pair(pair_id)
    options = pair.render_options()
    shot = open_reader(pair.shot, options.input_colour, options.rate, options.interlaced, options.layer)
    with shot, Mask(path, shot.info):
        return project.update(pair_id, options={**pair.options, name: str(path)})


def frame_path(path: Path, number: int) -> Path:
    """Insert a frame number into a pattern with ``%04d``; other paths are returned unchanged."""
    return path.with_name(path.name % number) if "%" in path.name else path


@contextmanager
def _open_masks(pair: Pair) -> Iterator[tuple[Inputs, PaintedMasks]]:
    """Open a pair's inputs and masks; the plate is indexed only if a stroke must follow the background."""
    indexers: list[PlateIndexer] = []

    def indexer() -> PlateIndexer:
        indexers.append(PlateIndexer(inputs.plate, cache=default_cache_folder()).__enter__())
        return indexers[-1]

    options = pair.render_options(background=None)
    with open_inputs(pair.shot, pair.plate_text, options, SilentProgress()) as inputs:
        try:
            yield inputs, paint_masks(pair, inputs, StrokeMotions(inputs, indexer))
        finally:
            for each in indexers:
                each.__exit__(None, None, None)


def _make_stamp(pair: Pair, inputs: Inputs) -> str:
    """Hash of everything that the mask files depend on."""
    clips = [fingerprint_all(clip.files) for clip in inputs.clips]
    decoding = {name: str(pair.options.get(name)) for name in DECODING_OPTIONS}
    dependencies = [_VERSION, [stroke.to_json() for stroke in pair.strokes], clips, decoding]
    return hashlib.sha256(json.dumps(dependencies).encode()).hexdigest()


def _read_stamp(folder: Path) -> str | None:
    try:
        return (folder / _STAMP).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def _has_end_frames(path: Path, inputs: Inputs) -> bool:
    """Whether the files of the first and the last frame exist; the stamp is written after all frames."""
    shot = inputs.shot.info
    ends = (shot.first_number, shot.first_number + shot.frame_count - 1)
    return all(frame_path(path, number).exists() for number in ends)


def _write_png(path: Path, image: np.ndarray) -> None:
    is_encoded, data = cv2.imencode(".png", image)
    if not is_encoded:
        raise OutputError(f"{path} cannot be encoded as PNG; report this together with the size of the shot")
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise unwritable_error(path, error) from error
