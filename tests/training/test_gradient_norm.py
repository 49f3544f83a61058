"""The gradient norm is that of all parameters, before clipping, at the steps that are logged."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning import LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from howard.training.loggers import csv_logger
from howard.training.monitors import GRADIENT_NORM, GradientNorm
from tests.training.runs import logged_figures


class Sloped(LightningModule):
    """Its gradient is (3, 4) at every step; the second parameter is in a group of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
        self.unused = nn.Parameter(torch.zeros(1))

    def training_step(self, batch: Tensor, index: int) -> Tensor:
        return (3 * self.first + 4 * self.second).sum()

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD([{"params": [self.first, self.unused]}, {"params": [self.second]}], lr=0.1)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("accumulated", "clip"), [(1, None), (1, 0.1), (2, None)])
def test_the_norm_is_that_before_clipping(tmp_path: Path, accumulated: int, clip: float | None) -> None:
    trainer = Trainer(
        accelerator="cpu", max_steps=6, callbacks=[GradientNorm()], logger=csv_logger(tmp_path), log_every_n_steps=2,
        gradient_clip_val=clip, accumulate_grad_batches=accumulated, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    module = Sloped()
    trainer.fit(module, DataLoader([torch.ones(1)] * 6 * accumulated))
    norms = logged_figures(tmp_path, GRADIENT_NORM)
    assert norms == pytest.approx([5.0] * 3)
    assert module.first.item() == pytest.approx(-6 * 0.1 * (3 if clip is None else 3 / 5 * clip), rel=1e-4)
