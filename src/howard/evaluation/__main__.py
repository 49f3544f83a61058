"""``python -m howard.evaluation``: scores mattes, or weights on a clip, whose truth is known."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.config_store import ConfigStore
from rich.console import Console

from howard import cli
from howard.errors import SettingsError
from howard.evaluation.clip import TrueClip
from howard.media import write_whole
from howard.settings import setting

if TYPE_CHECKING:
    from howard.evaluation.benchmark import ClipReport
    from howard.evaluation.predictions import PredictionReport

COMMAND = "python -m howard.evaluation"
EXAMPLES = (
    f"{COMMAND} predictions=renders/shot truth=data/sample",
    f"{COMMAND} predictions=renders/shot truth=data/sample plate=data/sample/clean json=scores.json",
    f"{COMMAND} clip=data/sample weights=mine.safetensors",
)


@dataclass
class EvaluationSettings:
    """What the command can be told."""

    predictions: str | None = setting(None, "folder of mattes to score: PNG, grey or RGBA", is_path=True)
    truth: str | None = setting(None, "folder of true mattes, or one laid out like data/sample", is_path=True)
    plate: str | None = setting(None, "video or sequence aligned to the source: judged, and keyed with", is_path=True)
    source: str | None = setting(None, "the shot, where a plate is given; TRUTH/shot.mp4 if left out", is_path=True)
    mixing: str = setting("linear", "light in which the predictions mix: linear or srgb")
    clip: str | None = setting(
        None, "instead of predictions: matte and score this folder, laid out like data/sample", is_path=True
    )
    weights: str = setting("default", "for clip=: name of weights that ship with Howard, or a file", is_path=True)
    frames: str | None = setting(None, "for clip=: only these frames, as 10-20 or 7; all if left out")
    device: str = setting("auto", "for clip=: auto, cpu, cuda or mps")
    json: str | None = setting(None, "also write the scores to this file", is_path=True)


ConfigStore.instance().store(name="evaluation", node=EvaluationSettings)


@cli.friendly
def main(arguments: list[str]) -> None:
    """Score, print the table and write the JSON."""
    if cli.wants_help(arguments):
        print(cli.help_page(COMMAND, "Scores mattes against the truth.", EvaluationSettings, EXAMPLES))
        return
    settings = cli.read_settings(EvaluationSettings, "evaluation", arguments)
    if settings.mixing not in ("linear", "srgb"):
        raise SettingsError(f"mixing={settings.mixing} is unknown; choose linear or srgb")
    if (settings.clip is None) == (settings.predictions is None):
        raise SettingsError("give either predictions= with truth=, or clip=; see --help")
    if settings.clip is not None:
        about = {"clip": settings.clip, "weights": settings.weights}
        report = score_weights(settings, TrueClip(Path(settings.clip)))
    else:
        about = {"predictions": settings.predictions, "truth": settings.truth, "plate": settings.plate}
        report = score_folder(settings)
    # Only now: torch takes seconds to load, and the settings may have been wrong.
    from howard.evaluation.tables import as_json, score_table

    title = ", ".join(f"{name} {value}" for name, value in about.items() if value)
    Console().print(score_table(report, title))
    if settings.json:
        write_whole(Path(settings.json), as_json(report, **about).encode())


def score_weights(settings: EvaluationSettings, clip: TrueClip) -> "ClipReport":
    """Matte a clip with weights, on the film road and with a perfect plate, and score it."""
    from howard.evaluation.benchmark import score_clip
    from howard.matting import load_matting
    from howard.pipeline import progress_bar

    predictor = load_matting(settings.weights, settings.device)
    with progress_bar() as progress:
        return score_clip(clip, predictor, settings.frames, progress)


def score_folder(settings: EvaluationSettings) -> "PredictionReport":
    """Score mattes that are there already."""
    if settings.predictions is None or settings.truth is None:
        raise SettingsError("truth= is missing: a folder of true mattes")
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
