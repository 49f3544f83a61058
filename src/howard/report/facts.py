"""The sidecar as tables: inputs, settings, weights, runtime, and whatever else it holds."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from howard.report.markup import Markup, element

_TITLES = {"source": "Shot", "outputs": "Output"}


def fact_tables(sidecar: dict[str, Any]) -> Markup:
    """A table for every section of a sidecar, all that stand alone in one of their own."""
    sections = {key: value for key, value in sidecar.items() if isinstance(value, dict | list) and value}
    alone = {key: value for key, value in sidecar.items() if key not in sections}
    tables = [_table(_TITLES.get(key, _in_words(key)), value) for key, value in sections.items()]
    return element("div", {"class": "facts"}, *tables, *([_table("More", alone)] if alone else []))


def _table(title: str, facts: Any) -> Markup:
    rows = (
        element("tr", None, element("th", {"scope": "row"}, name), element("td", None, text))
        for name, text in _rows(facts)
    )
    return element("table", None, element("caption", None, title), element("tbody", None, *rows))


def _rows(facts: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every value below ``facts`` with the names that lead to it."""
    if isinstance(facts, dict):
        for key, value in facts.items():
            yield from _rows(value, f"{name}, {_in_words(key).lower()}" if name else _in_words(key))
    elif isinstance(facts, list) and any(isinstance(each, dict | list) for each in facts):
        for position, each in enumerate(facts, start=1):
            yield from _rows(each, f"{name} {position}".strip() if len(facts) > 1 else name)
    else:
        yield name, _text(facts, name)


def _text(value: Any, name: str) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(each, "") for each in value) or "none"
    if isinstance(value, int) and name.endswith("modified ns"):
        return _date(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _date(nanoseconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(nanoseconds / 1e9, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return str(nanoseconds)


def _in_words(key: str) -> str:
    words = str(key).replace("_", " ")
    return words[:1].upper() + words[1:]
