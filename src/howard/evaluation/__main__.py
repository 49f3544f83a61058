"""``python -m howard.evaluation``: scores a folder of mattes against the true ones."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from howard import cli
from howard.errors import SettingsError
from howard.fields import REQUIRED, setting
from howard.media import write_atomically

if TYPE_CHECKING:
    from howard.evaluation.predictions import PredictionReport

COMMAND = "python -m howard.evaluation"
EXAMPLES = (
    f"{COMMAND} predictions=renders/shot truth=data/sample",
    f"{COMMAND} predictions=renders/shot truth=data/sample plate=data/sample/clean json=scores.json",
)


@dataclass
class EvaluationSettings:
    """Settings of the command."""

    predictions: str = setting(REQUIRED, "folder of mattes to score: PNG, grey or RGBA", is_path=True)
    truth: str = setting(REQUIRED, "folder of true mattes, or a folder laid out like data/sample", is_path=True)
    plate: str | None = setting(
        None, "plate aligned to the source, video or sequence: scored, and used by the difference key", is_path=True
    )
    source: str | None = setting(None, "the shot, needed with plate=; TRUTH/shot.mp4 if left out", is_path=True)
    mixing: str = setting("linear", "colour space in which the mattes are composited", choices=("linear", "srgb"))
    json: str | None = setting(None, "also write the scores to this file", is_path=True)


@cli.friendly
def main(arguments: list[str]) -> None:
    """Score the mattes, print the table and write the JSON file."""
    if cli.wants_help(arguments):
        print(cli.help_page(COMMAND, "Scores mattes against the true ones.", EvaluationSettings, EXAMPLES))
        return
    settings = cli.read_settings(EvaluationSettings, arguments)
    report = score_folder(settings)
    # Imported after the settings are checked, because torch takes seconds to load.
    from howard.evaluation.predictions import score_table
    from howard.evaluation.tables import to_json

    print(score_table(report))
    if settings.json:
        about = {"predictions": settings.predictions, "truth": settings.truth, "plate": settings.plate}
        write_atomically(Path(settings.json), to_json(**about, **report.to_stored()).encode())


def score_folder(settings: EvaluationSettings) -> "PredictionReport":
    """Score a folder of existing mattes."""
    truth, source = Path(settings.truth), settings.source
    if settings.plate is not None and source is None:
        source = str(truth / "shot.mp4")
        if not Path(source).is_file():
            raise SettingsError("plate= needs source=, the shot that the plate is aligned to")
    from howard.evaluation.predictions import score_predictions

    return score_predictions(
        Path(settings.predictions),
        truth,
        Path(source) if source else None,
        Path(settings.plate) if settings.plate else None,
        linear_light=settings.mixing == "linear",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
