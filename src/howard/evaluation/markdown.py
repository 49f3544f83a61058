"""Markdown tables of figures. No torch here."""

import math


def markdown_table(headings: list[str], rows: list[list[str]]) -> str:
    """Columns of even width; all but the first ones of words are set to the right."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    is_number = [all(_starts_a_number(row[column]) for row in rows) for column in range(len(headings))]
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


def number(value: float) -> str:
    """Three digits and more; a dash where there is no score."""
    if math.isnan(value):
        return "-"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.2g}"


def _starts_a_number(cell: str) -> bool:
    return cell == "-" or (cell[:1].isdigit() and " " not in cell)
