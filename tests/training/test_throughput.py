"""Samples a second, and the share of waiting, by a clock that only moves when it is told to."""

from types import SimpleNamespace
from typing import Any

import pytest

from howard.training import monitors as module
from howard.training.monitors import Throughput


class Clock:
    """Stands still until it is told to go on."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now


class Loop:
    """A training loop of batches of four samples, in two processes."""

    def __init__(self, clock: Clock, every: int, accumulated: int = 1) -> None:
        self.clock, self.speed = clock, Throughput()
        self.data = SimpleNamespace(batch_arrived=0.0)
        self.trainer: Any = SimpleNamespace(
            datamodule=self.data,
            world_size=2,
            log_every_n_steps=every,
            accumulate_grad_batches=accumulated,
            global_step=0,
        )
        self.logged: list[dict[str, float]] = []
        self.module: Any = SimpleNamespace(log_dict=self.logged.append)
        self.batches = 0
        self.speed.on_train_start(self.trainer, self.module)

    def batch(self, waits: float, trains: float) -> None:
        self.clock.now += waits
        self.data.batch_arrived = self.clock.now
        self.speed.on_train_batch_start(self.trainer, self.module, None, self.batches)
        self.clock.now += trains
        if (self.batches + 1) % self.trainer.accumulate_grad_batches == 0:
            self.trainer.global_step += 1
        self.speed.on_train_batch_end(self.trainer, self.module, None, {"source": [0] * 4}, self.batches)
        self.batches += 1

    def validate(self, seconds: float) -> None:
        self.clock.now += seconds
        self.speed.on_validation_end(self.trainer, self.module)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    monkeypatch.setattr(module, "MattingDataModule", SimpleNamespace)
    return made


def test_figures_are_those_of_the_steps_since_the_last(clock: Clock) -> None:
    loop = Loop(clock, every=2)
    for waits, trains in ((1, 3), (3, 1), (0, 1), (0, 1)):
        loop.batch(waits, trains)
    assert loop.logged == [
        {"train/samples_per_second": 2 * 4 * 2 / 8, "train/data_wait_share": 0.5},
        {"train/samples_per_second": 2 * 4 * 2 / 2, "train/data_wait_share": 0.0},
    ]


def test_validation_is_neither_training_nor_waiting(clock: Clock) -> None:
    loop = Loop(clock, every=2)
    loop.batch(1, 1)
    loop.validate(100)
    loop.batch(1, 1)
    assert loop.logged == [{"train/samples_per_second": 4.0, "train/data_wait_share": 0.5}]


def test_an_accumulated_step_is_logged_once(clock: Clock) -> None:
    loop = Loop(clock, every=1, accumulated=2)
    for _ in range(4):
        loop.batch(0, 1)
    assert [each["train/samples_per_second"] for each in loop.logged] == [8.0, 8.0]
