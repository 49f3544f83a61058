"""The validation suite while training: at the validations that are wanted, of the weights of that moment."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning.pytorch.trainer.states import TrainerFn

from howard.evaluation.suite.results import SuiteResults
from howard.matting import MattingNetwork, WeightsMetadata, load_network
from howard.training import suite_metrics
from howard.training.loggers import csv_logger
from howard.training.suite_metrics import SuiteCurves
from tests.evaluation.suites import SAMPLE, small_recipe
from tests.training.runs import logged_figures

NETWORK = {"encoder": "efficientnet_lite0", "aspp_channels": 16, "decoder_widths": (16, 12, 8)}
METADATA = WeightsMetadata(**NETWORK, has_refiner=False)


class Module(torch.nn.Module):
    """What is asked of a LightningModule."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        super().__init__()
        self.network = MattingNetwork(**NETWORK, has_refiner=False)


def fitting(folder: Path, root: Path) -> Any:
    """What is asked of Lightning's trainer during a fit."""
    return SimpleNamespace(
        sanity_checking=False, state=SimpleNamespace(fn=TrainerFn.FITTING), is_global_zero=True, callbacks=[],
        default_root_dir=str(folder), datamodule=SimpleNamespace(root=root, workers=0),
        loggers=[csv_logger(folder)], global_step=5,
    )  # fmt: skip


def test_figures_are_logged_and_the_weights_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = small_recipe()
    few = {name: recipe.phenomena[name] for name in ("ordinary", "low_light")}
    monkeypatch.setattr(suite_metrics, "load_recipe", lambda: type(recipe)(**{**vars(recipe), "phenomena": few}))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    trainer = fitting(tmp_path, SAMPLE)
    SuiteCurves(METADATA, limit=1).on_validation_end(trainer, Module())  # type: ignore[arg-type]
    trainer.loggers[0].save()
    for phenomenon in (*few, "mean"):
        [value] = logged_figures(tmp_path, f"suite_curves/{phenomenon}/mad")
        assert 0 < value <= 1000
    assert not list(tmp_path.glob("*.safetensors"))


def test_every_second_validation_of_the_fit_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, measured = Module(), list[torch.Tensor]()

    def measure(weights: Path, *_: Any) -> SuiteResults:
        measured.append(load_network(weights)[0].state_dict()["decoder.conv1.weight"])
        return SuiteResults({}, {})

    monkeypatch.setattr(suite_metrics, "measure_suite", measure)
    monkeypatch.setattr(suite_metrics, "means_by_key", lambda results, prefix: {f"{prefix}/mean/mad": 1.0})
    callback, trainer = SuiteCurves(METADATA, every_n_validations=2), fitting(tmp_path, SAMPLE)
    for _ in range(4):
        callback.on_validation_end(trainer, module)  # type: ignore[arg-type]
        torch.nn.init.zeros_(module.network.decoder.conv1.weight)
    assert len(measured) == 2
    assert not measured[0].any()  # the weights of that moment
    trainer.state.fn = TrainerFn.VALIDATING
    for _ in range(4):
        callback.on_validation_end(trainer, module)  # type: ignore[arg-type]
    assert len(measured) == 2


def test_where_the_data_is_not_one_line_says_so_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    callback, trainer = SuiteCurves(METADATA), fitting(tmp_path, SAMPLE)
    for _ in range(3):
        callback.on_validation_end(trainer, Module())  # type: ignore[arg-type]
    assert capsys.readouterr().out.count("suite_curves skipped: there is no folder") == 1
    assert not list(tmp_path.glob("*.safetensors"))
