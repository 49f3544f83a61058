"""The colour tags of video files: code points of ITU-T H.273, read as players do, and refused where unknown."""

from pathlib import Path

import av
from av.video.reformatter import ColorRange

from howard.errors import InputError
from howard.media.colour_names import apply_colour_name
from howard.media.primaries import BT470BG, BT709, BT2020, DCI_P3, DISPLAY_P3, SMPTE170M, V_GAMUT
from howard.media.working_space import ColourTags

# Unspecified, and 0: no coding of luma and chroma, but what some programs write for want of a tag.
_MISSING = (0, 2)
_MATRICES = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc"}
# SMPTE 240M has the primaries of SMPTE 170M. 256 and above are FFmpeg's own, for cameras.
_PRIMARIES = {
    1: BT709,
    5: BT470BG,
    6: SMPTE170M,
    7: SMPTE170M,
    9: BT2020,
    11: DCI_P3,
    12: DISPLAY_P3,
    256: V_GAMUT,
}
# Those of SDR are told apart by name only: their code values pass unchanged.
_TRANSFERS = {
    1: "bt709",
    4: "gamma22",
    5: "gamma28",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    11: "iec61966-2-4",
    12: "bt1361e",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    18: "arib-std-b67",
    256: "vlog",
}
# What else H.273 has a code for, so that messages can name it.
_OTHER_MATRICES = {
    8: "ycgco",
    10: "bt2020c",
    11: "smpte2085",
    12: "chroma-derived-nc",
    13: "chroma-derived-c",
    14: "ictcp",
    15: "ipt-c2",
    16: "ycgco-re",
    17: "ycgco-ro",
}
_OTHER_PRIMARIES = {4: "bt470m", 8: "film", 10: "smpte428", 22: "ebu3213"}
_OTHER_TRANSFERS = {9: "log100", 10: "log316", 17: "smpte428"}


def read_colour_tags(path: Path, frame: av.VideoFrame, colour: str | None = None) -> ColourTags:
    """Read a decoded frame's tags, or what ``colour``, one of COLOUR_NAMES, says in their place.

    What is missing is filled in as players do: without a matrix tag, pictures below 720 lines are BT.601 and all others
    BT.709; without a range tag, YCbCr is limited range. Raises InputError, naming the tag, for one that is there but
    cannot be read; SettingsError where ``colour`` is unknown.
    """
    is_rgb = frame.format.is_rgb
    matrix, primaries, transfer = int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc)
    if matrix in _MISSING:
        matrix = 1 if max(frame.height, frame.width * 9 // 16) >= 720 else 6
    primaries, transfer = (1 if code in _MISSING else code for code in (primaries, transfer))
    said = ColourTags(
        matrix="rgb" if is_rgb else _name(matrix, _MATRICES, _OTHER_MATRICES),
        full_range=is_rgb or int(frame.color_range) == ColorRange.JPEG,
        primaries=_PRIMARIES.get(primaries, BT709._replace(name=_name(primaries, {}, _OTHER_PRIMARIES))),
        transfer=_name(transfer, _TRANSFERS, _OTHER_TRANSFERS),
    )
    used = apply_colour_name(said, colour)
    if not is_rgb and matrix not in _MATRICES and used.matrix == said.matrix:
        raise _unreadable(path, "matrix", said.matrix)
    if primaries not in _PRIMARIES and used.primaries == said.primaries:
        raise _unreadable(path, "primaries", said.primaries.name)
    if transfer not in _TRANSFERS and used.transfer == said.transfer:
        raise _unreadable(path, "transfer", said.transfer)
    return used


def _name(code: int, known: dict[int, str], others: dict[int, str]) -> str:
    return known.get(code) or others.get(code) or f"code {code}"


def _unreadable(path: Path, kind: str, name: str) -> InputError:
    return InputError(
        f"{path}: its {kind} tag '{name}' cannot be read; convert the clip to BT.709, or say what its colours are, "
        "for instance input_colour=bt709"
    )
