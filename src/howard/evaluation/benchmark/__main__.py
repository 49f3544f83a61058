"""``python -m howard.evaluation.benchmark``: mattes clips whose truth is known, and says how well, road by road."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from howard import cli
from howard.evaluation.clip import TrueClip, find_clips
from howard.media import write_whole
from howard.pipeline import check_quality, is_augmented, progress_bar
from howard.settings import setting

if TYPE_CHECKING:
    from howard.evaluation.roads import ClipReport

COMMAND = "python -m howard.evaluation.benchmark"
EXAMPLES = (
    f"{COMMAND} clips=data/bench_public quality=best",
    f"{COMMAND} clips=data/sample weights=mine.safetensors json=scores.json",
)


@dataclass
class BenchmarkSettings:
    """What the command can be told."""

    clips: str = setting(MISSING, "folder laid out like data/sample, or a folder of such folders", is_path=True)
    weights: str = setting("default", "name of weights that ship with Howard, or a file", is_path=True)
    frames: str | None = setting(None, "only these frames of each clip, as 10-20 or 7; all if left out")
    alpha: str = setting("unmixed", "of soft edges: unmixed or network, as infer.py's")
    quality: str = setting("standard", "how much work goes into a frame: fast, standard or best, as infer.py's")
    device: str = setting("auto", "auto, cpu, cuda or mps")
    json: str | None = setting(None, "also write the scores to this file", is_path=True)


ConfigStore.instance().store(name="benchmark", node=BenchmarkSettings)


@cli.friendly
def main(arguments: list[str]) -> None:
    """Matte, score, print the tables and write the JSON."""
    if cli.wants_help(arguments):
        print(cli.help_page(COMMAND, "Mattes and scores clips whose truth is known.", BenchmarkSettings, EXAMPLES))
        return
    settings = cli.read_settings(BenchmarkSettings, "benchmark", arguments)
    check_quality(settings.quality)
    clips = find_clips(Path(settings.clips))
    # Only now: torch takes seconds to load, and the settings may have been wrong.
    from howard.evaluation.tables import as_json, clips_table, plates_table

    reports = score_clips(clips, settings)
    print(clips_table(reports))
    print()
    print(plates_table(reports))
    if settings.json:
        clips_scores = {name: asdict(report) for name, report in reports.items()}
        write_whole(Path(settings.json), as_json(weights=settings.weights, clips=clips_scores).encode())


def score_clips(clips: list[TrueClip], settings: BenchmarkSettings) -> dict[str, "ClipReport"]:
    """Every clip's report by its folder's name."""
    from howard.evaluation.roads import score_clip
    from howard.matting import load_matting

    augmented = is_augmented(settings.quality)
    predictor = load_matting(settings.weights, settings.device, alpha=settings.alpha, augmented=augmented)
    reports = {}
    for clip in clips:
        with progress_bar() as progress:
            reports[clip.folder.name] = score_clip(clip, predictor, settings.frames, progress, settings.quality)
    return reports


if __name__ == "__main__":
    main(sys.argv[1:])
