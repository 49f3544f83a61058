"""The progress of a render as a bar in a terminal."""

from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from howard.progress import FrameDone


class BarProgress:
    """Steps as lines above a bar on the error stream, with frames a second and the time that is left."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("", rate="", total=None, visible=False)

    def step(self, name: str, text: str, **facts: Any) -> None:
        self._bar.reset(self._task, description="", rate="", total=None, visible=False)
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def advance(self, done: int, total: int) -> None:
        self._bar.update(self._task, completed=done, total=total, visible=True)

    def frame(self, event: FrameDone) -> None:
        speed = self._bar.tasks[0].finished_speed or self._bar.tasks[0].speed
        rate = f"{speed:.2f} frames/s" if speed else ""
        self._bar.update(self._task, description=f"frame {event.number}", rate=rate)
        self.advance(event.done, event.total)

    def __enter__(self) -> "BarProgress":
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()
