"""Which channels of an EXR file are the picture, as programs name them: R, LAYER.R, LAYER.red, r, A alone, ..."""

import difflib
from collections.abc import Sequence
from typing import NamedTuple

_COMPONENTS = {
    "r": "red",
    "red": "red",
    "g": "green",
    "green": "green",
    "b": "blue",
    "blue": "blue",
    "y": "grey",
    "a": "alpha",
    "alpha": "alpha",
}
_COLOUR = ("red", "green", "blue")
_CHROMA = frozenset({"RY", "BY"})
_MOST_NAMED = 12


class Channel(NamedTuple):
    """A channel's full name, and the part of the file that it is in, counted from zero."""

    name: str
    part: int


class Layer(NamedTuple):
    """Channels of one picture; ``is_light`` is False for coverage, a mask's values."""

    name: str
    channels: tuple[Channel, ...]
    is_light: bool


class LayerError(ValueError):
    """The picture cannot be told among the channels; the text says what there is and what to do."""


def choose_layer(parts: Sequence["Part"], wanted: str | None = None) -> Layer:
    """The layer ``wanted``, or the one that is meant where nothing is: the plain R, G and B of the first part that has
    them, the only layer of colour, or the only channel.

    ``wanted`` may leave out what comes before, as Combined for ViewLayer.Combined, and is matched in any case. Raises
    LayerError where there is no such layer, none of colour, or several.
    """
    layers = _find_layers(parts)
    coloured = [layer for layer in layers if layer.is_light]
    if wanted:
        return _named(layers, wanted)
    plain = [layer for layer in coloured if not _is_prefixed(layer)]
    if plain:
        return plain[0]
    if len(coloured) == 1:
        return coloured[0]
    if coloured:
        raise LayerError(f"has several layers; choose one with layer=NAME: {_list(coloured)}")
    alpha = [layer for layer in layers if _component(layer.channels[0].name) == "alpha"]
    if alpha or len(layers) == 1:
        return (alpha or layers)[0]
    found = ", ".join(sorted(channel for part in parts for channel in part.channels)[:_MOST_NAMED])
    raise LayerError(f"has no channels R, G and B, but {found or 'none'}; write the picture as plain RGB")


class Part(NamedTuple):
    """A part of a file: its name, empty where it has none, and its channels' names."""

    name: str
    channels: tuple[str, ...]


def _find_layers(parts: Sequence[Part]) -> list[Layer]:
    """Every layer in the file's order: those of colour, then single channels."""
    coloured, single = [], []
    for number, part in enumerate(parts):
        groups: dict[str, dict[str, str]] = {}
        for name in part.channels:
            prefix = name.rpartition(".")[0]
            groups.setdefault(prefix, {})[_component(name)] = name
        has_chroma = set(part.channels) >= _CHROMA
        for prefix, names in groups.items():
            title = prefix or part.name
            if set(_COLOUR) <= names.keys():
                coloured.append(Layer(title, tuple(Channel(names[each], number) for each in _COLOUR), True))
            elif "grey" in names and not (has_chroma and not prefix):
                coloured.append(Layer(title, (Channel(names["grey"], number),) * 3, True))
            else:
                for name in names.values():
                    single.append(Layer(name if prefix else title or name, (Channel(name, number),) * 3, False))
    return coloured + single


def _named(layers: Sequence[Layer], wanted: str) -> Layer:
    lower = wanted.lower()
    for name_of in (_full_name, _channel_name, _group_name):
        for layer in layers:
            name = name_of(layer).lower()
            if name == lower or name.endswith(f".{lower}"):
                return layer
    near = difflib.get_close_matches(lower, [_full_name(layer).lower() for layer in layers], n=1, cutoff=0.4)
    hint = next((f"; did you mean {layer.name}?" for layer in layers if near and layer.name.lower() == near[0]), ";")
    raise LayerError(f"has no layer {wanted!r}{hint} it has {_list(layers)}")


def _full_name(layer: Layer) -> str:
    return layer.name


def _channel_name(layer: Layer) -> str:
    return layer.channels[0].name


def _group_name(layer: Layer) -> str:
    """Depth for Depth.Z."""
    return layer.channels[0].name.rpartition(".")[0]


def _component(name: str) -> str:
    """What a channel stands for, or its own name where that is no colour."""
    last = name.rpartition(".")[2]
    return _COMPONENTS.get(last.lower(), last)


def _is_prefixed(layer: Layer) -> bool:
    return "." in layer.channels[0].name


def _list(layers: Sequence[Layer]) -> str:
    names = list(dict.fromkeys(layer.name or layer.channels[0].name for layer in layers))
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
