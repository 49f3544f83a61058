"""The names by which a person says what a file's colours are, where its tags are wrong or missing."""

import re
from typing import NamedTuple

from howard.errors import SettingsError
from howard.media import primaries
from howard.media.primaries import Primaries
from howard.media.working_space import ColourTags


class _Meaning(NamedTuple):
    """What a name says; None leaves what the file says."""

    transfer: str
    primaries: Primaries | None = None
    matrix: str | None = None


_MEANINGS = {
    "bt709": _Meaning("bt709", primaries.BT709, "bt709"),
    "bt601": _Meaning("smpte170m", primaries.SMPTE170M, "smpte170m"),
    "srgb": _Meaning("iec61966-2-1", primaries.BT709),
    "p3": _Meaning("iec61966-2-1", primaries.DISPLAY_P3),
    "bt2020": _Meaning("bt2020-10", primaries.BT2020, "bt2020nc"),
    "hlg": _Meaning("arib-std-b67", primaries.BT2020, "bt2020nc"),
    "pq": _Meaning("smpte2084", primaries.BT2020, "bt2020nc"),
    "linear": _Meaning("linear"),
    "acescg": _Meaning("linear", primaries.ACES_AP1),
    "aces2065-1": _Meaning("linear", primaries.ACES_AP0),
    "slog3": _Meaning("slog3", primaries.S_GAMUT3_CINE),
    "slog3-sgamut3": _Meaning("slog3", primaries.S_GAMUT3),
    "logc3": _Meaning("logc3", primaries.ARRI_WIDE_GAMUT_3),
    "logc4": _Meaning("logc4", primaries.ARRI_WIDE_GAMUT_4),
    "vlog": _Meaning("vlog", primaries.V_GAMUT),
    "clog3": _Meaning("clog3", primaries.CINEMA_GAMUT),
}
_RANGES = {"full": True, "limited": False}
COLOUR_NAMES = (*_MEANINGS, *_RANGES)


def apply_colour_name(tags: ColourTags, name: str | None) -> ColourTags:
    """Read a file as ``name`` says in place of its tags; None changes nothing.

    A name is one of COLOUR_NAMES, in any case, and may end in "-full" or "-limited" to say the range as well. Raises
    SettingsError where it is unknown.
    """
    if name is None:
        return tags
    kind, _, ending = str(name).lower().rpartition("-")
    if ending not in _RANGES:
        kind, ending = str(name).lower(), ""
    if ending:
        tags = tags._replace(full_range=_RANGES[ending])
    if kind == "" and ending:
        return tags
    meaning = _MEANINGS.get(kind) or _MEANINGS.get(re.sub(r"[^a-z0-9]", "", kind))
    if meaning is None:
        raise SettingsError(
            f"colour {name!r} is unknown; give one of {', '.join(COLOUR_NAMES)}, "
            "and where the range is wrong too, put -full or -limited after it"
        )
    matrix = meaning.matrix if meaning.matrix and tags.matrix != "rgb" else tags.matrix
    return ColourTags(matrix, tags.full_range, meaning.primaries or tags.primaries, meaning.transfer)
