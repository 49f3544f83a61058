"""Several processes train as one does."""

import os
import subprocess
import sys
from pathlib import Path
from statistics import fmean

import pytest
import torch

from tests.training.runs import ROOT, line

PROGRAM = Path(__file__).with_name("two_processes.py")
TWO = ["trainer=ddp", "trainer.devices=2", "trainer.accelerator=cpu"]


def trained(data: Path, output: Path, *overrides: str) -> dict:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(data), str(output), *overrides],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    return torch.load(output, weights_only=True)


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_from_both_halves(data_root: Path, tmp_path: Path) -> None:
    two = trained(data_root, tmp_path / "two.pt", *TWO, "trainer.sync_batchnorm=false")
    one = trained(data_root, tmp_path / "one.pt", "trainer.accumulate_grad_batches=2")
    halves = one["losses"]  # of a step, one after the other; Lightning has divided them by their number
    steps = [2 * fmean(halves[index : index + 2]) for index in range(0, len(halves), 2)]
    assert two["losses"] == pytest.approx(steps, rel=1e-4)
    assert two["losses"][0] != two["losses"][1]
    for name, value in one["weights"].items():
        torch.testing.assert_close(two["weights"][name], value, rtol=1e-3, atol=2e-5, msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["lightning", "torchrun"])
def test_the_command_runs_in_two_processes_and_leaves_one_run(launcher: str, small: list[str], tmp_path: Path) -> None:
    training = line("experiment=smoke", *small, *TWO, "trainer.max_steps=3")
    if launcher == "torchrun":
        training[1:1] = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    result = subprocess.run(training, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr
    [run] = tmp_path.glob("smoke/*")
    assert (run / "weights.safetensors").is_file()
    assert [path.name for path in (run / "csv").iterdir()] == ["version_0"]
    assert result.stdout.count("validation MAD") == 1
    assert result.stdout.count("trainer.sync_batchnorm is for GPUs") == 1
