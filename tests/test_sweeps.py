"""A failed job of a sweep is known to whoever started it, in whichever process it ran."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from howard.cli.sweeps import _Failures

# A job as a launcher runs it: in a process of its own, which saves what the job returned and then ends.
JOB = """
import os, sys
import howard.cli.sweeps as sweeps
from howard.errors import InputError

def run(config):
    if config == "fails":
        raise InputError("no such clip")
    if config == "is stopped":
        raise KeyboardInterrupt

def main(**settings):
    def decorate(job):
        def start():
            try:
                job(sys.argv[1])
            finally:
                print("result saved")
        return start
    return decorate

sweeps.hydra.main = main
print(sweeps.run_sweep(run, sweeps.Path("configs"), "infer"))
"""


def job(folder: Path, config: str, **variables: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-c", JOB, config]
    return subprocess.run(line, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("variables", [{}, {"SUBMITIT_EXECUTOR": "slurm"}])
def test_a_job_that_succeeds_ends_with_0(tmp_path: Path, variables: dict[str, str]) -> None:
    done = job(tmp_path, "succeeds", **variables)
    assert (done.returncode, done.stdout) == (0, "result saved\nTrue\n")


def test_a_schedulers_process_ends_with_2_after_its_result_is_saved(tmp_path: Path) -> None:
    done = job(tmp_path, "fails", SUBMITIT_EXECUTOR="slurm")
    assert (done.returncode, done.stdout) == (2, "result saved\nFalse\n")
    assert done.stderr == "error: no such clip\n"
    assert job(tmp_path, "is stopped", SUBMITIT_EXECUTOR="slurm").returncode == 2


def test_elsewhere_the_caller_decides(tmp_path: Path) -> None:
    done = job(tmp_path, "fails")
    assert (done.returncode, done.stdout, done.stderr) == (0, "result saved\nFalse\n", "error: no such clip\n")
    assert list(tmp_path.iterdir()) == []


def test_failures_of_other_processes_are_collected_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failures = _Failures()
    assert not failures.collect()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    failures.record()
    assert len(list(tmp_path.iterdir())) == 1
    assert failures.collect()
    assert not failures.collect()
    assert list(tmp_path.iterdir()) == []
