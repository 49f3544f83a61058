"""Colour names for the settings ``input_colour`` and ``plate_colour``, which override a file's colour tags."""

import difflib
import re
from pathlib import Path
from typing import NamedTuple

from howard.errors import InputError, SettingsError
from howard.media import primaries
from howard.media.primaries import Primaries
from howard.media.working_space import OCIO_PREFIX, ColourTags


class _NamedColour(NamedTuple):
    """The tags that a name stands for; where a field is None, the file's own tag is kept."""

    transfer: str
    primaries: Primaries | None = None
    matrix: str | None = None


_P3 = _NamedColour("iec61966-2-1", primaries.DISPLAY_P3)
_NAMED_COLOURS = {
    "bt709": _NamedColour("bt709", primaries.BT709, "bt709"),
    "bt601": _NamedColour("smpte170m", primaries.SMPTE170M, "smpte170m"),
    "srgb": _NamedColour("iec61966-2-1", primaries.BT709),
    "p3": _P3,
    "display-p3": _P3,
    "bt2020": _NamedColour("bt2020-10", primaries.BT2020, "bt2020nc"),
    "hlg": _NamedColour("arib-std-b67", primaries.BT2020, "bt2020nc"),
    "pq": _NamedColour("smpte2084", primaries.BT2020, "bt2020nc"),
    "linear": _NamedColour("linear"),
    "acescg": _NamedColour("linear", primaries.ACES_AP1),
    "aces2065-1": _NamedColour("linear", primaries.ACES_AP0),
    "acescct": _NamedColour("acescct", primaries.ACES_AP1),
    "slog2": _NamedColour("slog2", primaries.S_GAMUT),
    "slog3": _NamedColour("slog3", primaries.S_GAMUT3_CINE),
    "slog3-sgamut3": _NamedColour("slog3", primaries.S_GAMUT3),
    "logc3": _NamedColour("logc3", primaries.ARRI_WIDE_GAMUT_3),
    "logc4": _NamedColour("logc4", primaries.ARRI_WIDE_GAMUT_4),
    "vlog": _NamedColour("vlog", primaries.V_GAMUT),
    # Canon Log is recorded in several gamuts; Canon Log 2 and 3 are Cinema Gamut's.
    "clog": _NamedColour("clog"),
    "clog2": _NamedColour("clog2", primaries.CINEMA_GAMUT),
    "clog3": _NamedColour("clog3", primaries.CINEMA_GAMUT),
    "applelog": _NamedColour("applelog", primaries.BT2020, "bt2020nc"),
    "applelog2": _NamedColour("applelog", primaries.APPLE_WIDE_GAMUT, "bt2020nc"),
    # F-Gamut and N-Gamut are BT.2020's primaries.
    "flog": _NamedColour("flog", primaries.BT2020),
    "flog2": _NamedColour("flog2", primaries.BT2020),
    "nlog": _NamedColour("nlog", primaries.BT2020),
    "dlog": _NamedColour("dlog", primaries.D_GAMUT),
    "log3g10": _NamedColour("log3g10", primaries.RED_WIDE_GAMUT),
    "davinci": _NamedColour("davinci", primaries.DAVINCI_WIDE_GAMUT),
    "bmdfilm5": _NamedColour("bmdfilm5", primaries.BMD_WIDE_GAMUT_5),
    "cineon": _NamedColour("cineon"),
}
_ALIASES = {
    "displayp3": "display-p3",
    "rec709": "bt709",
    "rec601": "bt601",
    "rec2020": "bt2020",
    "aces": "aces2065-1",
    "aces20651": "aces2065-1",
    "slog3sgamut3": "slog3-sgamut3",
    "canonlog": "clog",
    "canonlog2": "clog2",
    "canonlog3": "clog3",
    "davinciintermediate": "davinci",
    "bmdfilmgen5": "bmdfilm5",
    "blackmagicfilmgen5": "bmdfilm5",
    "redlog3g10": "log3g10",
}
_RANGES = {"full": True, "limited": False}
COLOUR_NAMES = (*_NAMED_COLOURS, *_RANGES)
# Names that users may expect, with the reason why they are not supported.
_UNSUPPORTED = {
    "dlogm": "D-Log M has no published formula; convert the clip with DJI's lookup table first, for instance in Resolve"
}


def apply_colour_name(tags: ColourTags, name: str | None, path: Path | None = None) -> ColourTags:
    """Replace a file's colour tags by those that a colour name stands for.

    Args:
        tags: the file's own.
        name: one of COLOUR_NAMES in upper or lower case, optionally followed by "-full" or "-limited" for the range;
            or "ocio:" and the name of a colour space, see :func:`howard.media.colours.ocio.find_space`. None keeps
            the file's tags.
        path: the file, for error messages.

    Raises:
        SettingsError: the name is unknown.
        InputError: the file's tags cannot be interpreted and no name overrides them.
    """
    kind, full_range = _split_range(name)
    if full_range is not None:
        tags = tags._replace(full_range=full_range)
    if kind is None:
        if tags.unknown:
            raise InputError(
                f"{path or 'the file'} has unsupported colour tags: {tags.unknown}; "
                "set its colours with input_colour= or plate_colour=, such as bt709 or bt2020"
            )
        return tags
    named = _find_named_colour(kind)
    matrix = named.matrix if named.matrix and tags.matrix != "rgb" else tags.matrix
    return ColourTags(matrix, tags.full_range, named.primaries or tags.primaries, named.transfer)


def _split_range(name: str | None) -> tuple[str | None, bool | None]:
    """Split a name such as "bt709-full" into the colour and whether the range is full; None for a missing part."""
    if name is None:
        return None, None
    kind, _, suffix = str(name).rpartition("-")
    if suffix.lower() not in _RANGES:
        return str(name), None
    return kind or None, _RANGES[suffix.lower()]


def _find_named_colour(kind: str) -> _NamedColour:
    lower = kind.lower()
    if lower.startswith(OCIO_PREFIX):
        from howard.media.colours.ocio import find_space

        # Raises here if the space is unknown, before any frame is read.
        find_space(kind[len(OCIO_PREFIX) :])
        return _NamedColour(OCIO_PREFIX + kind[len(OCIO_PREFIX) :], primaries.BT709)
    plain = re.sub(r"[^a-z0-9]", "", lower)
    if plain in _UNSUPPORTED:
        raise SettingsError(_UNSUPPORTED[plain])
    for known in (lower, plain, _ALIASES.get(plain, "")):
        if known in _NAMED_COLOURS:
            return _NAMED_COLOURS[known]
    near = difflib.get_close_matches(plain, [*_NAMED_COLOURS, *_ALIASES], n=1)
    hint = f"did you mean {_ALIASES.get(near[0], near[0])}? " if near else ""
    raise SettingsError(
        f"colour {kind!r} is unknown; {hint}give one of {', '.join(COLOUR_NAMES)}, or ocio:NAME for a colour space of "
        "OpenColorIO; append -full or -limited to set the range as well"
    )
