"""``python -m howard.evaluation.benchmark``: mattes clips with ground truth and scores each method."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from howard import cli
from howard.choices import EDGES, check_device
from howard.evaluation.true_clip import TrueClip, find_clips
from howard.fields import REQUIRED, setting
from howard.media import write_atomically
from howard.progress import open_progress
from howard.quality import QUALITIES, QUALITY_CHOICES

if TYPE_CHECKING:
    from howard.evaluation.benchmark.clip_scores import ClipReport

COMMAND = "python -m howard.evaluation.benchmark"
EXAMPLES = (
    f"{COMMAND} clips=data/bench_public quality=best",
    f"{COMMAND} clips=data/sample weights=mine.safetensors json=scores.json",
)


@dataclass
class BenchmarkSettings:
    """Settings of the command."""

    clips: str = setting(REQUIRED, "folder laid out like data/sample, or a folder of such folders", is_path=True)
    weights: str = setting("default", "name of weights included in Howard, or a file", is_path=True)
    frames: str | None = setting(None, "only these frames of each clip, such as 10-20 or 7; all if left out")
    edges: str = setting("solved", "soft edges", choices=EDGES)
    quality: str = setting("standard", "quality against time", choices=QUALITY_CHOICES)
    device: str = setting("auto", "device of the network: auto, cpu, cuda, cuda:1, mps, ...", check=check_device)
    json: str | None = setting(None, "also write the scores to this file", is_path=True)


@cli.friendly
def main(arguments: list[str]) -> None:
    """Matte and score the clips, print the tables and write the JSON file."""
    if cli.wants_help(arguments):
        print(cli.help_page(COMMAND, "Mattes and scores clips with ground truth.", BenchmarkSettings, EXAMPLES))
        return
    settings = cli.read_settings(BenchmarkSettings, arguments)
    clips = find_clips(Path(settings.clips))
    # Imported after the settings are checked, because torch takes seconds to load.
    from howard.evaluation.benchmark.clip_scores import clips_table, plates_table
    from howard.evaluation.tables import to_json

    reports = score_clips(clips, settings)
    print(clips_table(reports))
    print()
    print(plates_table(reports))
    if settings.json:
        stored = {name: report.to_stored() for name, report in reports.items()}
        write_atomically(Path(settings.json), to_json(weights=settings.weights, clips=stored).encode())


def score_clips(clips: list[TrueClip], settings: BenchmarkSettings) -> dict[str, "ClipReport"]:
    """The report of each clip by the name of its folder."""
    from howard.evaluation.benchmark.clip_scores import score_clip
    from howard.matting import load_matting

    augmented = QUALITIES[settings.quality].augmented
    predictor = load_matting(settings.weights, settings.device, augmented=augmented)
    reports = {}
    for clip in clips:
        with open_progress("auto", sys.stderr) as progress:
            progress.step("clip", f"scoring {clip.folder.name}")
            options = settings.frames, progress.frame, settings.quality, settings.edges
            reports[clip.folder.name] = score_clip(clip, predictor, *options)
    return reports


if __name__ == "__main__":
    main(sys.argv[1:])
