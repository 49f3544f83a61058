"""``python -m howard.data check=FOLDER`` and ``python -m howard.data foreground=FOLDER``"""

import sys
from dataclasses import dataclass
from pathlib import Path

from hydra.core.config_store import ConfigStore
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from howard import cli
from howard.errors import InputError, SettingsError
from howard.settings import setting

COMMAND = "python -m howard.data"
PURPOSE = "Looks a data folder through, or makes the foreground colours that a published set lacks."
EXAMPLES = (f"{COMMAND} check=data", f"{COMMAND} foreground=data/P3M-10k")


@dataclass
class DataSettings:
    """What the command can be told."""

    check: str | None = setting(None, "data folder, or one collection: count, measure, decode everything", is_path=True)
    foreground: str | None = setting(None, "collection of photos and masks: estimate what is missing", is_path=True)


ConfigStore.instance().store(name="data_command", node=DataSettings)


@cli.friendly
def main(arguments: list[str]) -> None:
    """Do the one or the other."""
    if cli.wants_help(arguments):
        print(cli.help_page(COMMAND, PURPOSE, DataSettings, EXAMPLES))
        return
    settings = cli.read_settings(DataSettings, "data_command", arguments)
    if (settings.check is None) == (settings.foreground is None):
        raise SettingsError(f"give either check=FOLDER or foreground=FOLDER; {COMMAND} --help says more")
    if settings.check is not None:
        check(Path(settings.check))
    else:
        make_foregrounds(Path(str(settings.foreground)))


def check(folder: Path) -> None:
    """Print a table of the collections; raises InputError where anything is broken."""
    from howard.data.check import CollectionReport, check_collection, find_collections
    from howard.data.splits import SPLITS

    reports: list[CollectionReport] = []
    with _bar() as bar:
        for each in find_collections(folder):
            task = bar.add_task(each.name, total=None)
            reports.append(
                check_collection(each, lambda done, total, task=task: bar.update(task, completed=done, total=total))
            )
    table = Table("collection", "kind", "train/val/test", "frames", "sizes", "broken", box=box.SIMPLE)
    for report in reports:
        areas = sorted(report.sizes, key=lambda size: size[0] * size[1])
        table.add_row(
            report.name,
            report.kind,
            "/".join(str(report.clips[split]) for split in SPLITS),
            str(report.frames.total()),
            " to ".join("x".join(map(str, size)) for size in dict.fromkeys(areas[:1] + areas[-1:])) or "-",
            str(len(report.broken)),
        )
    Console().print(table)
    for report in reports:
        licences = [f"{name} {count}" for name, count in sorted(report.licences.items())]
        if licences:
            print(f"{report.name} by licence folder: {', '.join(licences)}")
    broken = [line for report in reports for line in report.broken]
    for line in broken[1:]:
        print(line, file=sys.stderr)
    if broken:
        raise InputError(f"{len(broken)} broken; the first: {broken[0]}")


def make_foregrounds(folder: Path) -> None:
    """Estimate every missing foreground; what an interrupted run has written is kept."""
    from howard.data.foreground import ForegroundMaker

    maker = ForegroundMaker(folder)
    with _bar() as bar:
        for _ in bar.track(maker, total=len(maker), description="foregrounds"):
            pass
    print(f"{len(maker)} foregrounds made in {folder}")


def _bar() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


if __name__ == "__main__":
    main(sys.argv[1:])
