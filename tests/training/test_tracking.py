"""Loggers beside the CSV files: a W&B run for each job, and what other trackers are told."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from lightning.pytorch.loggers import MLFlowLogger, TensorBoardLogger, WandbLogger

from howard.errors import MissingPackageError
from howard.training import loggers
from howard.training.assembly import build_loggers
from howard.training.loggers import LoggedRun, csv_logger, mlflow_logger, tensorboard_logger, wandb_logger
from tests.training.runs import command, composed


def logged(folder: Path) -> LoggedRun:
    return LoggedRun(folder, "smoke", "train", {"seed": 0}, ("a", "b"), "why")


@pytest.mark.slow
def test_a_sweep_leaves_a_wandb_run_for_each_job(small: list[str], tmp_path: Path) -> None:
    few = [each for each in small if each != "logger=csv"]
    short = ["trainer.max_steps=1", "callbacks=none", "suite=null", "logger=wandb"]
    result = command("-m", "experiment=smoke", "seed=0,1,2", *few, *short, folder=tmp_path)
    assert result.returncode == 0, result.stderr
    folders = list(tmp_path.glob("smoke/*/wandb/offline-run-*"))
    assert len(folders) == len({folder.name.rpartition("smoke-")[2] for folder in folders}) == 3


def test_wandb_is_told_what_the_run_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {}
    monkeypatch.setattr(loggers, "WandbLogger", lambda **settings: told.update(settings))
    wandb_logger(logged(tmp_path / "smoke" / "today"))
    assert (told["name"], told["id"]) == ("smoke/today", "smoke-today")
    assert (told["group"], told["job_type"], told["tags"], told["notes"]) == ("smoke", "train", ["a", "b"], "why")
    wandb_logger(logged(tmp_path / "smoke" / "today"), group="ablation", job_type="sweep")
    assert (told["group"], told["job_type"]) == ("ablation", "sweep")


def test_mlflow_is_told_what_the_run_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", ModuleType("mlflow"))
    told: dict[str, Any] = {}
    monkeypatch.setattr(loggers, "MLFlowLogger", lambda experiment, **settings: told.update(settings, name=experiment))
    mlflow_logger(logged(tmp_path / "smoke" / "today"))
    assert (told["name"], told["run_name"]) == ("smoke", "smoke/today")
    assert told["tracking_uri"] == f"file:{tmp_path / 'smoke' / 'today' / 'mlruns'}"
    assert told["tags"] == {"a": "", "b": "", "job_type": "train", "mlflow.note.content": "why"}
    mlflow_logger(logged(tmp_path), tracking_uri="http://localhost:5000")
    assert told["tracking_uri"] == "http://localhost:5000"


@pytest.mark.parametrize("name", ["wandb", "tensorboard", "mlflow"])
def test_a_missing_tracker_is_named_and_leaves_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingPackageError, match=rf"logger={name} needs the package {name}, .*: pip install"):
        build_loggers(composed("coarse", f"logger={name}"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_tensorboard_writes_into_the_run_folder(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    logger = tensorboard_logger(logged(tmp_path))
    logger.log_metrics({"val/mad": 1.0}, step=3)
    logger.finalize("success")
    assert list((tmp_path / "tensorboard").glob("events.*"))


def test_csv_is_always_first(tmp_path: Path) -> None:
    assert isinstance(csv_logger(tmp_path).save_dir, str)
    names = [type(each) for each in build_loggers(composed("coarse", "logger=wandb"), tmp_path)]
    assert names[1:] == [WandbLogger]
    assert not {TensorBoardLogger, MLFlowLogger} & set(names)


def test_finishing_without_a_run_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    loggers.finish_tracking(has_failed=False)
    finished: list[int] = []
    package: Any = ModuleType("wandb")
    package.run, package.finish = object(), lambda exit_code: finished.append(exit_code)
    monkeypatch.setitem(sys.modules, "wandb", package)
    loggers.finish_tracking(has_failed=True)
    assert finished == [1]
