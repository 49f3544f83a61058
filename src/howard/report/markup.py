"""HTML that is escaped by construction: what is not `Markup` already is text, whatever is in it."""

import html
from collections.abc import Iterable, Mapping

_VOID = ("br", "img", "input")


class Markup(str):
    """Text that is HTML."""

    __slots__ = ()


def element(name: str, attributes: Mapping[str, object] | None = None, *children: str) -> Markup:
    """An element with its children; plain strings among these are escaped, and so are all attributes.

    An attribute that is True stands without a value, one that is False or None is left out.
    """
    parts = []
    for key, value in (attributes or {}).items():
        if value is True:
            parts.append(f" {key}")
        elif value is not False and value is not None:
            parts.append(f' {key}="{html.escape(str(value))}"')
    opening = f"<{name}{''.join(parts)}>"
    return Markup(opening if name in _VOID else f"{opening}{join(children)}</{name}>")


def join(parts: Iterable[str]) -> Markup:
    """The parts one after another; plain strings among them are escaped."""
    return Markup("".join(part if isinstance(part, Markup) else html.escape(part) for part in parts))
