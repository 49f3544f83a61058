"""Colour spaces of OpenColorIO: of the configuration in $OCIO, or of one of those built into the library."""

import difflib
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from howard.errors import InputError, SettingsError

# What the built-in configurations are called here: ACES Studio has the cameras' spaces too, ACES CG fewer.
_BUILT_IN = {"studio": "studio-config-latest", "cg": "cg-config-latest"}
_DEFAULT = "studio"
# Names that configurations have for linear light with BT.709 primaries, the first that is there is taken; without one,
# the exchange space of ACES leads there.
_LINEAR_BT709 = (
    "lin_rec709_scene",
    "lin_rec709",
    "lin_srgb",
    "Linear Rec.709 (sRGB)",
    "Utility - Linear - Rec.709",
    "Utility - Linear - sRGB",
)
_MOST_NEAR = 5

Conversion = Callable[[np.ndarray], np.ndarray]


class Space(NamedTuple):
    """A colour space of a configuration; ``name`` as the configuration writes it, ``source`` what was opened."""

    config: Any
    name: str
    source: str


def find_space(name: str) -> Space:
    """Find a colour space by its name, an alias or a role, in any case.

    ``name`` may begin with "studio/" or "cg/", or the full name of a built-in configuration and a slash; otherwise the
    configuration is $OCIO's, and ACES Studio where that is not set. Raises SettingsError, with near matches, where
    there is no such space, and InputError where $OCIO cannot be read.
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
        raise SettingsError(_unknown(config, wanted, source))
    if space.isData():
        raise SettingsError(f"{space.getName()!r} of OpenColorIO's {source} holds data, not colour; name another space")
    return Space(config, space.getName(), source)


def to_linear_bt709(name: str) -> Conversion:
    """Conversion of (..., 3) float32 in the space ``name`` to linear light with BT.709 primaries."""
    space = find_space(name)
    return _conversion(space, space.name, _linear_bt709(space))


def from_linear_bt709(name: str) -> Conversion:
    """Conversion of (..., 3) float32 linear light with BT.709 primaries to the space ``name``."""
    space = find_space(name)
    return _conversion(space, _linear_bt709(space), space.name)


def is_linear(space: Space) -> bool:
    """Whether the space holds linear light of the scene."""
    return bool(space.config.isColorSpaceLinear(space.name, _library().REFERENCE_SPACE_SCENE))


def _conversion(space: Space, source: str | None, target: str | None) -> Conversion:
    """From ``source`` to ``target``, names in the space's configuration; None is BT.709, reached by ACES' exchange."""
    ocio = _library()
    exchange = _built_in(_BUILT_IN["cg"])
    try:
        if source is not None and target is not None:
            processor = space.config.getProcessor(source, target)
        elif source is None:
            processor = ocio.Config.GetProcessorFromConfigs(exchange, _LINEAR_BT709[0], space.config, target)
        else:
            processor = ocio.Config.GetProcessorFromConfigs(space.config, source, exchange, _LINEAR_BT709[0])
    except ocio.Exception as error:
        raise SettingsError(
            f"OpenColorIO cannot convert {space.name!r} to linear light with BT.709 primaries "
            f"({_first_line(error)}); name another space or configuration"
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
    # It writes remarks on configurations to the terminal otherwise.
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


def _unknown(config: Any, wanted: str, source: str) -> str:
    names: dict[str, str] = {}
    for space in config.getColorSpaces():
        names |= {each.lower(): space.getName() for each in (*space.getAliases(), space.getName())}
    near = difflib.get_close_matches(wanted.lower(), names, n=_MOST_NEAR, cutoff=0.4)
    containing = [name for key, name in names.items() if wanted and wanted.lower() in key]
    nearest = list(dict.fromkeys([*containing, *(names[each] for each in near)]))[:_MOST_NEAR]
    hint = f"near are {', '.join(map(repr, nearest))}" if nearest else f"it has {len(set(names.values()))} others"
    kind = Path(source).name
    return f"OpenColorIO's configuration {kind} has no colour space {wanted!r}; {hint}"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")
