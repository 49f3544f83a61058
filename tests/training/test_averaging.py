"""The average follows the weights on their device, and is what a run would export."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EMAWeightAveraging, WeightAveraging
from torch import Tensor, nn

from howard.training.checkpoints import EMA_DECAY, ema, exported_state, network_state
from howard.training.loggers import csv_logger
from tests.training.runs import logged_figures


class Counting(LightningModule):
    """A network whose only weight is the number of the step."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Linear(1, 1, bias=False)
        self.register_buffer("other", torch.zeros(1))
        nn.init.zeros_(self.network.weight)

    def training_step(self, batch: Tensor, index: int) -> Tensor:
        return -self.network.weight.sum()  # SGD with rate 1 adds one

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=1.0)


def fitted(callback: Any, steps: int = 4) -> tuple[Trainer, Counting]:
    trainer = Trainer(
        accelerator="cpu", max_steps=steps, callbacks=[callback], logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    module = Counting()
    trainer.fit(module, [torch.ones(1)] * steps)
    return trainer, module


@pytest.mark.filterwarnings("ignore")
def test_the_mean_is_the_exponential_moving_average() -> None:
    expected = 1.0  # starts with the weights after the first step
    for step in (2.0, 3.0, 4.0):
        expected = 0.75 * expected + 0.25 * step
    for callback in (ema(0.75), EMAWeightAveraging(decay=0.75)):
        _, module = fitted(callback)
        assert module.network.weight.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_what_is_exported_is_averaged_even_in_the_middle() -> None:
    seen = {}

    class Watch(Counting):
        """Notes what would be exported after the third step."""

        def on_train_batch_end(self, *_: Any) -> None:
            if self.trainer.global_step == 3:
                seen["exported"] = exported_state(self.trainer, self)["weight"].item()
                seen["current"] = self.network.weight.item()

    trainer = Trainer(
        accelerator="cpu", max_steps=4, callbacks=[ema(0.5)], logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Watch(), [torch.ones(1)] * 4)
    assert seen == {"exported": pytest.approx(0.5 * (0.5 * 1 + 0.5 * 2) + 0.5 * 3), "current": 3.0}


@pytest.mark.filterwarnings("ignore")
def test_without_an_average_the_weights_themselves_are_exported() -> None:
    trainer, module = fitted(Callback())
    assert exported_state(trainer, module).keys() == {"weight"}
    assert exported_state(trainer, module)["weight"].item() == 4.0


def test_only_the_network_is_exported() -> None:
    state = {"network.a.weight": torch.ones(1), "scores.total": torch.zeros(1), "network.b": torch.zeros(2)}
    assert network_state(state).keys() == {"a.weight", "b"}


@pytest.mark.filterwarnings("ignore")
def test_the_decay_is_logged_at_the_steps_that_are(tmp_path: Path) -> None:
    trainer = Trainer(
        accelerator="cpu", max_steps=4, callbacks=[ema(0.75)], logger=csv_logger(tmp_path), log_every_n_steps=2,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Counting(), [torch.ones(1)] * 4)
    assert logged_figures(tmp_path, EMA_DECAY) == [0.75, 0.75]


def test_checkpoints_of_lightnings_own_class_fit() -> None:
    assert ema(0.5).state_key == WeightAveraging().state_key
