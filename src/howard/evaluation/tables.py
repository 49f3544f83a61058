"""Tables of scores in Markdown, and scores as JSON. Imports no torch."""

import json
import math
from typing import Any


def markdown_table(headings: list[str], rows: list[list[str]]) -> str:
    """A table with aligned columns; columns of numbers are right-aligned."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    is_number = [all(_is_numeric(row[column]) for row in rows) for column in range(len(headings))]
    rule = ["-" * (width - 1) + ":" if right else "-" * width for width, right in zip(widths, is_number, strict=True)]
    lines = [headings, rule, *rows]
    return "\n".join(
        "| "
        + " | ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, is_number, strict=True)
        )
        + " |"
        for line in lines
    )


def format_number(value: float) -> str:
    """A number with two or more significant digits; a dash for NaN."""
    if math.isnan(value):
        return "-"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.2g}"


def to_json(**values: Any) -> str:
    """The values as JSON; NaN becomes null."""
    return json.dumps(_replace_nan(values), indent=2) + "\n"


def _is_numeric(cell: str) -> bool:
    return cell == "-" or (cell[:1].isdigit() and " " not in cell)


def _replace_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _replace_nan(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_replace_nan(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value
