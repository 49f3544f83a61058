"""Run folders, ``runs/NAME/DATE``: what they are called, and which can be gone on with. No torch here."""

import os
import subprocess
from datetime import datetime
from pathlib import Path

from howard.errors import InputError

SETTINGS, REVISION, CHECKPOINT = "config.yaml", "revision.txt", Path("checkpoints") / "last.ckpt"
EXPORTED = "weights.safetensors"  # a run that has it is finished
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


def check_run(run: Path) -> Path:
    """An interrupted run's folder.

    Raises:
        InputError: nothing there could be gone on with.
    """
    for file in (SETTINGS, CHECKPOINT):
        if not (run / file).is_file():
            raise InputError(f"resume={run}: {file} is not there; give the folder of an interrupted run")
    return run


def newest_unfinished(runs: Path, experiment: str = "*") -> Path | None:
    """The newest run of an experiment, or of all, that has a checkpoint and no weights yet; None without any."""
    found = [path.parent.parent for path in runs.glob(f"{experiment}/*/{CHECKPOINT}")]
    open_ones = [run for run in found if not (run / EXPORTED).exists() and (run / SETTINGS).is_file()]
    return max(open_ones, key=lambda run: (run / CHECKPOINT).stat().st_mtime, default=None)


def git_revision(folder: Path) -> str:
    """The commit that code in a folder is at, with ``-dirty`` where it was changed; ``unknown`` outside git."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
