"""Everything that a render reads: shot and plate, what lies behind, and masks."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from howard.errors import InputError, SettingsError
from howard.media import Background, ClipInfo, Reader, choose_frames, open_reader
from howard.options import PLATE_SELF, PlatePaths, RenderOptions, list_plates
from howard.pipeline.masks import Mask
from howard.pipeline.plate_clips import PlateClips, PlatePart
from howard.progress import Progress

# Below this the network has nothing to see.
_SMALLEST_SIDE = 64


class Inputs(NamedTuple):
    """Open clips. ``background`` lies behind the person in composites; masks are of what is surely out, or in."""

    shot: Reader
    plate: PlateClips
    background: Background | None = None
    garbage: Mask | None = None
    holdout: Mask | None = None

    @property
    def clips(self) -> list[ClipInfo]:
        """All files that are read."""
        others = (each.clip for each in (self.background, self.garbage, self.holdout) if each is not None)
        return [clip for clip in (self.shot.info, *self.plate.clips, *others) if clip is not None]


@contextmanager
def open_inputs(shot: str | Path, plate: PlatePaths, options: RenderOptions, progress: Progress) -> Iterator[Inputs]:
    """Open all files that a render reads, and close them at the end.

    Raises InputError or SettingsError where one cannot be read or does not fit the shot.
    """
    with ExitStack() as stack:
        source = stack.enter_context(_open_shot(shot, options))
        _tell(progress, "shot", source.info)
        empty = _open_plate(stack, shot, source.info, list_plates(plate), options, progress)
        refuse_tiny(source.info)

        def open_mask(path: str | Path | None) -> Mask | None:
            return None if path is None else stack.enter_context(Mask(path, source.info))

        behind = None
        if options.background is not None:
            form = source.info.width, source.info.height, source.info.frame_rate
            behind = stack.enter_context(Background(options.background, *form))
        yield Inputs(source, empty, behind, open_mask(options.garbage), open_mask(options.holdout))


def _open_shot(shot: str | Path, options: RenderOptions) -> Reader:
    return open_reader(shot, options.input_colour, options.rate, options.interlaced, options.layer)


def _open_plate(
    stack: ExitStack,
    shot: str | Path,
    source: ClipInfo,
    paths: list[str | Path],
    options: RenderOptions,
    progress: Progress,
) -> PlateClips:
    """Open the clips of a plate, to be closed by the ``stack``; of the shot itself, a second time."""
    frames = options.plate_frames
    if paths == [PLATE_SELF] and not Path(PLATE_SELF).exists():
        if frames is not None:
            raise SettingsError(
                f"plate=self takes all frames; for an empty part of the shot write plate={shot} plate_frames={frames}"
            )
        # Read on its own: the two are rarely at the same frame.
        reader = stack.enter_context(_open_shot(shot, options))
        return PlateClips([PlatePart(reader, range(reader.info.frame_count))], is_self=True)
    if frames is not None and len(paths) > 1:
        raise SettingsError("plate_frames= goes with a plate of one clip; cut the clips, or give one of them")
    parts = []
    for path in paths:
        reader = open_reader(path, options.plate_colour, None, options.interlaced, options.plate_layer)
        info = stack.enter_context(reader).info
        _tell(progress, "plate", info)
        if frames is None and _same_files(info, source):
            raise SettingsError(
                f"input and plate are the same file, {path}; give another plate, plate_frames=1-40 if those frames "
                "show the empty place, or plate=self"
            )
        parts.append(PlatePart(reader, choose_frames(frames, info, "plate_frames")))
    return PlateClips(parts)


def _same_files(first: ClipInfo, second: ClipInfo) -> bool:
    """Whether two clips are read from the same files, by whatever paths."""
    return [file.resolve() for file in first.files] == [file.resolve() for file in second.files]


def refuse_tiny(clip: ClipInfo) -> None:
    """Raise InputError where a clip's pictures are too small to be matted."""
    if min(clip.width, clip.height) < _SMALLEST_SIDE:
        raise InputError(
            f"{clip.path} is {clip.width}x{clip.height}; both sides need {_SMALLEST_SIDE} pixels at least, scale it up"
        )


def _tell(progress: Progress, name: str, clip: ClipInfo) -> None:
    facts = {"frames": clip.frame_count, "width": clip.width, "height": clip.height, "frame_rate": str(clip.frame_rate)}
    count = f"{clip.frame_count} frame{'s' if clip.frame_count > 1 else ''}"
    text = f"reading {clip.path}: {count} of {clip.width}x{clip.height}"
    progress.step(name, text, path=str(clip.path), **facts)
    for note in clip.notes:
        progress.step("note", f"{clip.path.name}: {note}", path=str(clip.path))
