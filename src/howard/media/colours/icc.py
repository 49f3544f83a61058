"""ICC profiles that consist of a matrix and curves, or of one grey curve, as for cameras and screens (ICC.1:2022)."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from howard.colour import linear_to_srgb
from howard.media.colours.h273 import read_code_points
from howard.media.primaries import BT709, Chromaticity, Primaries, adaptation_matrix, primaries_from_chromaticities

_HEADER_BYTES = 128
_TAG_BYTES = 12
# White points of the profile connection space, to which colorants are adapted, and of the screens that are described.
_D50 = Chromaticity(0.3457, 0.3585)
_D65 = BT709.white
# Tolerance for matching known primaries: profiles store 16 fractional bits, of values that vendors have rounded.
_SAME_CHROMATICITY = 2e-3
# A curve that deviates from the sRGB curve by less than half an 8-bit level is treated as sRGB.
_SAME_CURVE = 0.5 / 255
_COMPARED_LEVELS = 1024
# Number of parameters of a parametric curve by its function type (table 68).
_PARAMETERS = (1, 3, 4, 5, 7)


class IccError(ValueError):
    """A profile cannot be used; the message is the reason, as a clause such as "it is damaged"."""


class ToneCurve:
    """Tone curves from signals in [0, 1] to linear light in [0, 1]: one per channel, or one for all channels.

    Called with floats (..., 3), returns the same shape. Signals outside a table are clipped to its ends.
    """

    def __init__(self, channels: Sequence["_Table | _Parametric"]) -> None:
        self._channels = channels if len(channels) == 3 else [channels[0]] * 3

    def __call__(self, signal: np.ndarray) -> np.ndarray:
        return np.stack([curve(signal[..., channel]) for channel, curve in enumerate(self._channels)], axis=-1)


class IccColour(NamedTuple):
    """The colour space of a profile; ``transfer`` is "icc" if ``curve`` is needed, else a name for `WorkingSpace`."""

    name: str
    primaries: Primaries
    transfer: str
    curve: ToneCurve | None = None


class _Table(NamedTuple):
    values: np.ndarray

    def __call__(self, signal: np.ndarray) -> np.ndarray:
        return np.interp(signal, np.linspace(0, 1, len(self.values)), self.values)


class _Parametric(NamedTuple):
    """A parametric curve in the most general form of table 68: (a x + b)^g + e for x >= d, c x + f below."""

    g: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 0.0
    f: float = 0.0

    def __call__(self, signal: np.ndarray) -> np.ndarray:
        power = (self.a * signal + self.b).clip(0) ** self.g + self.e
        return np.where(signal >= self.d, power, self.c * signal + self.f)


def read_icc(profile: bytes) -> IccColour:
    """Parse a profile; raises IccError if it is damaged, uses lookup tables, or is not for RGB or grey."""
    try:
        tags = _tags(profile)
        name = _description(tags.get(b"desc", b""))
        if b"cicp" in tags:
            return _read_cicp(name, tags[b"cicp"])
        kind = profile[16:20]
        if kind == b"GRAY" and b"kTRC" in tags:
            return _recognise(name, BT709, [_curve(tags[b"kTRC"])])
        colorants, curves = (b"rXYZ", b"gXYZ", b"bXYZ"), (b"rTRC", b"gTRC", b"bTRC")
        if kind != b"RGB " or not tags.keys() >= {*colorants, *curves}:
            raise IccError(f"{name} is not made of a matrix and curves")
        primaries = _primaries(np.array([_xyz(tags[each]) for each in colorants]).T)
        return _recognise(name, primaries, [_curve(tags[each]) for each in curves])
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise IccError("it is damaged") from error


def _tags(profile: bytes) -> dict[bytes, bytes]:
    if profile[36:40] != b"acsp":
        raise IccError("it is damaged")
    (count,) = struct.unpack_from(">I", profile, _HEADER_BYTES)
    tags = {}
    for number in range(min(count, len(profile) // _TAG_BYTES)):
        signature, offset, size = struct.unpack_from(">4sII", profile, _HEADER_BYTES + 4 + number * _TAG_BYTES)
        tags[signature] = profile[offset : offset + size]
    return tags


def _description(tag: bytes) -> str:
    """The profile's name, from a text description (version 2) or multi-localised Unicode (version 4)."""
    if tag[:4] == b"desc":
        (length,) = struct.unpack_from(">I", tag, 8)
        text = tag[12 : 12 + length].decode("latin-1")
    elif tag[:4] == b"mluc":
        length, offset = struct.unpack_from(">II", tag, 20)
        text = tag[offset : offset + length].decode("utf-16-be")
    else:
        text = ""
    return "".join(filter(str.isprintable, text)) or "ICC profile"


def _read_cicp(name: str, tag: bytes) -> IccColour:
    points = read_code_points(tag[8], tag[9])
    if points.unknown or points.transfer is None:
        raise IccError(f"{name} says {points.unknown or 'no transfer'}")
    return IccColour(name, points.primaries or BT709, points.transfer)


def _recognise(name: str, primaries: Primaries, curves: Sequence[_Table | _Parametric]) -> IccColour:
    """Identify sRGB and linear curves by name, so that sRGB images pass unchanged."""
    curve = ToneCurve(curves)
    signal = np.linspace(0, 1, _COMPARED_LEVELS)
    linear = curve(np.repeat(signal[:, None], 3, axis=1))
    if not np.isfinite(linear).all():
        raise IccError(f"{name} has a curve without values")
    if np.abs(linear_to_srgb(linear.clip(0)) - signal[:, None]).max() < _SAME_CURVE:
        return IccColour(name, primaries, "iec61966-2-1")
    if np.abs(linear - signal[:, None]).max() < _SAME_CURVE:
        return IccColour(name, primaries, "linear")
    return IccColour(name, primaries, "icc", curve)


def _primaries(to_connection_space: np.ndarray) -> Primaries:
    """Primaries with white D65 from the 3x3 matrix to the connection space, whose white is D50."""
    columns = adaptation_matrix(_D50, _D65) @ np.column_stack([to_connection_space, to_connection_space.sum(axis=1)])
    sums = columns.sum(axis=0)
    if not (np.abs(sums) > 0).all():
        raise IccError("its colorants are not valid colours")
    try:
        return primaries_from_chromaticities(np.ravel((columns[:2] / sums).T).tolist(), _SAME_CHROMATICITY)
    except ValueError as error:
        raise IccError("its colorants are not valid colours") from error


def _xyz(tag: bytes) -> tuple[float, float, float]:
    x, y, z = struct.unpack_from(">3i", tag, 8)
    return x / 65536, y / 65536, z / 65536


def _curve(tag: bytes) -> _Table | _Parametric:
    kind = tag[:4]
    if kind == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return _Parametric(1.0)
        values = np.frombuffer(tag, ">u2", count=min(count, (len(tag) - 12) // 2), offset=12)
        if len(values) < count:
            raise IccError("it is damaged")
        return _Parametric(values[0] / 256) if count == 1 else _Table(values / 65535)
    if kind == b"para":
        (function,) = struct.unpack_from(">H", tag, 8)
        if function >= len(_PARAMETERS):
            raise IccError(f"it has a curve of the unknown type {function}")
        numbers = [value / 65536 for value in struct.unpack_from(f">{_PARAMETERS[function]}i", tag, 12)]
        return _parametric(function, numbers)
    raise IccError("it has a curve of an unknown kind")


def _parametric(function: int, numbers: list[float]) -> _Parametric:
    """A curve of function type 0 to 4 in the most general form."""
    if function in (1, 2):
        g, a, b = numbers[:3]
        offset = numbers[3] if function == 2 else 0.0
        return _Parametric(g, a, b, d=-b / a if a else 0.0, e=offset, f=offset)
    return _Parametric(*numbers)
