"""``python -m howard.evaluation clip=FOLDER``: scores a clip whose truth is known."""

import sys
from dataclasses import dataclass
from pathlib import Path

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING
from rich.console import Console

from howard import cli
from howard.errors import OutputError
from howard.evaluation.clip import TrueClip
from howard.settings import setting

COMMAND = "python -m howard.evaluation"
EXAMPLES = (f"{COMMAND} clip=data/sample", f"{COMMAND} clip=data/sample weights=mine.safetensors json=scores.json")


@dataclass
class EvaluationSettings:
    """What the command can be told."""

    clip: str = setting(
        MISSING, "folder with shot.mp4, plate.mp4, alpha/ and clean/, laid out like data/sample", is_path=True
    )
    weights: str = setting("default", "name of weights that ship with Howard, or a weights file", is_path=True)
    frames: str | None = setting(None, "only these frames, as 10-20 (both included) or 7; all if left out")
    device: str = setting("auto", "auto, cpu, cuda or mps")
    json: str | None = setting(None, "also write the scores to this file", is_path=True)


ConfigStore.instance().store(name="evaluation", node=EvaluationSettings)


@cli.friendly
def main(arguments: list[str]) -> None:
    """Score the clip, print the table and write the JSON."""
    if cli.wants_help(arguments):
        print(cli.help_page(COMMAND, "Scores the mattes of a clip against the truth.", EvaluationSettings, EXAMPLES))
        return
    settings = cli.read_settings(EvaluationSettings, "evaluation", arguments)
    clip = TrueClip(Path(settings.clip))
    # Only now: torch takes seconds to load, and the settings may have been wrong.
    from howard.evaluation.benchmark import score_clip
    from howard.evaluation.tables import as_json, score_table
    from howard.matting import load_matting
    from howard.pipeline import progress_bar

    predictor = load_matting(settings.weights, settings.device)
    with progress_bar() as progress:
        report = score_clip(clip, predictor, settings.frames, progress)
    Console().print(score_table(report, f"{clip.folder.name}, weights {settings.weights}"))
    if settings.json:
        write(Path(settings.json), as_json(report, clip=str(clip.folder), weights=settings.weights))


def write(path: Path, text: str) -> None:
    """Write a small text file; raises OutputError where it cannot be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}; give json= another place") from error


if __name__ == "__main__":
    main(sys.argv[1:])
