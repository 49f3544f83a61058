"""The files that a render reads: shot, plate, background and masks."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from howard.errors import InputError, SettingsError
from howard.frame_ranges import count_in_words
from howard.media import Background, ClipInfo, Reader, choose_frames, open_reader
from howard.options import PLATE_SELF, PlatePaths, RenderOptions, list_plates
from howard.pipeline.combined_plate import CombinedPlate, PlatePart
from howard.pipeline.masks import Mask
from howard.progress import Progress

# Smallest width and height, in pixels, that the network can matte.
_MIN_SIDE = 64


class Inputs(NamedTuple):
    """Open clips; ``garbage`` masks certain background, ``holdout`` certain foreground."""

    shot: Reader
    plate: CombinedPlate
    background: Background | None = None
    garbage: Mask | None = None
    holdout: Mask | None = None

    @property
    def clips(self) -> list[ClipInfo]:
        """The clips of all files that are read."""
        others = (each.clip for each in (self.background, self.garbage, self.holdout) if each is not None)
        return [clip for clip in (self.shot.info, *self.plate.clips, *others) if clip is not None]


@contextmanager
def open_inputs(shot: str | Path, plate: PlatePaths, options: RenderOptions, progress: Progress) -> Iterator[Inputs]:
    """Open all files that a render reads, and close them when the context ends.

    Raises InputError or SettingsError if a file cannot be read or does not match the shot.
    """
    with ExitStack() as stack:
        source = stack.enter_context(_open_shot(shot, options))
        _report_clip(progress, "shot", source.info)
        combined = _open_plate(stack, shot, source.info, list_plates(plate), options, progress)
        refuse_small_clip(source.info)

        def open_mask(path: str | Path | None) -> Mask | None:
            return None if path is None else stack.enter_context(Mask(path, source.info))

        behind = None
        if options.background is not None:
            size_and_rate = source.info.width, source.info.height, source.info.frame_rate
            behind = stack.enter_context(Background(options.background, *size_and_rate))
        yield Inputs(source, combined, behind, open_mask(options.garbage), open_mask(options.holdout))


def _open_shot(shot: str | Path, options: RenderOptions) -> Reader:
    return open_reader(shot, options.input_colour, options.rate, options.interlaced, options.layer)


def _open_plate(
    stack: ExitStack,
    shot: str | Path,
    source: ClipInfo,
    paths: list[str | Path],
    options: RenderOptions,
    progress: Progress,
) -> CombinedPlate:
    """Open the clips of a plate on ``stack``, which closes them; plate=self opens the shot a second time."""
    frames = options.plate_frames
    if paths == [PLATE_SELF] and not Path(PLATE_SELF).exists():
        if frames is not None:
            raise SettingsError(
                f"plate=self takes all frames; for an empty part of the shot write plate={shot} plate_frames={frames}"
            )
        # A second reader: shot and plate are rarely read at the same frame.
        reader = stack.enter_context(_open_shot(shot, options))
        return CombinedPlate([PlatePart(reader, range(reader.info.frame_count))], is_self=True)
    if frames is not None and len(paths) > 1:
        raise SettingsError("plate_frames= needs a plate of a single clip; cut the clips, or give one of them")
    parts = []
    for path in paths:
        reader = open_reader(path, options.plate_colour, None, options.interlaced, options.plate_layer)
        info = stack.enter_context(reader).info
        _report_clip(progress, "plate", info)
        if frames is None and _same_files(info, source):
            raise SettingsError(
                f"input and plate are the same file, {path}; give another plate, plate_frames=1-40 if those frames "
                "show the empty place, or plate=self"
            )
        parts.append(PlatePart(reader, choose_frames(frames, info, "plate_frames")))
    return CombinedPlate(parts)


def _same_files(first: ClipInfo, second: ClipInfo) -> bool:
    """Whether two clips are read from the same files, even if their paths differ."""
    return [file.resolve() for file in first.files] == [file.resolve() for file in second.files]


def refuse_small_clip(clip: ClipInfo) -> None:
    """Raise InputError if a clip's frames are too small to be matted."""
    if min(clip.width, clip.height) < _MIN_SIDE:
        raise InputError(
            f"{clip.path} is {clip.width}x{clip.height}; both sides need {_MIN_SIDE} pixels at least, scale it up"
        )


def _report_clip(progress: Progress, name: str, clip: ClipInfo) -> None:
    facts = {"frames": clip.frame_count, "width": clip.width, "height": clip.height, "frame_rate": str(clip.frame_rate)}
    text = f"reading {clip.path}: {count_in_words(clip.frame_count)} of {clip.width}x{clip.height}"
    progress.step(name, text, path=str(clip.path), **facts)
    for note in clip.notes:
        progress.step("note", f"{clip.path.name}: {note}", path=str(clip.path))
