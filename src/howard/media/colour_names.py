"""The names by which a person says what a file's colours are, where its tags are wrong, missing or unknown."""

import difflib
import re
from pathlib import Path
from typing import NamedTuple

from howard.errors import InputError, SettingsError
from howard.media import primaries
from howard.media.primaries import Primaries
from howard.media.working_space import OCIO_PREFIX, ColourTags


class _Meaning(NamedTuple):
    """What a name says; None leaves what the file says."""

    transfer: str
    primaries: Primaries | None = None
    matrix: str | None = None


_P3 = _Meaning("iec61966-2-1", primaries.DISPLAY_P3)
_MEANINGS = {
    "bt709": _Meaning("bt709", primaries.BT709, "bt709"),
    "bt601": _Meaning("smpte170m", primaries.SMPTE170M, "smpte170m"),
    "srgb": _Meaning("iec61966-2-1", primaries.BT709),
    "p3": _P3,
    "display-p3": _P3,
    "bt2020": _Meaning("bt2020-10", primaries.BT2020, "bt2020nc"),
    "hlg": _Meaning("arib-std-b67", primaries.BT2020, "bt2020nc"),
    "pq": _Meaning("smpte2084", primaries.BT2020, "bt2020nc"),
    "linear": _Meaning("linear"),
    "acescg": _Meaning("linear", primaries.ACES_AP1),
    "aces2065-1": _Meaning("linear", primaries.ACES_AP0),
    "acescct": _Meaning("acescct", primaries.ACES_AP1),
    "slog2": _Meaning("slog2", primaries.S_GAMUT),
    "slog3": _Meaning("slog3", primaries.S_GAMUT3_CINE),
    "slog3-sgamut3": _Meaning("slog3", primaries.S_GAMUT3),
    "logc3": _Meaning("logc3", primaries.ARRI_WIDE_GAMUT_3),
    "logc4": _Meaning("logc4", primaries.ARRI_WIDE_GAMUT_4),
    "vlog": _Meaning("vlog", primaries.V_GAMUT),
    # Canon Log is recorded in several gamuts; Canon Log 2 and 3 are Cinema Gamut's.
    "clog": _Meaning("clog"),
    "clog2": _Meaning("clog2", primaries.CINEMA_GAMUT),
    "clog3": _Meaning("clog3", primaries.CINEMA_GAMUT),
    "applelog": _Meaning("applelog", primaries.BT2020, "bt2020nc"),
    "applelog2": _Meaning("applelog", primaries.APPLE_WIDE_GAMUT, "bt2020nc"),
    # F-Gamut and N-Gamut are BT.2020's primaries.
    "flog": _Meaning("flog", primaries.BT2020),
    "flog2": _Meaning("flog2", primaries.BT2020),
    "nlog": _Meaning("nlog", primaries.BT2020),
    "dlog": _Meaning("dlog", primaries.D_GAMUT),
    "log3g10": _Meaning("log3g10", primaries.RED_WIDE_GAMUT),
    "davinci": _Meaning("davinci", primaries.DAVINCI_WIDE_GAMUT),
    "bmdfilm5": _Meaning("bmdfilm5", primaries.BMD_WIDE_GAMUT_5),
    "cineon": _Meaning("cineon"),
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
COLOUR_NAMES = (*_MEANINGS, *_RANGES)
# Names that people will try, and why they cannot be had.
_REFUSED = {
    "dlogm": "D-Log M has no published formula; convert the clip with DJI's lookup table first, for instance in Resolve"
}


def apply_colour_name(tags: ColourTags, name: str | None, path: Path | None = None) -> ColourTags:
    """Read a file as ``name`` says in place of its tags; None changes nothing. ``path`` is the file, for messages.

    A name is one of COLOUR_NAMES, in any case, which may end in "-full" or "-limited" to say the range as well; or
    "ocio:" and the name of a colour space, as :func:`howard.media.colours.ocio.find_space` takes it. Raises
    SettingsError where it is unknown, and InputError where the tags are unknown and no name overrides them.
    """
    kind, full_range = _split_range(name)
    if full_range is not None:
        tags = tags._replace(full_range=full_range)
    if kind is None:
        if tags.unknown:
            raise InputError(
                f"{path or 'the file'} says {tags.unknown}, which cannot be read; "
                "say what its colours are with input_colour= or plate_colour=, such as bt709 or bt2020"
            )
        return tags
    meaning = _find_meaning(kind)
    matrix = meaning.matrix if meaning.matrix and tags.matrix != "rgb" else tags.matrix
    return ColourTags(matrix, tags.full_range, meaning.primaries or tags.primaries, meaning.transfer)


def _split_range(name: str | None) -> tuple[str | None, bool | None]:
    """A name without the range that it may end in, and that range; None for what is not said."""
    if name is None:
        return None, None
    kind, _, ending = str(name).rpartition("-")
    if ending.lower() not in _RANGES:
        return str(name), None
    return kind or None, _RANGES[ending.lower()]


def _find_meaning(kind: str) -> _Meaning:
    lower = kind.lower()
    if lower.startswith(OCIO_PREFIX):
        from howard.media.colours.ocio import find_space

        # Raises where the space is unknown: before anything is read.
        find_space(kind[len(OCIO_PREFIX) :])
        return _Meaning(OCIO_PREFIX + kind[len(OCIO_PREFIX) :], primaries.BT709)
    plain = re.sub(r"[^a-z0-9]", "", lower)
    if plain in _REFUSED:
        raise SettingsError(_REFUSED[plain])
    for known in (lower, plain, _ALIASES.get(plain, "")):
        if known in _MEANINGS:
            return _MEANINGS[known]
    near = difflib.get_close_matches(plain, [*_MEANINGS, *_ALIASES], n=1)
    hint = f"did you mean {_ALIASES.get(near[0], near[0])}? " if near else ""
    raise SettingsError(
        f"colour {kind!r} is unknown; {hint}give one of {', '.join(COLOUR_NAMES)}, or ocio:NAME for a colour space of "
        "OpenColorIO; where the range is wrong too, put -full or -limited after it"
    )
