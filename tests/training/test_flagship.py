"""The rehearsal of a flagship run: the very command, at toy size, on a CPU, from a pack of the sample."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from howard.data.pack.writing import PackOptions, write_pack
from howard.matting import load_matting
from howard.training import run_folders
from tests.training.runs import ROOT, SMALL_COLLECTIONS, line, logged_figures
from tests.training.test_resume import hear_interrupts

# All that differs from the command in earnest.
TOY = (
    "experiment=flagship",
    *SMALL_COLLECTIONS,
    "data.validation_samples=2",
    "data.workers=1",
    "callbacks.panel.rows=1",
    "callbacks.checkpoints.every_n_steps=1",
    "trainer.accelerator=cpu",
    "trainer.precision=32-true",
    "trainer.log_every_n_steps=1",
    "trainer.enable_progress_bar=false",
    "threads=1",
)
# A training machine needs none of these: they read and write clips, or report to a server.
DISPENSABLE = ("av", "OpenEXR", "OpenImageIO", "wandb", "pymatting", "isal")
BUDGET = 30.0  # seconds
# Starts of Python, loading torch, that a run may take longer than its budget: where the machine is so busy that the
# budget is over before the first step, each stage still does one, validates and exports.
SLACK = 8


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packs") / "pack"
    write_pack(ROOT / "data" / "sample", folder, PackOptions(["people"], ["places"], size=64))
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """That of the tests, without the packages that a training machine lacks."""
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    for name in DISPENSABLE:
        (blocked / f"{name}.py").write_text(f"raise ImportError('{name} is not installed')\n")
    paths = [str(blocked), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}


def seconds_to_start(environment: dict[str, str]) -> float:
    """How long a program takes now that loads what training needs."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import howard.training.modules"], env=environment, check=True, timeout=300)
    return time.monotonic() - began


@pytest.mark.slow
def test_a_run_keeps_to_its_time_and_leaves_weights(pack: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """Slow: three stages by the clock."""
    runs = tmp_path / "runs"
    start = seconds_to_start(environment)
    command = line(*TOY, f"data.pack={pack}", f"budget.minutes={BUDGET / 60}", f"runs={runs}")
    began = time.monotonic()
    result = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    seconds = time.monotonic() - began
    assert result.returncode == 0, result.stderr
    assert seconds < BUDGET + SLACK * start
    [run] = (runs / "flagship").iterdir()
    stages = [run / "1_flagship_coarse", run / "2_flagship_refine", run / "3_flagship_temporal"]
    for stage in stages:
        assert load_matting(stage / run_folders.EXPORTED, device="cpu").metadata.name == stage.name[2:]
        assert (stage / run_folders.BEST).is_file()
        assert logged_figures(stage, "train/samples_per_second")[0] > 0
        assert 0 <= logged_figures(stage, "train/data_wait_share")[0] <= 1
        assert logged_figures(stage, "val/mad")
    assert logged_figures(stages[-1], "train/temporal")
    assert "the network starts from the stage before" in result.stdout
    for file in (run_folders.EXPORTED, run_folders.BEST):
        assert (run / file).read_bytes() == (stages[-1] / file).read_bytes()
    metadata = load_matting(run / run_folders.EXPORTED, device="cpu").metadata
    assert metadata.has_refiner
    assert metadata.person_prior
    assert run_folders.newest_unfinished(runs) is None


@pytest.mark.slow
def test_a_run_that_is_stopped_leaves_weights_and_goes_on(
    pack: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """Slow: three stages of some steps, stopped as a scheduler does in the middle of the first."""
    runs = tmp_path / "runs"
    steps = ("budget.minutes=null", "trainer.max_steps=8")
    command = line(*TOY, *steps, f"data.pack={pack}", f"runs={runs}")
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, env=environment, cwd=tmp_path, preexec_fn=hear_interrupts, **quiet) as process:
        deadline = time.monotonic() + 500
        while not list(runs.glob(f"*/*/*/{run_folders.CHECKPOINT}")) and time.monotonic() < deadline:
            assert process.poll() is None, "it ended by itself"
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=120)
    [run] = (runs / "flagship").iterdir()
    stage = run / "1_flagship_coarse"
    assert process.returncode == 130
    assert f"to resume: python train.py resume={run}" in said
    assert load_matting(stage / run_folders.LAST, device="cpu").metadata.name == "flagship_coarse"
    assert not (stage / run_folders.EXPORTED).exists()
    result = subprocess.run(
        line("resume=auto", f"runs={runs}"), env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=900
    )
    assert result.returncode == 0, result.stderr
    assert f"resuming {run}" in result.stdout
    assert not (stage / run_folders.LAST).exists()
    assert (stage / "csv" / "version_1").is_dir()
    assert load_matting(run / run_folders.EXPORTED, device="cpu").metadata.name == "flagship_temporal"
