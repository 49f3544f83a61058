"""Run folders, ``runs/NAME/DATE``: their files, their names, and which can be resumed. Does not import torch."""

import os
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from howard.errors import InputError

SETTINGS, REVISION, CHECKPOINT = "config.yaml", "revision.txt", Path("checkpoints") / "last.ckpt"
EXPORTED = "weights.safetensors"  # exists once the run is finished
BEST = "best.safetensors"  # weights of the best validation so far
LAST = "last.safetensors"  # weights of an interrupted run
SUITE = "suite.json"  # results of the exported weights on the validation suite
STAGES = "stages.yaml"  # settings of the stages of a run of several stages
_RUN_NAME = "HOWARD_RUN"  # environment variable


def new_run_name() -> str:
    """Name of a new run: the date and time, or the scheduler's job.

    All processes of a run use the same name; child processes read it from their environment.
    """
    if "SLURM_JOB_ID" in os.environ:
        return f"job_{os.environ['SLURM_JOB_ID']}_{os.environ.get('SLURM_STEP_ID', '0')}"
    if "LOCAL_RANK" not in os.environ or _RUN_NAME not in os.environ:
        os.environ[_RUN_NAME] = datetime.now().strftime("%Y-%m-%d_%H-%M-%S-%f")
    return os.environ[_RUN_NAME]


def stage_folder(run: Path, index: int, name: str) -> Path:
    """The folder of a stage within the folder of a run of several stages; ``index`` is zero-based."""
    return run / f"{index + 1}_{name}"


def run_label(run: Path) -> str:
    """A label that is unique within an experiment: the folder's name; for a stage after that of the whole run."""
    return f"{run.parent.name}_{run.name}" if (run.parent / STAGES).is_file() else run.name


def check_resumable(run: Path) -> Path:
    """Return the folder of a run that can be resumed.

    Raises:
        InputError: it has no settings or no checkpoint, or all its stages are finished.
    """
    for file in (SETTINGS,) if (run / STAGES).is_file() else (SETTINGS, CHECKPOINT):
        if not (run / file).is_file():
            raise InputError(f"resume={run}: {file} is not there; give the folder of an interrupted run")
    if (run / EXPORTED).is_file() and (run / STAGES).is_file():
        raise InputError(f"resume={run}: all of its stages are finished")
    return run


def newest_unfinished(runs: Path, experiment: str = "*") -> Path | None:
    """The newest run, of one experiment or of all, that has a checkpoint and no exported weights; None if none."""
    saved = {path: path.parent.parent for path in runs.glob(f"{experiment}/*/{CHECKPOINT}")}
    stages = {path: path.parent.parent.parent for path in runs.glob(f"{experiment}/*/*/{CHECKPOINT}")}
    saved |= {path: run for path, run in stages.items() if (run / STAGES).is_file()}
    unfinished = [path for path, run in saved.items() if not (run / EXPORTED).exists() and (run / SETTINGS).is_file()]
    newest = max(unfinished, key=lambda path: path.stat().st_mtime, default=None)
    return None if newest is None else saved[newest]


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file, unchanged; raises InputError if there is none."""
    try:
        stored = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path} cannot be read ({' '.join(str(error).split())})") from None
    if not isinstance(stored, dict):
        raise InputError(f"{path} is not a run's settings: expected a mapping of settings")
    return stored


def git_revision() -> str:
    """The commit of this code, with ``-dirty`` if files were changed; ``unknown`` outside of git."""
    options = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    command = ["git", "-C", str(Path(__file__).parent), *options]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
