"""``python -m howard.keying input=CLIP output=FOLDER``: keys a green- or blue-screen clip."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from howard import cli
from howard.fields import REQUIRED, setting
from howard.keying.clip_keying import FrameWritten, KeyingSummary, key_clip

COMMAND = "python -m howard.keying"
EXAMPLES = (
    f"{COMMAND} input=dance.mov output=people",
    f"{COMMAND} input=stills/ output=people screen=blue frames=1-60",
)


@dataclass
class KeyingSettings:
    """The command's settings."""

    input: str = setting(
        REQUIRED, "a person in front of a green or blue screen: video, sequence or still", is_path=True
    )
    output: str = setting(REQUIRED, "folder for pha/CLIP, fgr/CLIP and a contact sheet", is_path=True)
    screen: str = setting("auto", "colour of the screen", choices=("auto", "green", "blue"))
    frames: str | None = setting(None, "only these frames, as 10-20 (both included) or 7; all if left out")
    input_colour: str | None = setting(None, "colour space of the clip's values, if its tags are wrong or missing")
    overwrite: bool = setting(False, "write into a folder that holds other files, or key a clip again")


@cli.friendly
def main(arguments: list[str]) -> None:
    """Key the clip and print where the result is."""
    if cli.wants_help(arguments):
        purpose = "Turns a green- or blue-screen clip into alpha and despilled foreground frames."
        print(cli.help_page(COMMAND, purpose, KeyingSettings, EXAMPLES))
        return
    settings = cli.read_settings(KeyingSettings, arguments)
    with _progress_bar() as show:
        summary = key_clip(
            settings.input,
            settings.output,
            screen=settings.screen,
            frames=settings.frames,
            colour=settings.input_colour,
            overwrite=settings.overwrite,
            progress=show,
        )
    print(_format_summary(summary))


def _format_summary(summary: KeyingSummary) -> str:
    skipped = f", {summary.skipped} existed already" if summary.skipped else ""
    return (
        f"{summary.name}: {summary.keyed} frames keyed on {summary.screen.name}{skipped}; see {summary.contact_sheet}"
    )


class _Speed(ProgressColumn):
    """Column with frames per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.2f} frames/s" if speed else "")


@contextmanager
def _progress_bar() -> Iterator[Callable[[FrameWritten], None]]:
    """A progress bar on stderr; disabled if that is not a terminal."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Speed(), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("looking for the screen", total=None)
        yield lambda each: bar.update(task, completed=each.done, total=each.total, description=f"frame {each.number}")


if __name__ == "__main__":
    main(sys.argv[1:])
