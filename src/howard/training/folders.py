"""Run folders, ``runs/NAME/DATE``: what they are called, and which can be gone on with. No torch here."""

import os
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from howard.errors import InputError

SETTINGS, REVISION, CHECKPOINT = "config.yaml", "revision.txt", Path("checkpoints") / "last.ckpt"
EXPORTED = "weights.safetensors"  # a run that has it is finished
BEST = "best.safetensors"  # of the best validation so far
LAST = "last.safetensors"  # of an interrupted run
SUITE = "suite.json"  # of the exported weights, on the validation suite
STAGES = "stages.yaml"  # settings of the runs that a run of several stages is made of
_STAMP = "HOWARD_RUN"


def stamp() -> str:
    """What a new run is called: the date, or the scheduler's job.

    All processes of a run have to agree on it; those that this one starts find it in their environment.
    """
    if "SLURM_JOB_ID" in os.environ:
        return f"job_{os.environ['SLURM_JOB_ID']}_{os.environ.get('SLURM_STEP_ID', '0')}"
    if "LOCAL_RANK" not in os.environ or _STAMP not in os.environ:
        os.environ[_STAMP] = datetime.now().strftime("%Y-%m-%d_%H-%M-%S-%f")
    return os.environ[_STAMP]


def stage_folder(run: Path, index: int, name: str) -> Path:
    """The folder of a stage, itself a run, in that of a run of several stages; ``index`` counts from 0."""
    return run / f"{index + 1}_{name}"


def label(run: Path) -> str:
    """What tells a run from the others of its experiment: its folder's name, of a stage with that of the whole run."""
    return f"{run.parent.name}_{run.name}" if (run.parent / STAGES).is_file() else run.name


def check_run(run: Path) -> Path:
    """An interrupted run's folder.

    Raises:
        InputError: nothing there could be gone on with.
    """
    for file in (SETTINGS,) if (run / STAGES).is_file() else (SETTINGS, CHECKPOINT):
        if not (run / file).is_file():
            raise InputError(f"resume={run}: {file} is not there; give the folder of an interrupted run")
    if (run / EXPORTED).is_file() and (run / STAGES).is_file():
        raise InputError(f"resume={run}: all of its stages are finished")
    return run


def newest_unfinished(runs: Path, experiment: str = "*") -> Path | None:
    """The newest run of an experiment, or of all, that has a checkpoint and no weights yet; None without any."""
    saved = {path: path.parent.parent for path in runs.glob(f"{experiment}/*/{CHECKPOINT}")}
    stages = {path: path.parent.parent.parent for path in runs.glob(f"{experiment}/*/*/{CHECKPOINT}")}
    saved |= {path: run for path, run in stages.items() if (run / STAGES).is_file()}
    open_ones = [path for path, run in saved.items() if not (run / EXPORTED).exists() and (run / SETTINGS).is_file()]
    newest = max(open_ones, key=lambda path: path.stat().st_mtime, default=None)
    return None if newest is None else saved[newest]


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file's mapping, as it is; raises InputError where there is none."""
    try:
        stored = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path} cannot be read ({' '.join(str(error).split())})") from None
    if not isinstance(stored, dict):
        raise InputError(f"{path} is not a run's settings: expected a mapping of settings")
    return stored


def git_revision() -> str:
    """The commit that this code is at, with ``-dirty`` where it was changed; ``unknown`` outside git."""
    options = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    command = ["git", "-C", str(Path(__file__).parent), *options]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
