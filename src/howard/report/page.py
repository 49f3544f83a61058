"""The page: what came out, where to look, how every frame fared, and what it was made from."""

from collections.abc import Sequence
from fractions import Fraction
from importlib.resources import files
from operator import itemgetter
from pathlib import Path, PurePath
from string import Template
from typing import Any

from howard.media import write_whole
from howard.render_record import REASONS, REPORT
from howard.report.curves import draw_curves
from howard.report.facts import fact_tables
from howard.report.markup import Markup, element, join
from howard.report.pictures import anchor, badge, choose_samples, draw_samples
from howard.report.render import FinishedRender, FrameLine, Sample, read_render, section
from howard.report.series import Span, weak_spans

_MOST_NAMED = 40


def write_report(folder: str | Path) -> Path:
    """Draw the report of the render in ``folder`` and return the page's path, ``folder/report.html``.

    The page is one file without references to others: pictures, styles and script are in it. Raises InputError where
    the folder holds no render, OutputError where the page cannot be written.
    """
    folder = Path(folder)
    page = folder / REPORT
    # A file name need not be Unicode; what is not becomes a question mark.
    write_whole(page, draw_report(read_render(folder)).encode("utf-8", errors="replace"))
    return page


def draw_report(render: FinishedRender) -> str:
    """The page's HTML."""
    samples = choose_samples(render)
    return Template(_part("page.html")).substitute(
        style=_part("page.css"),
        script=_part("page.js"),
        title=join([_clip_name(render.sidecar, "source") or render.folder.resolve().name]),
        lede=_lede(render.sidecar),
        summary=_summary(render.lines),
        shape=_shape(section(render.sidecar, "source")),
        samples=draw_samples(samples) if samples else _nothing("No frame of this render has pictures."),
        look=_worth_a_look(render.lines, samples),
        curves=draw_curves(render.lines) or _nothing("No frame is finished yet."),
        facts=fact_tables(render.sidecar),
    )


def _part(name: str) -> str:
    return (files("howard.report") / name).read_text(encoding="utf-8")


def _nothing(text: str) -> Markup:
    return element("p", {"class": "note"}, text)


def _clip_name(sidecar: dict[str, Any], clip: str) -> str:
    return PurePath(str(section(sidecar, clip).get("path", ""))).name


def _lede(sidecar: dict[str, Any]) -> Markup:
    """What was rendered, in a line."""
    shot, weights = section(sidecar, "source"), section(sidecar, "weights")
    parts = [
        f"{shot['width']} x {shot['height']}" if {"width", "height"} <= shot.keys() else "",
        f"{shot['frame_rate']} frames/s" if "frame_rate" in shot else "",
        f"plate {_clip_name(sidecar, 'plate')}" if _clip_name(sidecar, "plate") else "",
        f"weights {weights['name']}" if "name" in weights else "",
    ]
    return element("p", {"class": "lede"}, " · ".join(filter(None, parts)))


def _shape(shot: dict[str, Any]) -> Markup:
    """Attributes that stretch the pictures of a shot whose pixels are not square."""
    try:
        aspect = Fraction(str(shot["pixel_aspect"]))
        shape = float(aspect * Fraction(shot["width"], shot["height"]))
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return Markup()
    return Markup() if aspect == 1 else Markup(f' class="shaped" style="--shape: {shape:.4f}"')


def _summary(lines: Sequence[FrameLine]) -> Markup:
    """The figures that decide whether anybody needs to look further."""
    covered = [(line.coverage, line.number) for line in lines if line.coverage is not None]
    worst = [(line.error_px, line.number) for line in lines if line.error_px is not None]
    weak, failed = (sum(line.status == status for line in lines) for status in ("weak", "failed"))
    damaged = sum(line.damaged for line in lines)
    tiles = [
        _tile("frames", f"{len(lines)}"),
        _tile("weak", f"{weak}", "weak" if weak else ""),
        _tile("failed", f"{failed}", "failed" if failed else ""),
    ]
    if damaged:
        tiles.append(_tile("damaged in the shot", f"{damaged}", "damaged"))
    if covered:
        share, number = min(covered)
        tiles.append(_tile(f"lowest coverage, frame {number}", f"{share:.1%}"))
    if worst:
        error, number = max(worst, key=itemgetter(0))
        tiles.append(_tile(f"largest alignment error, frame {number}", f"{error:.2f} px"))
    return element("ul", {"class": "summary"}, *tiles)


def _tile(label: str, value: str, status: str = "") -> Markup:
    return element("li", {"class": status or None}, element("b", None, value), " ", element("span", None, label))


def _worth_a_look(lines: Sequence[FrameLine], samples: Sequence[Sample]) -> Markup:
    """The frames that deserve a look, by name; those with pictures lead there."""
    spans = weak_spans(lines)
    if not spans:
        return _nothing("Nothing is wrong with any frame." if lines else "No frame is finished yet.")
    shown = [sample.line.number for sample in samples]
    # Where there are too many, those that can be looked at come first, then those that failed.
    urgent = sorted(spans, key=lambda span: (_pictured(span, shown) is None, span.status != "failed"))
    items = [element("li", None, *_named(span, _pictured(span, shown))) for span in sorted(urgent[:_MOST_NAMED])]
    more = len(spans) - len(items)
    rest = [_nothing(f"and {more} more places, all in the journals howard.frames.*.jsonl")] if more else []
    return join([element("ul", {"class": "look"}, *items), *rest])


def _pictured(span: Span, sampled: Sequence[int]) -> int | None:
    """The first frame of a span that has pictures."""
    return next((number for number in sampled if span.first <= number <= span.last), None)


def _named(span: Span, pictured: int | None) -> tuple[str, ...]:
    name = span.name if pictured is None else element("a", {"href": f"#{anchor(pictured)}"}, span.name)
    why = ", ".join(REASONS[reason] for reason in span.reasons)
    return name, " ", badge(span.status), *((f" {why}",) if why else ())
