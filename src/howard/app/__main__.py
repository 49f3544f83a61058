"""Opens Howard's app in the browser: ``python -m howard.app [SHOT PLATE]``, or ``howard-app`` with the same."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from howard import cli
from howard.__main__ import limit_threads
from howard.cli.library_output import silent_libraries
from howard.command_name import Command
from howard.errors import SettingsError
from howard.fields import setting
from howard.requirements import require

APP = Command("run.py app", "howard.app", "howard-app")
EXAMPLES = ("", "shot.mp4 plate.mp4", "project=film.howard.json", "browser=false port=8080")
_DEFAULT_PROJECT = "project.howard.json"
_LARGEST_PORT = 65535


def _check_port(port: int) -> str | None:
    return None if 0 < port <= _LARGEST_PORT else f"is no port; give one from 1 to {_LARGEST_PORT}, or leave it out"


@dataclass(frozen=True, kw_only=True)
class AppSettings:
    """What the app can be told when it starts."""

    shot: str | None = setting(None, "a shot to add to the project", is_path=True)
    plate: str | None = setting(None, "its plate", is_path=True)
    project: str = setting(_DEFAULT_PROJECT, "the project file, made where there is none", is_path=True)
    port: int | None = setting(None, "of 127.0.0.1; a free one if left out", check=_check_port)
    browser: bool = setting(True, "open the page in the browser; without it the address is only printed")


@cli.friendly
def main(arguments: Sequence[str] | None = None) -> None:
    """Open the project, add the pair that is named, and serve the page until Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and cli.wants_help(arguments):
        print(cli.help_page(APP.typed(), "Howard in a page of the browser.", AppSettings, EXAMPLES))
        return
    settings = cli.read_settings(AppSettings, name_clips(arguments))
    if (settings.shot is None) != (settings.plate is None):
        raise SettingsError("a shot goes with its plate; give both, or neither and choose them in the app")
    require("nicegui", "the app")
    with silent_libraries():
        run(settings)


def name_clips(arguments: Sequence[str]) -> list[str]:
    """The arguments with their keys: the first two that have none of the settings' are shot and plate."""
    keys = tuple(f"{each.name}=" for each in fields(AppSettings))
    named, clips = [], iter(("shot", "plate"))
    for argument in arguments:
        is_clip = not argument.startswith((*keys, "-")) and (key := next(clips, None)) is not None
        named.append(f"{key}={argument}" if is_clip else argument)
    return named


def run(settings: AppSettings) -> None:
    """Serve the page; a pair that the project has already is not added again."""
    limit_threads(None)
    from howard.app.core.project import Project
    from howard.app.ui.server import serve

    project = Project.open(Path(settings.project))
    if settings.shot is not None and settings.plate is not None:
        shot = Path(settings.shot).absolute()
        if all(pair.shot != shot for pair in project.pairs):
            project.add_pair(shot, settings.plate)
    serve(project, settings.port, settings.browser)


if __name__ == "__main__":
    main()
