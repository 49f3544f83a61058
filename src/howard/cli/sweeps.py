"""Sweeps: Hydra runs every combination of values as a job, in this or another process, or on another machine."""

import atexit
import os
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import hydra
from omegaconf import DictConfig

from howard.errors import HowardError

# Environment variable that submitit, used by Hydra's SLURM launchers, sets in the processes of its jobs.
_SUBMITIT = "SUBMITIT_EXECUTOR"


class _Failures:
    """Records whether a job failed. Jobs in other processes do so with a marker file in the working directory."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._has_failed = False
        self._file = Path.cwd() / f".howard-{uuid.uuid4().hex}.failed"

    def record(self) -> None:
        """Record that a job has failed, in any process."""
        if os.getpid() == self._process:
            self._has_failed = True
        else:
            self._file.touch()

    def collect(self) -> bool:
        """Whether a job failed; to be called once, when all jobs have ended."""
        is_marked = self._file.exists()
        self._file.unlink(missing_ok=True)
        return self._has_failed or is_marked


def run_sweep(run: Callable[[DictConfig], None], config_folder: Path, config_name: str) -> bool:
    """Run all jobs of the sweep in ``sys.argv``; returns whether all of them succeeded.

    A job's HowardError is printed in one line and the other jobs are still run. Any other exception is a bug, which
    Hydra raises after the last job. A process that submitit started for a job exits with code 2 if the job failed, so
    that SLURM lists it as failed.
    """
    failures = _Failures()

    def job(config: DictConfig) -> None:
        try:
            run(config)
        except BaseException as error:
            failures.record()
            if _SUBMITIT in os.environ:
                atexit.register(_exit_as_failed)
            if not isinstance(error, HowardError):
                raise
            print(f"error: {error}", file=sys.stderr)

    try:
        hydra.main(config_path=str(config_folder), config_name=config_name, version_base=None)(job)()
    finally:
        has_failed = failures.collect()
    return not has_failed


def _exit_as_failed() -> None:
    """Exit with code 2. Registered with atexit, so that submitit has already saved the job's result."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(2)
