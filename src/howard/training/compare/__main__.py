"""``python -m howard.training.compare RUN RUN ...``: prints tables and writes an HTML page."""

import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from howard import cli
from howard.errors import SettingsError
from howard.fields import setting
from howard.media import write_atomically
from howard.training.compare.comparison_page import MOST_COLUMNS, compare_page, shared_metric_names, suite_metric_names
from howard.training.compare.run_records import RunRecord, best_of, differing_settings, read_run
from howard.training.compare.summary_tables import SummaryTable, run_rows, spread_rows

COMMAND = "python -m howard.training.compare"
_FILE_WIDTH = 240  # characters per line if the output is not a terminal
EXAMPLES = (f"{COMMAND} runs/coarse_lite/DATE runs/baseline/DATE", f"{COMMAND} runs/*/* output=all.html")


@dataclass
class CompareSettings:
    """Settings of the command, beside the run folders."""

    output: str = setting("compare.html", "the page to write", is_path=True)


@cli.friendly
def main(arguments: list[str]) -> None:
    """Read the runs, print the tables and write the page."""
    if cli.wants_help(arguments):
        print(cli.help_page(f"{COMMAND} RUN_FOLDER ...", "Compares runs.", CompareSettings, EXAMPLES))
        return
    folders = [argument for argument in arguments if "=" not in argument or Path(argument).is_dir()]
    settings = cli.read_settings(CompareSettings, [each for each in arguments if each not in folders])
    if not folders:
        raise SettingsError(f"no run is given; for example: {EXAMPLES[0]}")
    runs = [read_run(Path(folder)) for folder in folders]
    print_tables(runs)
    write_atomically(Path(settings.output), compare_page(runs).encode())
    print(f"page: {settings.output}")


def print_tables(runs: list[RunRecord]) -> None:
    """Print all metrics, a column per run, or for many runs the main ones, a row per run; then statistics."""
    console = Console()
    if not console.is_terminal:  # a file is not limited to the width of a terminal
        console = Console(width=_FILE_WIDTH)
    if len(runs) > MOST_COLUMNS:
        console.print(summary_table(run_rows(runs)))
    else:
        console.print(metric_table("last values, smaller is better", shared_metric_names(runs), runs))
        if suite_metric_names(runs):
            console.print(metric_table("validation suite, smaller is better", suite_metric_names(runs), runs))
        console.print(setting_table(runs))
    spread = spread_rows(runs)
    if spread is not None:
        console.print(summary_table(spread))


def summary_table(summary: SummaryTable) -> Table:
    """A summary table for the terminal, with the best values in bold."""
    table = Table(title=summary.title)
    for index, heading in enumerate(summary.headings):
        table.add_column(heading, justify="right" if index else "left", overflow="fold")
    for cells, marks in summary.rows:
        table.add_row(*(f"[bold]{cell}[/bold]" if best else cell for cell, best in zip(cells, marks, strict=True)))
    return table


def metric_table(title: str, metrics: list[str], runs: list[RunRecord]) -> Table:
    """A table with a row per metric and a column per run; the best value is bold."""
    table = _empty_table(title, runs)
    for metric in metrics:
        values = [run.last(metric) for run in runs]
        best = best_of(values)
        table.add_row(metric, *(_cell(value, value == best) for value in values))
    return table


def setting_table(runs: list[RunRecord]) -> Table:
    """A table with a row per setting that differs between the runs: for a sweep, the swept settings."""
    table = _empty_table("settings that differ", runs)
    for key, values in differing_settings(runs).items():
        table.add_row(key, *map(escape, values))
    return table


def _empty_table(title: str, runs: list[RunRecord]) -> Table:
    table = Table(title=title)
    table.add_column("")
    for run in runs:
        table.add_column(run.label, justify="right", overflow="fold")
    return table


def _cell(value: float | None, is_best: bool) -> str:
    if value is None:
        return "-"
    return f"[bold]{value:.4g}[/bold]" if is_best else f"{value:.4g}"


if __name__ == "__main__":
    main(sys.argv[1:])
