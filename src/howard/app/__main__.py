"""Command line of the app: ``python -m howard.app [SHOT PLATE]`` or ``howard-app [SHOT PLATE]``."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from howard import cli
from howard.__main__ import limit_threads
from howard.cli.library_output import silent_libraries
from howard.command_name import Command
from howard.errors import InputError, SettingsError
from howard.fields import setting
from howard.options import PLATE_SELF, list_plates
from howard.requirements import require

APP = Command("run.py app", "howard.app", "howard-app")
EXAMPLES = ("", "shot.mp4 plate.mp4", "project=film.howard.json", "browser=false port=8080")
_DEFAULT_PROJECT = "project.howard.json"
_LARGEST_PORT = 65535


def _check_port(port: int) -> str | None:
    return None if 0 < port <= _LARGEST_PORT else f"is not a port; give one from 1 to {_LARGEST_PORT}, or leave it out"


@dataclass(frozen=True, kw_only=True)
class AppSettings:
    """Command-line settings of the app."""

    shot: str | None = setting(None, "a shot to add to the project", is_path=True)
    plate: str | None = setting(None, "the plate of that shot", is_path=True)
    project: str = setting(_DEFAULT_PROJECT, "the project file; created if it does not exist", is_path=True)
    port: int | None = setting(None, "TCP port on 127.0.0.1; a free one if left out", check=_check_port)
    browser: bool = setting(True, "open the page in the browser; if false, only print the address")


@cli.friendly
def main(arguments: Sequence[str] | None = None) -> None:
    """Open the project, add the given pair, and serve the page until Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and cli.wants_help(arguments):
        command = APP.typed()
        examples = [f"{command} {example}".rstrip() for example in EXAMPLES]
        print(cli.help_page(command, "Howard as a local web app.", AppSettings, examples))
        return
    settings = cli.read_settings(AppSettings, add_clip_keys(arguments))
    if (settings.shot is None) != (settings.plate is None):
        raise SettingsError("a shot needs a plate; give both, or neither and choose them in the app")
    require("nicegui", "the app")
    with silent_libraries():
        run(settings)


def add_clip_keys(arguments: Sequence[str]) -> list[str]:
    """Prefix the first two arguments that have no known key with ``shot=`` and ``plate=``."""
    keys = tuple(f"{each.name}=" for each in fields(AppSettings))
    named, clips = [], iter(("shot", "plate"))
    for argument in arguments:
        is_clip = not argument.startswith((*keys, "-")) and (key := next(clips, None)) is not None
        named.append(f"{key}={argument}" if is_clip else argument)
    return named


def refuse_missing_clips(shot: str, plate: str) -> None:
    """Raise InputError if a clip does not exist; patterns of image sequences are not looked up."""
    from howard.media.sequence_files import is_pattern

    for path in (Path(shot), *(Path(each) for each in list_plates(plate) if each != PLATE_SELF)):
        if not path.exists() and not is_pattern(path):
            raise InputError(f"{path} does not exist; check the path and its spelling")


def run(settings: AppSettings) -> None:
    """Serve the page; a shot that is already in the project is not added again."""
    limit_threads(None)
    from howard.app.core.project import Project
    from howard.app.ui.app_server import serve

    if settings.shot is not None and settings.plate is not None:
        refuse_missing_clips(settings.shot, settings.plate)
    project = Project.open(Path(settings.project))
    if settings.shot is not None and settings.plate is not None:
        shot = Path(settings.shot).absolute()
        if all(pair.shot != shot for pair in project.pairs):
            project.add_pair(shot, settings.plate)
    serve(project, settings.port, settings.browser)


if __name__ == "__main__":
    main()
