"""``python -m howard.evaluation.composites``: scores weights on fixed composites of unseen people and places.

Each composite is a short clip at full size: a person moving over a place, and a plate with the errors of a level (see
:mod:`howard.synthesis.recipe`). The composites depend on the data, the level and the size alone.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from howard import cli
from howard.choices import EDGES, check_device
from howard.errors import SettingsError
from howard.fields import setting
from howard.media import write_atomically
from howard.settings import data_dir

COMMAND = "python -m howard.evaluation.composites"
EXAMPLES = (
    f"{COMMAND} root=data",
    f"{COMMAND} root=data weights=mine.safetensors level=moving size=1280x720",
)


@dataclass
class CompositesSettings:
    """Settings of the command."""

    root: str = setting(data_dir(), "folder of collections, as data.root= of train.py", is_path=True)
    weights: str = setting("default", "name of weights included in Howard, or a file", is_path=True)
    level: str = setting("handheld", "size of the plate errors: static, handheld or moving")
    size: str = setting("1920x1080", "of the frames in pixels")
    clips: int = setting(24, "number of composites")
    frames: int = setting(6, "number of frames of each")
    edges: str = setting("solved", "soft edges", choices=EDGES)
    device: str = setting("auto", "device of the network: auto, cpu, cuda, cuda:1, mps, ...", check=check_device)
    json: str | None = setting(None, "also write the scores to this file", is_path=True)


@cli.friendly
def main(arguments: list[str]) -> None:
    """Make and matte the composites, print the table of scores and write the JSON file."""
    if cli.wants_help(arguments):
        page = cli.help_page(COMMAND, "Scores weights on composites of unseen people.", CompositesSettings, EXAMPLES)
        print(page)
        return
    settings = cli.read_settings(CompositesSettings, arguments)
    width, height = _parse_size(settings.size)
    if settings.clips < 1 or settings.frames < 1:
        raise SettingsError(f"clips={settings.clips} frames={settings.frames}: both must be at least 1")
    # Imported after the settings are checked, because torch takes seconds to load.
    from howard.evaluation.composites.unseen_composites import METHODS, SCORES, make_composites, score_composites
    from howard.evaluation.tables import format_number, markdown_table, to_json
    from howard.matting import load_matting
    from howard.progress import open_progress

    clips = make_composites(Path(settings.root), settings.level, (height, width), settings.clips, settings.frames)
    predictor = load_matting(settings.weights, settings.device)
    with open_progress("auto", sys.stderr) as progress:
        scores = score_composites(clips, settings.clips, predictor, progress.frame, settings.edges)
    rows = [[METHODS[method], *(format_number(each[name]) for name in SCORES)] for method, each in scores.items()]
    print(markdown_table(["plate", *SCORES.values()], rows))
    if settings.json:
        about = {"weights": settings.weights, "level": settings.level, "size": settings.size}
        write_atomically(Path(settings.json), to_json(**about, clips=settings.clips, roads=scores).encode())


def _parse_size(size: str) -> tuple[int, int]:
    width, _, height = size.partition("x")
    if not (width.isdecimal() and height.isdecimal() and min(int(width), int(height)) >= 64):
        raise SettingsError(f"size={size} is not a size; give WIDTHxHEIGHT in pixels, as 1920x1080, at least 64 each")
    return int(width), int(height)


if __name__ == "__main__":
    main(sys.argv[1:])
