"""Telling how a render goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@dataclass(frozen=True)
class FrameDone:
    """Frame ``number`` has been written, the ``done``-th of ``total`` to do; ``status`` is its plate's."""

    number: int
    status: str
    done: int
    total: int


ProgressCallback = Callable[[FrameDone], None]


@contextmanager
def progress_bar() -> Iterator[ProgressCallback]:
    """A bar on the error stream with frames per second and time left; quiet where that is no terminal."""
    columns = (
        TextColumn("frame {task.fields[number]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", number="-", rate="", total=None)

        def show(event: FrameDone) -> None:
            speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
            rate = f"{speed:.2f} frames/s" if speed else ""
            bar.update(task, completed=event.done, total=event.total, number=event.number, rate=rate)

        yield show
