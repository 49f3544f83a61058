"""Runs that are stopped in the middle go on as if they had not been."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from howard.errors import InputError
from howard.matting import load_matting
from howard.training import run_folders
from howard.training.compare.run_records import Curve, read_run
from tests.training.runs import command, line

STEPS = 24


def hear_interrupts() -> None:
    """What a shell starts in the background ignores them, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def stopped_at_a_checkpoint(arguments: list[str], folder: Path, how: signal.Signals, steps_done: int = 1) -> Path:
    """Start a run, stop it once it has a checkpoint, and return its folder."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(line(*arguments), cwd=folder, preexec_fn=hear_interrupts, **quiet) as process:
        deadline = time.monotonic() + 500
        while not list(folder.glob("*/*/checkpoints/last.ckpt")) and time.monotonic() < deadline:
            assert process.poll() is None, "it ended by itself"
            time.sleep(0.05)
        process.send_signal(how)
        try:
            process.wait(timeout=120)
        finally:
            process.kill()
        assert process.returncode == (130 if how == signal.SIGINT else -how)
    [run] = folder.glob("*/*")
    assert not (run / run_folders.EXPORTED).exists()
    return run


@pytest.mark.slow
def test_a_killed_run_ends_as_an_uninterrupted_one(small: list[str], tmp_path: Path) -> None:
    # Epochs of four batches, checkpoints every five steps: it is interrupted within an epoch.
    more = [f"trainer.max_steps={STEPS}", "callbacks.checkpoints.every_n_steps=5", "optimiser.schedule=cosine"]
    arguments = ["experiment=smoke", *small[:-1], *more]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    result = command(*arguments, f"runs={whole}", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    run = stopped_at_a_checkpoint([*arguments, f"runs={killed}"], killed, signal.SIGKILL)
    result = command("resume=auto", f"runs={killed}", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert f"resuming {run}" in result.stdout
    assert (run / "csv" / "version_1").is_dir()
    [expected] = whole.glob("*/*")
    for metric in ("train/loss", "val/loss", "val/mad"):
        assert_same(read_run(run).curves[metric], read_run(expected).curves[metric])
    assert load_matting(run / run_folders.EXPORTED, device="cpu").metadata.name == "smoke"
    assert os.listdir(killed) == ["smoke"]


def assert_same(curve: Curve, expected: Curve) -> None:
    """The same values in the same steps: another sample, draw or rate would show in the loss of its step.

    A process that is killed as soon as a checkpoint is there may not have written the figures of its step yet.
    """
    found, wanted = dict(curve), dict(expected)
    assert found.keys() <= wanted.keys()
    assert len(wanted) - len(found) <= 1
    assert curve[-1][0] == expected[-1][0]
    for step, value in found.items():
        assert value == pytest.approx(wanted[step], abs=1e-4), step


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on(small: list[str], tmp_path: Path) -> None:
    arguments = ["experiment=smoke", *small, "trainer.max_steps=4000", "callbacks.checkpoints.every_n_steps=2"]
    run = stopped_at_a_checkpoint(arguments, tmp_path, signal.SIGINT)
    assert run_folders.check_resumable(run) == run


def make_run(folder: Path, *files: str) -> Path:
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def test_the_newest_unfinished_run_is_found(tmp_path: Path) -> None:
    needed = (run_folders.SETTINGS, str(run_folders.CHECKPOINT))
    assert run_folders.newest_unfinished(tmp_path) is None
    old, new = (make_run(tmp_path / "coarse" / name, *needed) for name in ("1", "2"))
    other = make_run(tmp_path / "refine" / "3", *needed)
    make_run(tmp_path / "coarse" / "4", *needed, run_folders.EXPORTED)
    make_run(tmp_path / "coarse" / "5", run_folders.SETTINGS)
    for age, run in enumerate((other, new, old)):
        os.utime(run / run_folders.CHECKPOINT, (1000 - age, 1000 - age))
    assert run_folders.newest_unfinished(tmp_path) == other
    assert run_folders.newest_unfinished(tmp_path, "coarse") == new


def test_a_folder_without_a_checkpoint_cannot_be_gone_on_with(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.yaml is not there"):
        run_folders.check_resumable(tmp_path)
    make_run(tmp_path, run_folders.SETTINGS)
    with pytest.raises(InputError, match=r"last\.ckpt is not there"):
        run_folders.check_resumable(tmp_path)


def test_processes_of_a_run_agree_on_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLURM_JOB_ID", "SLURM_STEP_ID", "LOCAL_RANK", "HOWARD_RUN"):
        monkeypatch.delenv(name, raising=False)
    first = run_folders.new_run_name()
    assert run_folders.new_run_name() != first  # of a sweep
    started = run_folders.new_run_name()
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert run_folders.new_run_name() == started
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    assert run_folders.new_run_name() == "job_12_0"
