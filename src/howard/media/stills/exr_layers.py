"""Layers of EXR files: grouping channels by their names (R, LAYER.R, LAYER.red, ...) and choosing the one to read."""

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
# Layers or channels that an error message lists.
_MAX_LISTED = 12


class Channel(NamedTuple):
    """A channel's full name, and the zero-based index of its part of the file."""

    name: str
    part: int


class Layer(NamedTuple):
    """The three channels to read as RGB; ``is_colour`` is False for a mask, whose values are not light."""

    name: str
    channels: tuple[Channel, ...]
    is_colour: bool


class LayerError(ValueError):
    """No layer, or no unique layer, can be chosen; the message continues a sentence that begins with the path."""


def choose_layer(parts: Sequence["Part"], wanted: str | None = None) -> Layer:
    """The layer named ``wanted``, or by default the first unnamed RGB or grey layer, else the only colour layer, else
    alpha or the only channel.

    ``wanted`` is case-insensitive and may omit leading parts of the name: "Combined" matches "ViewLayer.Combined".
    Raises LayerError if there is no such layer, or without ``wanted`` no or several candidates.
    """
    layers = _find_layers(parts)
    coloured = [layer for layer in layers if layer.is_colour]
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
    found = ", ".join(sorted(channel for part in parts for channel in part.channels)[:_MAX_LISTED])
    raise LayerError(f"has no channels R, G and B, but {found or 'none'}; write the picture as plain RGB")


class Part(NamedTuple):
    """A part of a file: its name, which may be empty, and its channels' names."""

    name: str
    channels: tuple[str, ...]


def _find_layers(parts: Sequence[Part]) -> list[Layer]:
    """All layers in file order: colour layers, then single channels as masks."""
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
    """The layer's name without the channel: "Depth" for "Depth.Z"."""
    return layer.channels[0].name.rpartition(".")[0]


def _component(name: str) -> str:
    """The meaning of a channel: "red", "green", "blue", "grey" or "alpha", or else its own name."""
    last = name.rpartition(".")[2]
    return _COMPONENTS.get(last.lower(), last)


def _is_prefixed(layer: Layer) -> bool:
    return "." in layer.channels[0].name


def _list(layers: Sequence[Layer]) -> str:
    names = list(dict.fromkeys(layer.name or layer.channels[0].name for layer in layers))
    more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    return ", ".join(names[:_MAX_LISTED]) + more
