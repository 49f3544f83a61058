"""``python -m howard.evaluation``: scores mattes whose truth is known."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from howard import cli
from howard.errors import SettingsError
from howard.fields import REQUIRED, setting
from howard.media import write_whole

if TYPE_CHECKING:
    from howard.evaluation.predictions import PredictionReport

COMMAND = "python -m howard.evaluation"
EXAMPLES = (
    f"{COMMAND} predictions=renders/shot truth=data/sample",
    f"{COMMAND} predictions=renders/shot truth=data/sample plate=data/sample/clean json=scores.json",
)


@dataclass
class EvaluationSettings:
    """What the command can be told."""

    predictions: str = setting(REQUIRED, "folder of mattes to score: PNG, grey or RGBA", is_path=True)
    truth: str = setting(REQUIRED, "folder of true mattes, or one laid out like data/sample", is_path=True)
    plate: str | None = setting(None, "video or sequence aligned to the source: judged, and keyed with", is_path=True)
    source: str | None = setting(None, "the shot, where a plate is given; TRUTH/shot.mp4 if left out", is_path=True)
    mixing: str = setting("linear", "light in which the predictions mix", choices=("linear", "srgb"))
    json: str | None = setting(None, "also write the scores to this file", is_path=True)


@cli.friendly
def main(arguments: list[str]) -> None:
    """Score, print the table and write the JSON."""
    if cli.wants_help(arguments):
        print(cli.help_page(COMMAND, "Scores mattes against the truth.", EvaluationSettings, EXAMPLES))
        return
    settings = cli.read_settings(EvaluationSettings, arguments)
    report = score_folder(settings)
    # Only now: torch takes seconds to load, and the settings may have been wrong.
    from howard.evaluation.tables import as_json, score_table

    print(score_table(report))
    if settings.json:
        about = {"predictions": settings.predictions, "truth": settings.truth, "plate": settings.plate}
        write_whole(Path(settings.json), as_json(**about, **asdict(report)).encode())


def score_folder(settings: EvaluationSettings) -> "PredictionReport":
    """Score mattes that are there already."""
    truth, source = Path(settings.truth), settings.source
    if settings.plate is not None and source is None:
        source = str(truth / "shot.mp4")
        if not Path(source).is_file():
            raise SettingsError("plate= needs source=, the shot that it is aligned to")
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
