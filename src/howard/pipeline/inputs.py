"""Everything that a render reads: shot and plate, what lies behind, and masks."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from howard.errors import InputError, SettingsError
from howard.media import Background, ClipInfo, Reader, open_reader
from howard.pipeline.masks import Mask

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
def open_inputs(
    shot: str | Path,
    plate: str | Path,
    *,
    background: str | Path | None = None,
    garbage: str | Path | None = None,
    holdout: str | Path | None = None,
    input_colour: str | None = None,
    plate_colour: str | None = None,
    frame_rate: str | Fraction | None = None,
) -> Iterator[Inputs]:
    """Open all of them, and close them at the end; arguments as :func:`howard.remove_background`.

    Raises InputError or SettingsError where one cannot be read or does not fit the shot.
    """
    with ExitStack() as stack:
        source = stack.enter_context(open_reader(shot, input_colour, read_frame_rate(frame_rate)))
        empty = stack.enter_context(open_reader(plate, plate_colour))
        refuse_tiny(source.info)

        def open_mask(path: str | Path | None) -> Mask | None:
            return None if path is None else stack.enter_context(Mask(path, source.info))

        size = source.info.width, source.info.height
        behind = None if background is None else stack.enter_context(Background(background, *size))
        yield Inputs(source, empty, behind, open_mask(garbage), open_mask(holdout))


def refuse_tiny(clip: ClipInfo) -> None:
    """Raise InputError where a clip's pictures are too small to be matted."""
    if min(clip.width, clip.height) < _SMALLEST_SIDE:
        raise InputError(
            f"{clip.path} is {clip.width}x{clip.height}; both sides need {_SMALLEST_SIDE} pixels at least, scale it up"
        )


def read_frame_rate(rate: str | Fraction | None) -> Fraction | None:
    """A frame rate written as "24", "23.976" or "24000/1001"; raises SettingsError where it is none."""
    if rate is None:
        return None
    try:
        number = Fraction(rate)
    except (ValueError, ZeroDivisionError):
        number = Fraction(0)
    if number <= 0:
        raise SettingsError(f"frame_rate={rate} is not a frame rate; write frame_rate=24 or frame_rate=24000/1001")
    return number
