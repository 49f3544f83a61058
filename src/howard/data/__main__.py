"""``python -m howard.data`` with ``check=``, ``foreground=``, ``prepare=`` or ``pack=``: prepares training data."""

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from howard import cli
from howard.data.check import CollectionReport, check_collection, find_collections
from howard.data.foreground_estimation import choose_process_count, write_foregrounds
from howard.data.pack.check_pack import check_pack
from howard.data.pack.layout import MANIFEST, MIB, file_hash, is_pack
from howard.data.people_collections import photos_without_foreground
from howard.data.splits import SPLITS
from howard.errors import InputError, SettingsError
from howard.fields import setting
from howard.progress import open_progress
from howard.quality import QUALITY_CHOICES
from howard.settings import DataNode

COMMAND = "python -m howard.data"
PURPOSE = (
    "Checks a data folder, estimates the foreground colours that a published data set lacks, composites people into "
    "plate pairs and aligns these, or packs collections into a few small files for training."
)
EXAMPLES = (
    f"{COMMAND} check=data",
    f"{COMMAND} foreground=data/P3M-10k",
    f"{COMMAND} prepare=data/pairs people=data/people output=data/prepared",
    f"{COMMAND} pack=data output=pack people=[people_real,people_rendered] most=[prepared:100]",
)
_ACTIONS = ("check", "foreground", "prepare", "pack")
_FILE_WIDTH = 120  # columns of a table that is not printed to a terminal


@dataclass
class DataSettings:
    """Settings of the command: exactly one of the first four, the actions; others belong to ``prepare`` or ``pack``."""

    check: str | None = setting(
        None, "data folder, one collection or a pack: count its items and decode all images", is_path=True
    )
    foreground: str | None = setting(
        None, "collection of photos and masks: estimate missing foreground colours", is_path=True
    )
    prepare: str | None = setting(
        None, "collection of plate pairs: composite people into them, align the plates", is_path=True
    )
    pack: str | None = setting(None, "data folder: pack its collections at training size", is_path=True)
    output: str | None = setting(None, "prepare, pack: folder for the new collection or pack", is_path=True)
    people: str | None = setting(
        None, "prepare: collection of people; pack: collections as [NAME,NAME], all if left out", is_path=True
    )
    per_pair: int = setting(1, "prepare: results per plate pair, each with another person")
    seed: int = setting(0, "prepare: of the choice and placement of people")
    quality: str = setting("standard", "prepare: of the alignment", choices=QUALITY_CHOICES)
    places: str | None = setting(None, "pack: collections of places, as [NAME,NAME], all if left out")
    prepared: str | None = setting(None, "pack: collections of prepared pairs, as [NAME,NAME], all if left out")
    licences: str | None = setting(None, "pack: licence folders to keep, as [NAME,NAME]; those of train.py if left out")
    size: int = setting(512, "pack: side of the training frames in pixels")
    webp: int = setting(75, "pack: WebP quality of colours, from 0 to 100")
    longest: str | None = setting(None, "pack: long side of images in pixels, as [NAME:PIXELS,...]; else by size=")
    most: str | None = setting(None, "pack: largest number of training items, as [NAME:COUNT,...]; evenly spaced")
    clip_frames: int | None = setting(None, "pack: largest number of frames per clip of a person, evenly spaced")
    limit_mb: float = setting(60.0, "pack: largest size in MiB (2^20 bytes)")


@cli.friendly
def main(arguments: list[str]) -> None:
    """Run one of the four actions."""
    if cli.wants_help(arguments):
        print(cli.help_page(COMMAND, PURPOSE, DataSettings, EXAMPLES))
        return
    settings = cli.read_settings(DataSettings, arguments)
    if sum(getattr(settings, action) is not None for action in _ACTIONS) != 1:
        choices = ", ".join(f"{action}=FOLDER" for action in _ACTIONS)
        raise SettingsError(f"give one of {choices}; see {COMMAND} --help")
    if settings.check is not None:
        check(Path(settings.check))
    elif settings.foreground is not None:
        estimate_foregrounds(Path(settings.foreground))
    elif settings.prepare is not None:
        prepare_pairs(settings)
    else:
        pack_collections(settings)


def check(folder: Path) -> None:
    """Print a table of the collections; raises InputError if anything is broken."""
    reports: dict[str, CollectionReport] = {}
    with _progress_bar() as bar:
        for each in find_collections(folder):
            name = folder.name if each == folder else each.relative_to(folder).as_posix()
            update = partial(_update, bar, bar.add_task(name, total=None))
            if is_pack(each):
                reports |= {f"{name}/{part}": report for part, report in check_pack(each, update).items()}
            else:
                reports[name] = check_collection(each, update)
    _print(_report_table(reports))
    for name, report in reports.items():
        if report.licences:
            print(f"{name} by licence folder: {', '.join(f'{key} {n}' for key, n in sorted(report.licences.items()))}")
    broken = [line for report in reports.values() for line in report.broken]
    for line in broken[1:]:
        print(line, file=sys.stderr)
    if broken:
        raise InputError(f"{len(broken)} broken; the first: {broken[0]}")


def estimate_foregrounds(folder: Path) -> None:
    """Estimate all missing foreground colours. Results of an interrupted run are kept."""
    photos = photos_without_foreground(folder)
    processes = choose_process_count(len(photos))
    with open_progress("auto", sys.stderr) as progress:
        progress.step("foregrounds", f"estimating {len(photos)} foregrounds in {folder} with {processes} processes")
        write_foregrounds(photos, processes, progress.advance)
    print(f"{len(photos)} foregrounds made in {folder}")


def prepare_pairs(settings: DataSettings) -> None:
    """Make a collection of prepared pairs. Results of an interrupted run are kept."""
    from howard.data.prepare import prepare

    if settings.prepare is None or settings.people is None or settings.output is None:
        raise SettingsError("prepare= needs people=FOLDER and output=FOLDER as well")
    output = Path(settings.output)
    with _progress_bar() as bar:
        counts = prepare(
            Path(settings.prepare),
            Path(settings.people),
            output,
            per_pair=settings.per_pair,
            seed=settings.seed,
            quality=settings.quality,
            progress=partial(_update, bar, bar.add_task("pairs", total=None)),
        )
    print(f"{counts.made} pairs prepared in {output}; {counts.failed} could not be aligned")


def pack_collections(settings: DataSettings) -> None:
    """Write a pack and print the sizes of its collections; raises SettingsError if the pack exceeds its limit."""
    from howard.data.pack.pack_options import make_pack_options, parse_names
    from howard.data.pack.writing import write_pack

    if settings.pack is None or settings.output is None:
        raise SettingsError("pack= needs output=FOLDER as well")
    root, output = Path(settings.pack), Path(settings.output)
    options = make_pack_options(
        root,
        people=settings.people,
        places=settings.places,
        prepared=settings.prepared,
        licences=DataNode().licences if settings.licences is None else parse_names(settings.licences),
        size=settings.size,
        quality=settings.webp,
        longest=settings.longest,
        most=settings.most,
        clip_frames=settings.clip_frames,
    )
    with _progress_bar() as bar:
        manifest = write_pack(root, output, options, partial(_update, bar, bar.add_task("shards", total=None)))
    table = Table("collection", "kind", "train/val/test", "frames", "MiB", "MiB decoded", box=box.SIMPLE)
    for name, each in manifest.collections.items():
        counts = "/".join(str(each.count(split)) for split in SPLITS)
        table.add_row(name, each.kind, counts, str(each.frames), *(f"{mib:.1f}" for mib in (each.size, each.decoded)))
    _print(table)
    size = sum(path.stat().st_size for path in output.rglob("*") if path.is_file()) / MIB
    print(f"{output}: {size:.1f} MiB, manifest {file_hash(output / MANIFEST)}")
    if size > settings.limit_mb:
        raise SettingsError(
            f"{output} is {size:.1f} MiB, more than limit_mb={settings.limit_mb:g}; lower webp=, longest=, most= or "
            "clip_frames=, or leave collections out"
        )


def _print(table: Table) -> None:
    Console(width=None if sys.stdout.isatty() else _FILE_WIDTH).print(table)


def _report_table(reports: dict[str, CollectionReport]) -> Table:
    table = Table("collection", "kind", "train/val/test", "frames", "sizes", "broken", box=box.SIMPLE)
    for name, report in reports.items():
        by_area = sorted(report.sizes, key=lambda size: size[0] * size[1])
        table.add_row(
            name,
            report.kind,
            "/".join(str(report.clips[split]) for split in SPLITS),
            str(report.frames.total()),
            " to ".join("x".join(map(str, size)) for size in dict.fromkeys(by_area[:1] + by_area[-1:])) or "-",
            str(len(report.broken)),
        )
    return table


def _update(bar: Progress, task: TaskID, done: int, total: int) -> None:
    bar.update(task, completed=done, total=total)


def _progress_bar() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


if __name__ == "__main__":
    main(sys.argv[1:])
