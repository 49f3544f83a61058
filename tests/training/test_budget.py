"""A time budget ends a run on time, and the schedule ends with it."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning import LightningModule, Trainer
from torch import Tensor

from howard.training import budget as module
from howard.training.budget import TimeBudget, find_budget, training_progress
from howard.training.optimiser import adam


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def trainer_with(*callbacks: Any) -> Any:
    """What a budget asks of a trainer."""
    strategy = SimpleNamespace(broadcast=lambda value: value)
    return SimpleNamespace(strategy=strategy, callbacks=[*callbacks], should_stop=False, global_step=7)


def step(budget: TimeBudget, trainer: Any, clock: Clock, seconds: float) -> None:
    budget.on_train_batch_start(trainer, None, None, 0)  # type: ignore[arg-type]
    clock.now += seconds
    budget.on_train_batch_end(trainer)


def test_progress_is_the_share_of_the_time(clock: Clock) -> None:
    budget = TimeBudget(10.0)
    trainer = trainer_with(budget)
    progress = training_progress(trainer)
    assert progress(0) == 0
    for expected in (0.0, 0.3, 0.6):
        step(budget, trainer, clock, 3.0)
        assert progress(99) == pytest.approx(expected)
        assert not trainer.should_stop
    step(budget, trainer, clock, 3.0)
    assert trainer.should_stop


def test_what_was_before_the_run_counts(clock: Clock) -> None:
    budget = TimeBudget(10.0, started=clock.now - 4)
    assert budget.elapsed == 4
    budget.on_train_batch_start(trainer_with(), None, None, 0)  # type: ignore[arg-type]
    assert budget.progress(0) == pytest.approx(0.4)


def test_time_for_the_last_validation_is_set_aside(clock: Clock) -> None:
    budget = TimeBudget(10.0)
    trainer = trainer_with(budget)
    budget.on_validation_start(trainer, None)  # type: ignore[arg-type]
    clock.now += 2
    budget.on_validation_end(trainer, None)  # type: ignore[arg-type]
    assert budget.validated_step == 7
    step(budget, trainer, clock, 5.9)
    assert not trainer.should_stop
    step(budget, trainer, clock, 0.2)
    assert trainer.should_stop
    budget.on_train_batch_start(trainer, None, None, 0)  # type: ignore[arg-type]
    assert budget.progress(0) == 1


def test_a_resumed_run_has_the_time_that_was_left(clock: Clock) -> None:
    first = TimeBudget(10.0)
    clock.now += 6
    kept = first.state_dict()
    clock.now += 1000
    second = TimeBudget(10.0)
    second.load_state_dict(kept)
    clock.now += 1
    assert second.elapsed == pytest.approx(7)


def test_other_runs_go_by_their_steps() -> None:
    trainer: Any = SimpleNamespace(callbacks=[], estimated_stepping_batches=8)
    assert find_budget(trainer) is None
    assert [training_progress(trainer)(step) for step in (0, 2, 8)] == [0, 0.25, 1]


class Ticking(LightningModule):
    """Every step takes a second of the clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.part = torch.nn.Linear(1, 1)
        self.clock, self.rates = clock, []

    def training_step(self, batch: Tensor, index: int) -> Tensor:
        self.clock.now += 1
        self.rates.append(self.trainer.optimizers[0].param_groups[0]["lr"])
        return self.part(batch).mean()

    def validation_step(self, batch: Tensor, index: int) -> None:
        self.clock.now += 1

    def configure_optimizers(self) -> Any:
        parts = {"part": self.part}
        return adam(parts, training_progress(self.trainer), learning_rates={"part": 1.0}, schedule="cosine")


class Endless(torch.utils.data.IterableDataset):
    """Batches without an end."""

    def __iter__(self) -> Iterator[Tensor]:
        while True:
            yield torch.ones(2, 1)


@pytest.mark.filterwarnings("ignore")
def test_lightning_stops_in_time_and_the_cosine_ends_there(clock: Clock) -> None:
    budget = TimeBudget(20.0)
    quiet: dict[str, Any] = dict.fromkeys(
        ("logger", "enable_progress_bar", "enable_model_summary", "enable_checkpointing"), False
    )
    trainer = Trainer(
        accelerator="cpu", max_steps=-1, max_epochs=-1, callbacks=[budget], num_sanity_val_steps=0, **quiet
    )
    ticking = Ticking(clock)
    trainer.fit(ticking, Endless(), [torch.ones(1, 1)])
    assert len(ticking.rates) == 20
    assert ticking.rates[0] == 1.0
    assert ticking.rates == sorted(ticking.rates, reverse=True)
    assert ticking.rates[10] == pytest.approx(0.5, abs=0.1)
    assert ticking.rates[-1] < 0.05
    assert budget.validated_step == 20
