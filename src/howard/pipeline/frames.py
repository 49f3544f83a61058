"""What a clip must be to be matted, and how fast its frames follow one another."""

from fractions import Fraction

from howard.errors import InputError, SettingsError
from howard.media import ClipInfo

# Below this the network has nothing to see.
_SMALLEST_SIDE = 64


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
