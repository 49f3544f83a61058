"""Sweeps: Hydra runs every combination of values as a job, in this process, in others, or on other machines."""

import atexit
import os
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import hydra
from omegaconf import DictConfig

from howard.errors import HowardError

# Set by submitit, which Hydra's launchers for SLURM start jobs with, in the processes of its jobs.
_SUBMITIT = "SUBMITIT_EXECUTOR"


class _Failures:
    """Whether a job of a sweep failed; jobs in other processes say so by a file in the shared working directory."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._is_any = False
        self._file = Path.cwd() / f".howard-{uuid.uuid4().hex}.failed"

    def note(self) -> None:
        if os.getpid() == self._process:
            self._is_any = True
        else:
            self._file.touch()

    def collect(self) -> bool:
        """Whether there was any; call it once, when all jobs have ended."""
        is_told = self._file.exists()
        self._file.unlink(missing_ok=True)
        return self._is_any or is_told


def run_sweep(run: Callable[[DictConfig], None], config_folder: Path, config_name: str) -> bool:
    """Run all jobs of the sweep that ``sys.argv`` asks for; returns whether every one came to its end.

    A HowardError of a job is printed in one line and the other jobs go on; any other exception is a bug, which Hydra
    raises after the last job. A process that was started for a job by submitit ends with code 2 where the job failed,
    so that SLURM lists it as failed.
    """
    failures = _Failures()

    def job(config: DictConfig) -> None:
        try:
            run(config)
        except BaseException as error:
            failures.note()
            if _SUBMITIT in os.environ:
                atexit.register(_leave_as_failed)
            if not isinstance(error, HowardError):
                raise
            print(f"error: {error}", file=sys.stderr)

    try:
        hydra.main(config_path=str(config_folder), config_name=config_name, version_base=None)(job)()
    finally:
        has_failed = failures.collect()
    return not has_failed


def _leave_as_failed() -> None:
    """End the process with code 2; at its exit, when the job's result has been saved for the process that waits."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(2)
