"""Conversion from and to colour spaces of OpenColorIO, from the configuration in $OCIO or a built-in one."""

import difflib
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from howard.errors import InputError, SettingsError

# Short names of built-in configurations: ACES Studio includes camera spaces, ACES CG has fewer spaces.
_BUILT_IN = {"studio": "studio-config-latest", "cg": "cg-config-latest"}
_DEFAULT = "studio"
# Names of the space of linear light with BT.709 primaries in common configurations, in order of preference. If a
# configuration has none of them, the conversion goes through the ACES interchange space.
_LINEAR_BT709 = (
    "lin_rec709_scene",
    "lin_rec709",
    "lin_srgb",
    "Linear Rec.709 (sRGB)",
    "Utility - Linear - Rec.709",
    "Utility - Linear - sRGB",
)
_MAX_SUGGESTIONS = 5

Conversion = Callable[[np.ndarray], np.ndarray]


class Space(NamedTuple):
    """A colour space: its ``config``, its ``name`` there, and the configuration's name or path, ``source``."""

    config: Any
    name: str
    source: str


def find_space(name: str) -> Space:
    """Find a colour space by its name, alias or role, case-insensitively.

    ``name`` may begin with "studio/", "cg/", or the full name of a built-in configuration and a slash. Otherwise the
    configuration is that of $OCIO, or ACES Studio if that is not set. Raises SettingsError, with similar names, if
    there is no such space, and InputError if $OCIO cannot be read.
    """
    source, _, inner = name.partition("/")
    if source in _BUILT_IN or source in _built_in_names():
        config, wanted = _built_in(_BUILT_IN.get(source, source)), inner
    else:
        wanted = name
        source = os.environ.get("OCIO") or _DEFAULT
        config = _built_in(_BUILT_IN[source]) if source in _BUILT_IN else _read_config(source)
    space = config.getColorSpace(wanted)
    if space is None:
        raise SettingsError(_unknown_space(config, wanted, source))
    if space.isData():
        raise SettingsError(f"{space.getName()!r} of OpenColorIO's {source} holds data, not colour; name another space")
    return Space(config, space.getName(), source)


def to_linear_bt709(name: str) -> Conversion:
    """The conversion of (..., 3) float32 from the space ``name`` to linear light with BT.709 primaries."""
    space = find_space(name)
    return _conversion(space, space.name, _linear_bt709(space))


def from_linear_bt709(name: str) -> Conversion:
    """The conversion of (..., 3) float32 from linear light with BT.709 primaries to the space ``name``."""
    space = find_space(name)
    return _conversion(space, _linear_bt709(space), space.name)


def is_linear(space: Space) -> bool:
    """Whether the space is scene-linear."""
    return bool(space.config.isColorSpaceLinear(space.name, _library().REFERENCE_SPACE_SCENE))


def _conversion(space: Space, source: str | None, target: str | None) -> Conversion:
    """Conversion between two spaces of a configuration by name; None is linear BT.709, through ACES' interchange."""
    ocio = _library()
    interchange = _built_in(_BUILT_IN["cg"])
    try:
        if source is not None and target is not None:
            processor = space.config.getProcessor(source, target)
        elif source is None:
            processor = ocio.Config.GetProcessorFromConfigs(interchange, _LINEAR_BT709[0], space.config, target)
        else:
            processor = ocio.Config.GetProcessorFromConfigs(space.config, source, interchange, _LINEAR_BT709[0])
    except ocio.Exception as error:
        raise SettingsError(
            f"OpenColorIO cannot convert {space.name!r} to linear light with BT.709 primaries "
            f"({_first_line(error)}); choose another space or configuration"
        ) from error
    cpu = processor.getDefaultCPUProcessor()

    def convert(image: np.ndarray) -> np.ndarray:
        converted = np.array(image, np.float32, order="C")
        cpu.applyRGB(converted)
        return converted

    return convert


def _linear_bt709(space: Space) -> str | None:
    return next((name for name in _LINEAR_BT709 if space.config.getColorSpace(name) is not None), None)


@lru_cache(maxsize=1)
def _library() -> Any:
    try:
        import PyOpenColorIO
    except ImportError as error:
        raise SettingsError("colour spaces of OpenColorIO need its library; pip install opencolorio") from error
    library: Any = PyOpenColorIO
    # Otherwise it prints messages about configurations to the terminal.
    library.SetLoggingLevel(library.LOGGING_LEVEL_NONE)
    return library


@lru_cache(maxsize=1)
def _built_in_names() -> frozenset[str]:
    return frozenset(each[0] for each in _library().BuiltinConfigRegistry().getBuiltinConfigs())


@lru_cache
def _built_in(name: str) -> Any:
    return _library().Config.CreateFromBuiltinConfig(name)


@lru_cache
def _read_config(path: str) -> Any:
    ocio = _library()
    try:
        config = ocio.Config.CreateFromFile(path)
        config.validate()
    except (ocio.Exception, ocio.ExceptionMissingFile) as error:
        raise InputError(
            f"OCIO={path} cannot be read as a configuration of OpenColorIO ({_first_line(error)}); check the variable, "
            "or unset it for the built-in ACES Studio configuration"
        ) from error
    return config


def _unknown_space(config: Any, wanted: str, source: str) -> str:
    """The error message for an unknown colour space, with similar names."""
    names: dict[str, str] = {}
    for space in config.getColorSpaces():
        names |= {each.lower(): space.getName() for each in (*space.getAliases(), space.getName())}
    close = difflib.get_close_matches(wanted.lower(), names, n=_MAX_SUGGESTIONS, cutoff=0.4)
    containing = [name for key, name in names.items() if wanted and wanted.lower() in key]
    similar = list(dict.fromkeys([*containing, *(names[each] for each in close)]))[:_MAX_SUGGESTIONS]
    hint = f"similar: {', '.join(map(repr, similar))}" if similar else f"it has {len(set(names.values()))} others"
    return f"OpenColorIO's configuration {Path(source).name} has no colour space {wanted!r}; {hint}"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")
