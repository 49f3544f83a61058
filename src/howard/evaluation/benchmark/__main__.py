"""``python -m howard.evaluation.benchmark``: scores a method on clips with ground truth, or compares two methods."""

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from howard import cli
from howard.choices import EDGES, check_device
from howard.errors import SettingsError
from howard.evaluation.benchmark.external_command import ExternalCommand, split_words
from howard.evaluation.benchmark.method_results import results_json
from howard.evaluation.benchmark.method_runs import clips_digests, find_matte_folders, run_on_clips, score_each
from howard.evaluation.true_clip import TrueClip, find_all_clips
from howard.fields import setting, split_list
from howard.media import write_atomically
from howard.quality import QUALITIES, QUALITY_CHOICES

COMMAND = "python -m howard.evaluation.benchmark"
PURPOSE = "Scores a method on clips with ground truth: Howard, mattes of another program, or that program itself."
EXAMPLES = (
    f"{COMMAND} clips=data/bench_public quality=best",
    f"{COMMAND} clips=data/sample weights=mine.safetensors json=scores.json",
    f"{COMMAND} clips=[data/bench_public,data/sample] mattes=other json=other.json",
    f'{COMMAND} clips=data/bench_public "command=python other.py {{shot}} {{plate}} {{output}}" json=other.json',
    f"{COMMAND} compare=[other.json,scores.json]",
)


@dataclass
class BenchmarkSettings:
    """Settings of the command."""

    clips: str | None = setting(
        None, "folder laid out like data/sample, or a folder of such folders, or several as [a,b]", is_path=True
    )
    weights: str = setting("default", "name of weights included in Howard, or a file", is_path=True)
    mattes: str | None = setting(
        None, "score these mattes instead: a folder with a subfolder of PNG files for each clip", is_path=True
    )
    command: str | None = setting(
        None, "score this program instead: a command with {shot}, {plate} and {output}, run for each clip"
    )
    output: str | None = setting(
        None, "folder for the mattes of command=, a subfolder for each clip; they are deleted if left out", is_path=True
    )
    name: str | None = setting(None, "of the method, in tables and results")
    frames: str | None = setting(None, "only these frames of each clip, such as 10-20 or 7; all if left out")
    edges: str = setting("solved", "soft edges", choices=EDGES)
    quality: str = setting("standard", "quality against time", choices=QUALITY_CHOICES)
    device: str = setting("auto", "device of the network: auto, cpu, cuda, cuda:1, mps, ...", check=check_device)
    json: str | None = setting(None, "also write the scores to this file", is_path=True)
    compare: str | None = setting(None, "two files written by json=, as [first.json,second.json]: only compare them")


@cli.friendly
def main(arguments: list[str]) -> None:
    """Score a method, print the tables and write the results file; or compare two results files."""
    if cli.wants_help(arguments):
        print(cli.help_page(COMMAND, PURPOSE, BenchmarkSettings, EXAMPLES))
        return
    settings = cli.read_settings(BenchmarkSettings, arguments)
    if settings.compare is not None:
        print(compare(settings.compare))
        return
    check_settings(settings)
    clips = find_all_clips([Path(folder) for folder in split_list(settings.clips or "")])
    score = score_howard if settings.mattes is None and settings.command is None else score_foreign
    text, results = score(clips, settings)
    print(text)
    if settings.json:
        write_atomically(Path(settings.json), results.encode())


def check_settings(settings: BenchmarkSettings) -> None:
    """Raise SettingsError for settings that do not go together."""
    if settings.clips is None:
        raise SettingsError("clips= is missing: a folder laid out like data/sample, or a folder of such folders")
    if settings.mattes is not None and settings.command is not None:
        raise SettingsError("mattes= and command= are two ways to give a method; leave one out")
    if settings.output is not None and settings.command is None:
        raise SettingsError("output= is for the mattes of command=; leave it out, or give a command")


def compare(files: str) -> str:
    """The comparison of two results files, ``[first.json,second.json]``."""
    from howard.evaluation.benchmark.method_comparison import compare_methods, comparison_text
    from howard.evaluation.benchmark.method_results import read_results_file

    paths = split_list(files)
    if len(paths) != 2:
        raise SettingsError(f"compare= takes two files, not {len(paths)}: compare=[first.json,second.json]")
    first, second = (read_results_file(Path(path)) for path in paths)
    return comparison_text(first, second, compare_methods(first, second))


def score_howard(clips: list[TrueClip], settings: BenchmarkSettings) -> tuple[str, str]:
    """Matte and score the clips with Howard's weights: the tables, and the text of the results file."""
    # Imported after the settings are checked, because torch takes seconds to load.
    from howard.evaluation.benchmark.clip_scores import score_clip
    from howard.evaluation.benchmark.clip_tables import clips_table, plates_table
    from howard.matting import load_matting

    quality, edges = settings.quality, settings.edges
    predictor = load_matting(settings.weights, settings.device, augmented=QUALITIES[quality].augmented)
    reports = score_each(
        clips, lambda clip, on_frame: score_clip(clip, predictor, settings.frames, on_frame, quality, edges)
    )
    method = {
        "name": settings.name or f"Howard {Path(settings.weights).stem} {quality}",
        "kind": "howard",
        "weights": settings.weights,
        "sha256": dict(predictor.digests),
        "frames": settings.frames,
        "quality": quality,
        "edges": edges,
        "device": str(predictor.device),
        "precision": predictor.precision,
    }
    return f"{clips_table(reports)}\n\n{plates_table(reports)}", results_json(method, reports, clips_digests(clips))


def score_foreign(clips: list[TrueClip], settings: BenchmarkSettings) -> tuple[str, str]:
    """Score the mattes of another program, run here if there is a command: the table, and the results file's text."""
    given = settings.mattes or settings.command or ""
    kind = "command" if settings.mattes is None else "mattes"
    name = settings.name or Path(split_words(given)[0] if kind == "command" else given).stem
    with ExitStack() as stack:
        if kind == "mattes":
            folders, usage = find_matte_folders(clips, Path(given)), {}
        else:
            root = Path(settings.output or stack.enter_context(TemporaryDirectory()))
            folders = find_matte_folders(clips, root, must_exist=False)
            usage = run_on_clips(ExternalCommand(given), clips, folders)
        # torch is loaded after the command has run, beside which it would take memory.
        from howard.evaluation.benchmark.clip_tables import clips_table
        from howard.evaluation.benchmark.foreign_mattes import mattes_digest, score_mattes

        reports = score_each(
            clips, lambda clip, on_frame: score_mattes(clip, folders[clip.folder.name], settings.frames, on_frame)
        )
        outputs = {clip: mattes_digest(folder) for clip, folder in folders.items()}
    reports = {clip: report.with_measures(usage.get(clip, {})) for clip, report in reports.items()}
    method = {"name": name, "kind": kind, kind: given, "frames": settings.frames}
    return clips_table(reports, name), results_json(method, reports, clips_digests(clips), outputs)


if __name__ == "__main__":
    main(sys.argv[1:])
