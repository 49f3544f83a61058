"""``python -m howard.training.compare RUN RUN ...``: prints a table and writes a page."""

import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from howard import cli
from howard.errors import SettingsError
from howard.fields import setting
from howard.media import write_whole
from howard.training.compare.page import MOST_COLUMNS, compare_page, shared_metrics, suite_metrics
from howard.training.compare.records import RunRecord, best_of, differing_settings, read_run
from howard.training.compare.sweep import FigureTable, run_rows, spread_rows

COMMAND = "python -m howard.training.compare"
_FILE_WIDTH = 240  # characters a line, where the tables go into a file
EXAMPLES = (f"{COMMAND} runs/coarse_lite/DATE runs/baseline/DATE", f"{COMMAND} runs/*/* output=all.html")


@dataclass
class CompareSettings:
    """What the command can be told beside run folders."""

    output: str = setting("compare.html", "the page to write", is_path=True)


@cli.friendly
def main(arguments: list[str]) -> None:
    """Read the runs, print the table and write the page."""
    if cli.wants_help(arguments):
        print(cli.help_page(f"{COMMAND} RUN_FOLDER ...", "Compares runs.", CompareSettings, EXAMPLES))
        return
    folders = [argument for argument in arguments if "=" not in argument or Path(argument).is_dir()]
    settings = cli.read_settings(CompareSettings, [each for each in arguments if each not in folders])
    if not folders:
        raise SettingsError(f"no run is given; say {EXAMPLES[0]}")
    runs = [read_run(Path(folder)) for folder in folders]
    print_tables(runs)
    write_whole(Path(settings.output), compare_page(runs).encode())
    print(f"page: {settings.output}")


def print_tables(runs: list[RunRecord]) -> None:
    """Few runs are columns of all figures, many are rows of the main ones; then mean and spread over seeds."""
    console = Console()
    if not console.is_terminal:  # nothing is gained from folding columns at the width of no terminal
        console = Console(width=_FILE_WIDTH)
    if len(runs) > MOST_COLUMNS:
        console.print(sweep_table(run_rows(runs)))
    else:
        console.print(figure_table("last figures, smaller is better", shared_metrics(runs), runs))
        if suite_metrics(runs):
            console.print(figure_table("validation suite, smaller is better", suite_metrics(runs), runs))
        console.print(setting_table(runs))
    spread = spread_rows(runs)
    if spread is not None:
        console.print(sweep_table(spread))


def sweep_table(figures: FigureTable) -> Table:
    """The table for a terminal; the best are bold."""
    table = Table(title=figures.title)
    for index, heading in enumerate(figures.headings):
        table.add_column(heading, justify="right" if index else "left", overflow="fold")
    for cells, marks in figures.rows:
        table.add_row(*(f"[bold]{cell}[/bold]" if best else cell for cell, best in zip(cells, marks, strict=True)))
    return table


def figure_table(title: str, metrics: list[str], runs: list[RunRecord]) -> Table:
    """A row for each metric, a column for each run; the best is bold."""
    table = _empty_table(title, runs)
    for metric in metrics:
        values = [run.last(metric) for run in runs]
        best = best_of(values)
        table.add_row(metric, *(_cell(value, value == best) for value in values))
    return table


def setting_table(runs: list[RunRecord]) -> Table:
    """A row for each setting that is not the same in all runs: of a sweep, what was swept."""
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
