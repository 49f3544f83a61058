"""Figures of the GPU, by a CUDA module that says what it is told; nothing on a CPU."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from howard.training.monitors import MEMORY, PEAK_MEMORY, UTILISATION, DeviceStats


def logged(figures: DeviceStats, device: str, steps: int = 2) -> list[dict[str, float]]:
    found: list[dict[str, float]] = []
    module: Any = SimpleNamespace(device=torch.device(device), log_dict=found.append)
    trainer: Any = SimpleNamespace(global_step=0, log_every_n_steps=2, accumulate_grad_batches=1)
    figures.on_train_start(trainer, module)
    for index in range(steps):
        trainer.global_step += 1
        figures.on_train_batch_end(trainer, module, None, None, index)
    return found


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A device with 2 GiB allocated, 3 at most, and half busy; returns what was reset."""
    reset: list[str] = []
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda device: reset.append(str(device)))
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 2 * 2**30)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 3 * 2**30)
    monkeypatch.setattr(torch.cuda, "utilization", lambda device: 50)
    return reset


def test_memory_and_utilisation_are_logged(cuda: list[str]) -> None:
    expected = {MEMORY: 2.0, PEAK_MEMORY: 3.0, UTILISATION: 50.0}
    assert logged(DeviceStats(), "cuda:0", steps=4) == [expected, expected]
    assert cuda == ["cuda:0"]


@pytest.mark.usefixtures("cuda")
def test_without_its_package_utilisation_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def missing(device: Any) -> int:
        asked.append(device)
        raise ModuleNotFoundError("nvidia-ml-py does not seem to be installed")

    monkeypatch.setattr(torch.cuda, "utilization", missing)
    figures = logged(DeviceStats(), "cuda:0", steps=4)
    assert [list(each) for each in figures] == [[MEMORY, PEAK_MEMORY]] * 2
    assert len(asked) == 1


def test_a_cpu_has_none() -> None:
    assert logged(DeviceStats(), "cpu") == []
