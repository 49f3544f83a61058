"""What goes wrong in a run is said in one line, and the last good checkpoint survives it."""

import resource
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import torch

import howard.training.__main__ as entry
from howard.errors import OutputError, WeightsError
from howard.matting import MattingNetwork
from howard.training import run_folders
from howard.training.checkpoints import WholeCheckpoints, check_checkpoint_fits
from tests.training.runs import command, composed, line


def network(widths: tuple[int, int, int] = (16, 12, 8)) -> MattingNetwork:
    return MattingNetwork("efficientnet_lite0", 16, widths, ("coverage",), has_refiner=False)


def checkpoint_of(made: MattingNetwork) -> dict:
    return {"state_dict": {f"network.{name}": value for name, value in made.state_dict().items()}}


def test_a_checkpoint_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run" / "checkpoints" / "last.ckpt"
    WholeCheckpoints().save_checkpoint({"step": 1}, path)
    path.parent.chmod(0o700)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limit[1]))
    try:
        with pytest.raises(OutputError, match=r"last\.ckpt cannot be written .*the last good checkpoint is kept"):
            WholeCheckpoints().save_checkpoint({"step": 2, "weights": torch.zeros(9999)}, path)
        with pytest.raises(OutputError, match="there is no checkpoint yet"):
            WholeCheckpoints().save_checkpoint({"weights": torch.zeros(9999)}, path.with_name("other.ckpt"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert torch.load(path, weights_only=True) == {"step": 1}
    assert [each.name for each in path.parent.iterdir()] == ["last.ckpt"]


def test_a_checkpoint_of_the_same_network_is_taken(tmp_path: Path) -> None:
    saved, fresh = network(), network()
    torch.save(checkpoint_of(saved), tmp_path / "last.ckpt")
    check_checkpoint_fits(tmp_path / "last.ckpt", fresh)
    assert torch.equal(fresh.decoder.conv1.weight, saved.decoder.conv1.weight)


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    torch.save(checkpoint_of(network((24, 12, 8))), path)
    with pytest.raises(WeightsError, match=r"last\.ckpt: decoder\.\S+ is .* the network needs"):
        check_checkpoint_fits(path, network())
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="is not a checkpoint that can be read"):
        check_checkpoint_fits(path, network())


def test_resuming_with_another_architecture_is_one_line(small: list[str], tmp_path: Path) -> None:
    every_step = ["trainer.max_steps=2", "callbacks.checkpoints.every_n_steps=1"]
    config = composed("coarse_lite", *small, *every_step)
    run = tmp_path / "coarse_lite" / "1"
    entry.train(config, run)
    kept = (run / run_folders.CHECKPOINT).read_bytes()
    text = (run / run_folders.SETTINGS).read_text()
    (run / run_folders.SETTINGS).write_text(text.replace("encoder: efficientnet_lite0", "encoder: mobilenetv2"))
    result = command(f"resume={run}", folder=tmp_path)
    assert result.returncode == 2
    assert "last.ckpt lacks backbone.features.0.0.weight" in result.stderr.splitlines()[-1]
    assert (run / run_folders.CHECKPOINT).read_bytes() == kept


def test_a_loss_that_is_no_number_ends_in_one_line(small: list[str], tmp_path: Path) -> None:
    wild = ["optimiser.learning_rates.encoder=1e30", "optimiser.warmup_steps=0", "trainer.gradient_clip_val=null"]
    saved = ["trainer.max_steps=50", "callbacks.checkpoints.every_n_steps=1"]
    result = command("experiment=coarse_lite", *small, *wild, *saved, folder=tmp_path)
    assert result.returncode == 2
    assert "error: the loss is not finite at step 1" in result.stderr
    assert "Traceback" not in result.stderr
    [checkpoint] = tmp_path.glob(f"*/*/{run_folders.CHECKPOINT}")
    assert torch.load(checkpoint, weights_only=True)["global_step"] == 1


@pytest.mark.slow
def test_a_full_disk_while_checkpointing_keeps_the_last_one(small: list[str], tmp_path: Path) -> None:
    arguments = ["experiment=coarse_lite", *small, "trainer.max_steps=500", "callbacks.checkpoints.every_n_steps=4"]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(line(*arguments), cwd=tmp_path, **pipes) as process:
        deadline = time.monotonic() + 300
        while not (found := list(tmp_path.glob(f"*/*/{run_folders.CHECKPOINT}"))) and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.05)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (2**20, 2**20))  # room for figures, not for weights
        _, errors = process.communicate(timeout=300)
    assert process.returncode == 2
    assert "last.ckpt cannot be written (File too large)" in errors
    assert "the last good checkpoint is kept" in errors
    assert "Traceback" not in errors
    [checkpoint] = found
    assert [path.name for path in checkpoint.parent.iterdir()] == ["last.ckpt"]
    (checkpoint.parents[1] / run_folders.SETTINGS).write_text(
        (checkpoint.parents[1] / run_folders.SETTINGS).read_text().replace("max_steps: 500", "max_steps: 8")
    )
    result = command(f"resume={checkpoint.parents[1]}", folder=tmp_path)
    assert result.returncode == 0, result.stderr


def test_a_broken_picture_is_named_in_one_line(small: list[str], data_root: Path, tmp_path: Path) -> None:
    shutil.copytree(data_root, tmp_path / "data")
    for path in (tmp_path / "data" / "people").glob("[ab]_fgr.jpg"):
        path.write_bytes(path.read_bytes()[:200])
    broken = [f"data.root={tmp_path / 'data'}", "data.workers=1", "trainer.max_steps=20"]
    result = command("experiment=coarse_lite", *small, *broken, folder=tmp_path)
    assert result.returncode == 2
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert "_fgr.jpg" in last
    assert "Traceback" not in result.stderr
