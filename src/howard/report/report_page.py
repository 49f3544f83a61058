"""The report's HTML page: summary, sampled frames, frames that need checking, curves, and the sidecar as tables."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from importlib.resources import files
from operator import itemgetter
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from markupsafe import Markup

from howard.media import write_atomically
from howard.render_record import REASONS, REPORT
from howard.report.curves import Span, render_curves, weak_spans
from howard.report.finished_render import FinishedRender, FrameLine, Sample, read_render, section
from howard.report.html_templates import render_template
from howard.report.sampled_frames import choose_samples, render_samples

# Spans of frames to check that are listed.
_MAX_LISTED = 40
# Titles of the sidecar's sections that are not their keys.
_TITLES = {"source": "Shot", "outputs": "Output"}


class Tile(NamedTuple):
    """A figure of the summary; ``status`` colours it."""

    label: str
    value: str
    status: str = ""


class ListedSpan(NamedTuple):
    """A span of frames to check; ``sampled`` is the first of them with images, which it links to."""

    name: str
    status: str
    reasons: str
    sampled: int | None


class FactTable(NamedTuple):
    """A section of the sidecar as rows of name and text."""

    title: str
    rows: list[tuple[str, str]]


def write_report(folder: str | Path) -> Path:
    """Write the report of the render in ``folder`` and return its path, ``folder/report.html``.

    The page is a single file: images, styles and script are embedded. Raises InputError if the folder holds no render,
    OutputError if the page cannot be written.
    """
    folder = Path(folder)
    page = folder / REPORT
    # File names need not be valid Unicode; invalid characters become question marks.
    write_atomically(page, render_page(read_render(folder)).encode("utf-8", errors="replace"))
    return page


def render_page(render: FinishedRender) -> str:
    """The page's HTML."""
    sidecar, lines = render.sidecar, render.lines
    samples, spans = choose_samples(render), weak_spans(lines)
    listed = _list_spans(spans, samples)
    return render_template(
        "page.html",
        style=Markup(_read_file("page.css")),
        script=Markup(_read_file("page.js")),
        title=_clip_name(sidecar, "source") or render.folder.resolve().name,
        subtitle=" · ".join(_subtitle(sidecar)),
        tiles=_summary_tiles(lines),
        aspect=_stretched_aspect(section(sidecar, "source")),
        samples=render_samples(samples) if samples else "",
        has_frames=bool(lines),
        spans=listed,
        unlisted=len(spans) - len(listed),
        curves=render_curves(lines),
        facts=render_facts(sidecar),
    )


def _read_file(name: str) -> str:
    return (files("howard.report") / "templates" / name).read_text(encoding="utf-8")


def _clip_name(sidecar: dict[str, Any], clip: str) -> str:
    return PurePath(str(section(sidecar, clip).get("path", ""))).name


def _subtitle(sidecar: dict[str, Any]) -> Iterator[str]:
    """Size and frame rate of the shot, plate and weights, as far as they are known."""
    shot, weights = section(sidecar, "source"), section(sidecar, "weights")
    if {"width", "height"} <= shot.keys():
        yield f"{shot['width']} x {shot['height']}"
    if "frame_rate" in shot:
        yield f"{shot['frame_rate']} frames/s"
    if plate := _clip_name(sidecar, "plate"):
        yield f"plate {plate}"
    if "name" in weights:
        yield f"weights {weights['name']}"


def _stretched_aspect(shot: dict[str, Any]) -> str:
    """The display aspect ratio of a shot whose pixels are not square; "" for square or unknown ones."""
    try:
        pixel_aspect = Fraction(str(shot["pixel_aspect"]))
        aspect = float(pixel_aspect * Fraction(shot["width"], shot["height"]))
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return ""
    return "" if pixel_aspect == 1 else f"{aspect:.4f}"


def _summary_tiles(lines: Sequence[FrameLine]) -> list[Tile]:
    covered = [(line.coverage, line.number) for line in lines if line.coverage is not None]
    errors = [(line.error_px, line.number) for line in lines if line.error_px is not None]
    weak, failed = (sum(line.status == status for line in lines) for status in ("weak", "failed"))
    damaged = sum(line.damaged for line in lines)
    tiles = [
        Tile("frames", f"{len(lines)}"),
        Tile("weak", f"{weak}", "weak" if weak else ""),
        Tile("failed", f"{failed}", "failed" if failed else ""),
    ]
    if damaged:
        tiles.append(Tile("damaged in the shot", f"{damaged}", "damaged"))
    if covered:
        lowest, number = min(covered)
        tiles.append(Tile(f"lowest coverage, frame {number}", f"{lowest:.1%}"))
    if errors:
        error, number = max(errors, key=itemgetter(0))
        tiles.append(Tile(f"largest alignment error, frame {number}", f"{error:.2f} px"))
    return tiles


def _list_spans(spans: Sequence[Span], samples: Sequence[Sample]) -> list[ListedSpan]:
    """The spans to list, in order: if there are too many, those with images first, then failed ones."""
    numbers = [sample.line.number for sample in samples]
    by_urgency = sorted(spans, key=lambda span: (_first_sampled(span, numbers) is None, span.status != "failed"))
    return [
        ListedSpan(
            span.name,
            span.status,
            ", ".join(REASONS[reason] for reason in span.reasons),
            _first_sampled(span, numbers),
        )
        for span in sorted(by_urgency[:_MAX_LISTED])
    ]


def _first_sampled(span: Span, sampled: Sequence[int]) -> int | None:
    """The first frame of a span that has images."""
    return next((number for number in sampled if span.first <= number <= span.last), None)


def render_facts(sidecar: dict[str, Any]) -> Markup:
    """The HTML of a table for every section of a sidecar, and of one for all values outside of sections."""
    sections = {key: value for key, value in sidecar.items() if isinstance(value, dict | list) and value}
    others = {key: value for key, value in sidecar.items() if key not in sections}
    tables = [FactTable(_TITLES.get(key, _in_words(key)), list(_rows(value))) for key, value in sections.items()]
    if others:
        tables.append(FactTable("More", list(_rows(others))))
    return render_template("facts.html", tables=tables)


def _rows(facts: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every value in nested ``facts`` as text, named by the keys that lead to it."""
    if isinstance(facts, dict):
        for key, value in facts.items():
            yield from _rows(value, f"{name}, {_in_words(key).lower()}" if name else _in_words(key))
    elif isinstance(facts, list) and any(isinstance(each, dict | list) for each in facts):
        for position, each in enumerate(facts, start=1):
            yield from _rows(each, f"{name} {position}".strip() if len(facts) > 1 else name)
    else:
        yield name, _format_value(facts, name)


def _format_value(value: Any, name: str) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_format_value(each, "") for each in value) or "none"
    if isinstance(value, int) and name.endswith("modified ns"):
        return _format_time(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _format_time(nanoseconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(nanoseconds / 1e9, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return str(nanoseconds)


def _in_words(key: str) -> str:
    words = str(key).replace("_", " ")
    return words[:1].upper() + words[1:]
