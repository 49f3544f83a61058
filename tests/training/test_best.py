"""The weights of the best validation are kept, the averaged ones, and only those."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning import LightningModule, Trainer
from safetensors.torch import load_file
from torch import Tensor, nn

from howard.errors import SettingsError
from howard.matting import WeightsMetadata
from howard.training.checkpoints import BestWeights, ema
from howard.training.run_folders import BEST


class Wandering(LightningModule):
    """Its only weight is the number of the step; validation finds the figures it is given, one a step."""

    def __init__(self, figures: list[float]) -> None:
        super().__init__()
        self.network = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(self.network.weight)
        self.figures = figures

    def training_step(self, batch: Tensor, index: int) -> Tensor:
        return -self.network.weight.sum()

    def validation_step(self, batch: Tensor, index: int) -> None:
        self.log("val/mad", self.figures[self.trainer.global_step - 1])

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=1.0)


def fitted(folder: Path, figures: list[float], *more: Any, monitor: str = "val/mad") -> BestWeights:
    best = BestWeights(WeightsMetadata(widths=(8,)), monitor)
    trainer = Trainer(
        accelerator="cpu", max_epochs=len(figures), callbacks=[best, *more], default_root_dir=folder,
        num_sanity_val_steps=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Wandering(figures), [torch.ones(1)], [torch.ones(1)])
    return best


def kept(folder: Path) -> float:
    return load_file(folder / BEST)["weight"].item()


@pytest.mark.filterwarnings("ignore")
def test_the_lowest_figure_counts(tmp_path: Path) -> None:
    best = fitted(tmp_path, [5.0, 2.0, 4.0, 2.0, 3.0])
    assert kept(tmp_path) == 2.0
    assert best.value == 2.0


@pytest.mark.filterwarnings("ignore")
def test_what_was_validated_is_what_is_kept(tmp_path: Path) -> None:
    fitted(tmp_path, [5.0, 4.0, 3.0], ema(0.5))
    assert kept(tmp_path) == pytest.approx(0.5 * (0.5 * 1 + 0.5 * 2) + 0.5 * 3, abs=1e-3)


@pytest.mark.filterwarnings("ignore")
def test_a_resumed_run_knows_the_best_of_its_earlier_sessions(tmp_path: Path) -> None:
    first = fitted(tmp_path, [2.0])
    second = BestWeights(first.metadata, first.monitor)
    second.load_state_dict(first.state_dict())
    assert second.value == 2.0


@pytest.mark.filterwarnings("ignore")
def test_a_figure_that_nobody_logs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"monitor=val/dream is not logged; choose one of val/mad"):
        fitted(tmp_path, [1.0], monitor="val/dream")
    assert not (tmp_path / BEST).exists()
