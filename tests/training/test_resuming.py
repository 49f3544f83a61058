"""Runs that go on under changed settings."""

from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

import howard.training.__main__ as entry
from howard.cli.arguments import override
from howard.errors import SettingsError, WeightsError
from howard.training import run_folders
from howard.training.checkpoints import checkpoint_step
from howard.training.compare.run_records import read_run
from howard.training.resuming import change_run, kind_of, list_changes
from tests.training.runs import composed


def test_changes_are_listed_with_what_they_do() -> None:
    config = composed("smoke", "trainer.max_steps=8")
    arguments = ["trainer.max_steps=16", "stage.loss.alpha=2", "seed=0", "tags=[longer]", "data.root=a b"]
    changed = override(config, arguments)
    assert [str(change) for change in list_changes(config, changed)] == [
        "changed: tags [] -> ['longer']",
        "changed: stage.loss.alpha 1.0 -> 2.0 (the remaining steps differ from those of the unchanged run)",
        "changed: data.root data/sample -> a b",
        "changed: trainer.max_steps 8 -> 16",
    ]
    assert (config.trainer.max_steps, changed.trainer.max_steps) == (8, 16)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("trainer.max_steps", "free"),
        ("trainer.max_epochs", "free"),
        ("budget.minutes", "free"),
        ("data.workers", "free"),
        ("suite.limit", "free"),
        ("callbacks.checkpoints.every_n_steps", "free"),
        ("callbacks.ema.decay", "noted"),
        ("data.recipe", "noted"),
        ("data.people", "noted"),
        ("seed", "noted"),
        ("optimiser.schedule", "noted"),
        ("trainer.gradient_clip_val", "noted"),
        ("model.encoder", "refused"),
        ("optimiser.learning_rates.encoder", "refused"),
        ("stage._target_", "refused"),
        ("name", "refused"),
    ],
)
def test_kinds(key: str, kind: str) -> None:
    assert kind_of(key) == kind
    assert OmegaConf.select(composed("smoke"), key, throw_on_missing=True, default="-") != "-"


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (
            "model.encoder=resnet50",
            r"model\.encoder cannot be changed when a run is resumed: .* start a new run with init=RUN",
        ),
        ("optimiser.learning_rates.encoder=1e-3", "learning rates are restored from the checkpoint"),
        ("trainer.max_stps=3", "unknown setting 'trainer.max_stps'; did you mean 'trainer.max_steps'"),
        ("trainer.max_steps=many", "trainer.max_steps=many is not a whole number"),
        ("tags=[a", "does not fit"),
        ("+new=1", "unknown setting"),
    ],
)
def test_what_cannot_be_changed_is_one_line(argument: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        list_changes(composed("smoke"), override(composed("smoke"), [argument]))
    assert "\n" not in str(caught.value)


def make_run(folder: Path, step: int) -> Path:
    (folder / "checkpoints").mkdir(parents=True)
    torch.save({"global_step": step}, folder / run_folders.CHECKPOINT)
    OmegaConf.save(composed("smoke", f"trainer.max_steps={step}"), folder / run_folders.SETTINGS)
    (folder / run_folders.EXPORTED).write_bytes(b"weights")
    return folder


def test_a_finished_run_becomes_unfinished_and_keeps_what_it_had(tmp_path: Path) -> None:
    run = make_run(tmp_path / "smoke" / "1", 8)
    before = (run / run_folders.SETTINGS).read_text()
    change_run(run, composed("smoke", "trainer.max_steps=8"), composed("smoke", "trainer.max_steps=12"))
    assert OmegaConf.load(run / run_folders.SETTINGS).trainer.max_steps == 12
    assert (run / "config_0000008.yaml").read_text() == before
    assert (run / "weights_0000008.safetensors").read_bytes() == b"weights"
    assert run_folders.newest_unfinished(tmp_path) == run


def test_a_run_past_its_steps_is_left_as_it_is(tmp_path: Path) -> None:
    run = make_run(tmp_path / "1", 8)
    with pytest.raises(SettingsError, match="the run is at step 8 already"):
        change_run(run, composed("smoke", "trainer.max_steps=8"), composed("smoke", "trainer.max_steps=6"))
    assert (run / run_folders.EXPORTED).exists()
    (run / run_folders.CHECKPOINT).write_bytes(b"no checkpoint")
    with pytest.raises(WeightsError, match="is not a checkpoint that can be read"):
        checkpoint_step(run / run_folders.CHECKPOINT)


@pytest.mark.slow
def test_a_finished_run_is_extended_as_if_it_had_been_longer(small: list[str], tmp_path: Path) -> None:
    """With constant rates the steps of the longer run are those of the extended one."""
    more = [
        "optimiser.schedule=constant",
        "callbacks.checkpoints.every_n_steps=1",
        "~callbacks.timelapse",
        "suite=null",
    ]
    runs = {steps: tmp_path / "smoke" / str(steps) for steps in (4, 6)}
    for steps, run in runs.items():
        entry.train(composed("smoke", *small, *more, f"trainer.max_steps={steps}"), run)
    entry.resume(runs[4], ["trainer.max_steps=6", "notes=longer"])
    extended, whole = (dict(read_run(run).curves["train/loss"]) for run in runs.values())
    assert list(extended) == list(whole) == list(range(6))
    for step, loss in whole.items():
        assert extended[step] == pytest.approx(loss, abs=1e-4)
    assert read_run(runs[4]).is_finished
    assert (runs[4] / "weights_0000004.safetensors").is_file()
