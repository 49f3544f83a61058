"""The colour space that EXR files are written in."""

from typing import NamedTuple

import numpy as np

from howard.media.colours import ocio
from howard.media.primaries import (
    ACES_AP0,
    ACES_AP1,
    BT709,
    Primaries,
    primaries_from_chromaticities,
    rgb_to_bt709,
    rgb_to_xyz,
)
from howard.media.working_space import OCIO_PREFIX


class _BuiltIn(NamedTuple):
    primaries: Primaries
    interop_id: str
    description: str


_BUILT_IN = {
    "linear": _BuiltIn(BT709, "lin_rec709_scene", "scene-linear, BT.709 primaries, D65"),
    "acescg": _BuiltIn(ACES_AP1, "lin_ap1_scene", "scene-linear, ACEScg (AP1)"),
    "aces2065-1": _BuiltIn(ACES_AP0, "lin_ap0_scene", "scene-linear, ACES2065-1 (AP0)"),
}
_ALIASES = {"bt709": "linear", "aces": "aces2065-1"}
OUTPUT_COLOURS = tuple(_BUILT_IN)
# Largest difference of matrix elements at which a space of a configuration is identified with known primaries.
_SAME_MATRIX = 2e-3
_KNOWN = (BT709, ACES_AP1, ACES_AP0)


class OutputColour(NamedTuple):
    """The colour space of EXR files; see :func:`choose_output_colour`.

    ``primaries`` are None if the space is not scene-linear. ``interop_id`` is the value of the EXR attribute
    colorInteropID, empty if no standard name applies. ``description`` is for the sidecar.
    """

    name: str
    description: str
    primaries: Primaries | None
    interop_id: str
    convert: ocio.Conversion

    def __call__(self, linear: np.ndarray) -> np.ndarray:
        """Convert straight linear light with BT.709 primaries, (..., 3) float32, to this colour space."""
        return self.convert(linear)


def choose_output_colour(name: str | None) -> OutputColour:
    """The output colour space ``name``: one of OUTPUT_COLOURS (None is the first), or a colour space of OpenColorIO.

    The prefix "ocio:" of OpenColorIO's names is optional, see :func:`howard.media.colours.ocio.find_space`. Raises
    SettingsError, with similar names, if the name is unknown.
    """
    wanted = "linear" if name is None else str(name)
    plain = wanted.lower()
    plain = _ALIASES.get(plain, plain)
    if plain in _BUILT_IN:
        primaries, interop_id, description = _BUILT_IN[plain]
        return OutputColour(plain, description, primaries, interop_id, _matrix_conversion(primaries))
    if plain.startswith(OCIO_PREFIX):
        wanted = wanted[len(OCIO_PREFIX) :]
    space = ocio.find_space(wanted)
    convert = ocio.from_linear_bt709(wanted)
    is_linear = ocio.is_linear(space)
    return OutputColour(
        name=OCIO_PREFIX + wanted,
        description=f"{space.name} of OpenColorIO's {space.source}{', scene-linear' if is_linear else ''}",
        primaries=_primaries_of(convert) if is_linear else None,
        interop_id="",
        convert=convert,
    )


def _matrix_conversion(primaries: Primaries) -> ocio.Conversion:
    if primaries == BT709:
        return lambda linear: linear
    matrix = np.linalg.inv(rgb_to_bt709(primaries)).astype(np.float32)
    return lambda linear: linear @ matrix.T


def _primaries_of(convert: ocio.Conversion) -> Primaries:
    """The primaries of a linear space, from its conversion of BT.709's; with white D65 if they are not known ones."""
    to_bt709 = np.linalg.inv(convert(np.eye(3, dtype=np.float32)).T.astype(float))
    for known in _KNOWN:
        if np.allclose(rgb_to_bt709(known), to_bt709, rtol=0, atol=_SAME_MATRIX):
            return known
    colours = rgb_to_xyz(BT709) @ np.column_stack([to_bt709, to_bt709.sum(axis=1)])
    return primaries_from_chromaticities(np.ravel((colours[:2] / colours.sum(axis=0)).T).tolist())
