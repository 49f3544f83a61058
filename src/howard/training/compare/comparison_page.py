"""The page that compares runs: a self-contained HTML file."""

import base64
import io
from html import escape
from pathlib import Path

from howard.requirements import require
from howard.training.compare.run_records import RunRecord, best_of, differing_settings
from howard.training.compare.summary_tables import SummaryTable, run_rows, spread_rows

_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2")
# Metrics of the validation suite that are shown, of every phenomenon that has them.
_SUITE_METRICS = ("mad", "lost", "kept", "background_kept", "hair_band_mad", "dtssd")
_SUITE, _SUITE_MEAN = "suite/", "mean"
_ONCE_PER_RUN = (_SUITE, "bench/")  # prefixes of metrics that are logged once per run
# Figures of training of which smaller is not better.
_NOT_COMPARED = (
    "train/samples_per_second",
    "train/data_wait_share",
    "train/error_map",
    "train/true_error",
    "train/error_map_share",
)
MOST_COLUMNS = 6  # with more runs a table has a row for each
_SMOOTHING = 0.9  # of training curves: how much of the running mean each point keeps
_STYLE = """
body { font: 15px/1.4 sans-serif; margin: 2em auto; max-width: 1200px; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 1em 0 } td, th { padding: .25em .8em; border-bottom: 1px solid #ddd }
td { text-align: right } td:first-child, th:first-child { text-align: left } td.best { font-weight: bold }
.curves { display: flex; flex-wrap: wrap } .curves svg { width: 390px; height: auto }
img, video { max-width: 100%; background: #eee } video { width: 384px }
"""


def compare_page(runs: list[RunRecord]) -> str:
    """HTML page with the last metrics, curves, differing settings, panels and time-lapses of runs."""
    colours = {run.label: _COLOURS[index % len(_COLOURS)] for index, run in enumerate(runs)}
    names = [f'<span style="color:{colours[run.label]}">&#9632;</span> {escape(run.label)}' for run in runs]
    parts = [
        "<h2>Last values</h2><p>Smaller is better throughout; the best is bold.</p>",
        *_last_metrics(names, runs),
        "<h2>Curves</h2>",
        '<div class="curves">'
        + "".join(_curves(metric, runs, colours) for metric in all_metric_names(runs))
        + "</div>",
        "<h2>Settings that differ</h2>",
        _table(["", *names], [_row(key, values) for key, values in _differences(runs).items()]),
        "<h2>Validation samples</h2>",
        *(_pictures(name, run) for name, run in zip(names, runs, strict=True)),
    ]
    title = escape(" and ".join(run.label for run in runs))
    head = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    body = "\n".join([f"<h1>{title}</h1>", *parts])
    return f"<!doctype html>\n<html lang=en><head>{head}</head>\n<body>{body}</body></html>\n"


def all_metric_names(runs: list[RunRecord]) -> list[str]:
    """Metrics of which any run has a curve, validation first; without those that are logged once per run."""
    names = {name for run in runs for name in run.curves if not name.startswith(_ONCE_PER_RUN)}
    return sorted(names, key=lambda name: (not name.startswith("val/"), name != "val/mad", name))


def shared_metric_names(runs: list[RunRecord]) -> list[str]:
    """Losses and scores that at least one run has."""
    return [
        name for name in all_metric_names(runs) if name.startswith(("val/", "train/")) and name not in _NOT_COMPARED
    ]


def suite_metric_names(runs: list[RunRecord]) -> list[str]:
    """Metrics of the validation suite that any run has, by metric and then by phenomenon, the mean last."""
    names = {name for run in runs for name in run.curves if name.startswith(_SUITE)}
    parts = {name: name.split("/") for name in names}
    shown = [name for name, (_, _, metric) in parts.items() if metric in _SUITE_METRICS]
    return sorted(
        shown, key=lambda name: (_SUITE_METRICS.index(parts[name][2]), parts[name][1] == _SUITE_MEAN, parts[name][1])
    )


def _metric_row(metric: str, runs: list[RunRecord]) -> str:
    values = [run.last(metric) for run in runs]
    best = best_of(values)
    cells = []
    for value in values:
        mark = ' class="best"' if value is not None and value == best else ""
        cells.append(f"<td{mark}>{'-' if value is None else f'{value:.4g}'}</td>")
    return f"<tr><td>{escape(metric)}</td>{''.join(cells)}</tr>"


def _last_metrics(names: list[str], runs: list[RunRecord]) -> list[str]:
    """Tables with a row per run for many runs, else a column per run; and statistics over seeds, if any."""
    spread = spread_rows(runs)
    over_seeds = [] if spread is None else [_summary_table(spread)]
    if len(runs) > MOST_COLUMNS:
        return [_summary_table(run_rows(runs)), *over_seeds]
    metrics = _table(["", *names], [_metric_row(metric, runs) for metric in shared_metric_names(runs)])
    return [metrics, *over_seeds, *_suite(names, runs)]


def _summary_table(table: SummaryTable) -> str:
    rows = []
    for cells, marks in table.rows:
        shown = [
            f"<td{' class=best' if best else ''}>{escape(cell)}</td>" for cell, best in zip(cells, marks, strict=True)
        ]
        rows.append(f"<tr>{''.join(shown)}</tr>")
    return f"<h3>{escape(table.title)}</h3>" + _table([escape(heading) for heading in table.headings], rows)


def _suite(names: list[str], runs: list[RunRecord]) -> list[str]:
    rows = [_metric_row(metric, runs) for metric in suite_metric_names(runs)]
    return ["<h2>Validation suite</h2><p>Of the exported weights.</p>", _table(["", *names], rows)] if rows else []


def _differences(runs: list[RunRecord]) -> dict[str, list[str]]:
    about = {
        "last step": [str(max(curve[-1][0] for curve in run.curves.values())) for run in runs],
        "finished": ["yes" if run.is_finished else "no" for run in runs],
        "revision": [run.revision for run in runs],
    }
    return about | differing_settings(runs)


def _row(heading: str, values: list[str]) -> str:
    return f"<tr><td>{escape(heading)}</td>{''.join(f'<td>{escape(value)}</td>' for value in values)}</tr>"


def _table(headings: list[str], rows: list[str]) -> str:
    return f"<table><tr>{''.join(f'<th>{heading}</th>' for heading in headings)}</tr>{''.join(rows)}</table>"


def _curves(metric: str, runs: list[RunRecord], colours: dict[str, str]) -> str:
    """A chart as inline SVG; training curves, which are noisy, also have a running mean."""
    figure = require("matplotlib.figure", "comparing runs").Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.add_subplot()
    for run in runs:
        if metric not in run.curves:
            continue
        steps, values = zip(*run.curves[metric], strict=True)
        if metric.startswith("train/"):
            axes.plot(steps, values, color=colours[run.label], alpha=0.25, linewidth=0.8)
            axes.plot(steps, smoothed(list(values)), color=colours[run.label])
        else:
            axes.plot(steps, values, color=colours[run.label], marker=".")
    axes.set_title(metric)
    axes.set_xlabel("step")
    axes.grid(alpha=0.3)
    text = io.StringIO()
    figure.savefig(text, format="svg")
    return text.getvalue()[text.getvalue().index("<svg") :]


def smoothed(values: list[float]) -> list[float]:
    """Exponential running mean, bias-corrected as Adam's moments (Kingma and Ba 2015, section 3)."""
    mean, means = 0.0, []
    for count, value in enumerate(values, start=1):
        mean = _SMOOTHING * mean + (1 - _SMOOTHING) * value
        means.append(mean / (1 - _SMOOTHING**count))
    return means


def _pictures(name: str, run: RunRecord) -> str:
    panel = f"<img alt='validation samples' src='{_data(run.panel, 'image/png')}'>" if run.panel else "no panel yet"
    movie = f"<video controls loop muted src='{_data(run.timelapse, 'video/mp4')}'></video>" if run.timelapse else ""
    return f"<h3>{name}</h3><p>{panel}</p><p>{movie}</p>"


def _data(path: Path, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
