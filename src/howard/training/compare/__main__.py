"""``python -m howard.training.compare RUN RUN ...``: prints a table and writes a page."""

import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from howard import cli
from howard.errors import SettingsError
from howard.fields import setting
from howard.media import write_whole
from howard.training.compare.page import best_of, compare_page, shared_metrics, suite_metrics
from howard.training.compare.records import RunRecord, read_run

COMMAND = "python -m howard.training.compare"
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
    console = Console()
    console.print(figure_table("last figures, smaller is better", shared_metrics(runs), runs))
    if suite_metrics(runs):
        console.print(figure_table("validation suite, smaller is better", suite_metrics(runs), runs))
    write_whole(Path(settings.output), compare_page(runs).encode())
    print(f"page: {settings.output}")


def figure_table(title: str, metrics: list[str], runs: list[RunRecord]) -> Table:
    """A row for each metric, a column for each run; the best is bold."""
    table = Table(title=title)
    table.add_column("")
    for run in runs:
        table.add_column(run.label, justify="right", overflow="fold")
    for metric in metrics:
        values = [run.last(metric) for run in runs]
        best = best_of(values)
        table.add_row(metric, *(_cell(value, value == best) for value in values))
    return table


def _cell(value: float | None, is_best: bool) -> str:
    if value is None:
        return "-"
    return f"[bold]{value:.4g}[/bold]" if is_best else f"{value:.4g}"


if __name__ == "__main__":
    main(sys.argv[1:])
