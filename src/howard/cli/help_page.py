"""A command's settings as a help page and as Markdown tables, both generated from the settings dataclass."""

import textwrap
from collections.abc import Mapping, Sequence

from howard.fields import Setting, list_settings

# Columns of a help page.
_COLUMNS = 120


def help_page(
    command: str, purpose: str, settings_class: type, examples: Sequence[str], groups: Mapping[str, str] | None = None
) -> str:
    """The text of ``--help``.

    Args:
        command: as it is typed.
        purpose: what the command does, in a sentence.
        settings_class: dataclass of its settings.
        examples: command lines.
        groups: headings by the settings' groups, in order; None makes one list.
    """
    settings = list_settings(settings_class)
    rows = {each.name: (f"{each.name}=", each.default_text(), each.explain()) for each in settings}
    widths = [max(len(row[column]) for row in rows.values()) for column in (0, 1)]
    lines = []
    for heading, members in _grouped(settings, groups or {"": ""}).items():
        lines += ["", f"{heading}:"] if heading else [""]
        for key, default, doc in (rows[each.name] for each in members):
            begin = f"  {key:<{widths[0]}}  {default:<{widths[1]}}  "
            wrapped = textwrap.TextWrapper(_COLUMNS, initial_indent=begin, subsequent_indent=" " * len(begin))
            lines += wrapped.wrap(doc)
    shown = [f"  {example}" for example in examples]
    return "\n".join([f"usage: {command} key=value ...", "", purpose, *lines, "", "examples:", *shown])


def settings_table(settings_class: type, groups: Mapping[str, str]) -> str:
    """The settings in Markdown, one table for each of ``groups`` (headings by group)."""
    parts = []
    for heading, members in _grouped(list_settings(settings_class), groups).items():
        parts += [f"### {heading}", "", "| setting | default | meaning |", "| --- | --- | --- |"]
        for each in members:
            parts.append(f"| `{each.name}=` | {_markdown_default(each)} | {_markdown_meaning(each)} |")
        parts.append("")
    return "\n".join(parts)


def _grouped(settings: Sequence[Setting], groups: Mapping[str, str]) -> dict[str, list[Setting]]:
    return {heading: [each for each in settings if each.group == group] for group, heading in groups.items()}


def _markdown_default(setting: Setting) -> str:
    text = setting.default_text()
    return {"required": "required", "-": ""}.get(text, f"`{text}`")


def _markdown_meaning(setting: Setting) -> str:
    if not setting.choices:
        return setting.doc
    meanings = [f"`{name}`{f' ({meaning})' if meaning else ''}" for name, meaning in setting.choices.items()]
    return f"{setting.doc}: {', '.join(meanings)}"
