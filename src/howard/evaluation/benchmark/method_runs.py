"""Runs a method on every clip: scoring with progress, and another program's command before it. Imports no torch."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from howard.errors import InputError
from howard.evaluation.benchmark.clip_report import ClipReport
from howard.evaluation.benchmark.external_command import ExternalCommand
from howard.evaluation.true_clip import TrueClip
from howard.media import open_reader
from howard.progress import ProgressCallback, open_progress

# Scores one clip; the callback is called after each frame.
ClipScorer = Callable[[TrueClip, ProgressCallback], ClipReport]


def score_each(clips: Sequence[TrueClip], score: ClipScorer) -> dict[str, ClipReport]:
    """The report of each clip by the name of its folder, with progress on standard error."""
    reports = {}
    for clip in clips:
        with open_progress("auto", sys.stderr) as progress:
            progress.step("clip", f"scoring {clip.folder.name}")
            reports[clip.folder.name] = score(clip, progress.frame)
    return reports


def run_on_clips(
    command: ExternalCommand, clips: Sequence[TrueClip], folders: Mapping[str, Path]
) -> dict[str, dict[str, float]]:
    """Run a command on every clip; the measures ``seconds`` per frame and ``megabytes`` by clip.

    Args:
        command: of another program.
        clips: to run it on, one after the other.
        folders: for the mattes, by the name of the clip.

    Raises:
        MethodFailedError: it failed on a clip.
        OutputError: a folder is not empty or cannot be created.
    """
    measured = {}
    for clip in clips:
        name = clip.folder.name
        with open_progress("auto", sys.stderr) as progress:
            progress.step("command", f"running the command on {name}")
            usage = command.run(clip, folders[name])
        with open_reader(clip.shot) as shot:
            measured[name] = {"seconds": usage.seconds / len(shot), "megabytes": usage.megabytes}
    return measured


def find_matte_folders(clips: Sequence[TrueClip], root: Path, must_exist: bool = True) -> dict[str, Path]:
    """The subfolder of a folder of mattes for each clip, by its name.

    Raises:
        InputError: one does not exist, and ``must_exist``.
    """
    folders = {clip.folder.name: root / clip.folder.name for clip in clips}
    for folder in folders.values():
        if must_exist and not folder.is_dir():
            raise InputError(f"{folder} does not exist; mattes= has a subfolder for each clip: {', '.join(folders)}")
    return folders


def clips_digests(clips: Sequence[TrueClip]) -> dict[str, str]:
    """The checksum of each clip, by its name."""
    return {clip.folder.name: clip.digest() for clip in clips}
