"""Everything that a render reads: shot and plate, what lies behind, and masks."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from howard.errors import InputError
from howard.media import Background, ClipInfo, Reader, open_reader
from howard.options import RenderOptions
from howard.pipeline.masks import Mask
from howard.progress import Progress

# Below this the network has nothing to see.
_SMALLEST_SIDE = 64


class Inputs(NamedTuple):
    """Open clips. ``background`` lies behind the person in composites; masks are of what is surely out, or in."""

    shot: Reader
    plate: Reader
    background: Background | None = None
    garbage: Mask | None = None
    holdout: Mask | None = None

    @property
    def clips(self) -> list[ClipInfo]:
        """All files that are read."""
        everything = (self.shot.info, self.plate.info, *(each.clip for each in self[2:] if each is not None))
        return [clip for clip in everything if clip is not None]


@contextmanager
def open_inputs(shot: str | Path, plate: str | Path, options: RenderOptions, progress: Progress) -> Iterator[Inputs]:
    """Open all files that a render reads, and close them at the end.

    Raises InputError or SettingsError where one cannot be read or does not fit the shot.
    """
    with ExitStack() as stack:
        interlaced, layer, plate_layer = options.interlaced, options.layer, options.plate_layer
        source = stack.enter_context(open_reader(shot, options.input_colour, options.rate, interlaced, layer))
        _tell(progress, "shot", source.info)
        empty = stack.enter_context(open_reader(plate, options.plate_colour, None, interlaced, plate_layer))
        _tell(progress, "plate", empty.info)
        refuse_tiny(source.info)

        def open_mask(path: str | Path | None) -> Mask | None:
            return None if path is None else stack.enter_context(Mask(path, source.info))

        behind = None
        if options.background is not None:
            form = source.info.width, source.info.height, source.info.frame_rate
            behind = stack.enter_context(Background(options.background, *form))
        yield Inputs(source, empty, behind, open_mask(options.garbage), open_mask(options.holdout))


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
