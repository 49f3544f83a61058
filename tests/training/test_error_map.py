"""The watch over the error map."""

import warnings
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from howard.matting import CoarseMatte
from howard.training.monitors import PREDICTED_ERROR, TRUE_ERROR, ErrorMapLevel, ErrorMapWatch, measure_error_map


def steps(watch: ErrorMapWatch, figures: list[tuple[float, float]], every: int = 1) -> None:
    for step, (predicted, true) in enumerate(figures, start=1):
        metrics = {PREDICTED_ERROR: torch.tensor(predicted), TRUE_ERROR: torch.tensor(true)}
        trainer: Any = SimpleNamespace(callback_metrics=metrics, global_step=step, log_every_n_steps=every)
        watch.on_train_batch_end(trainer, None)  # type: ignore[arg-type]


def test_a_dead_map_is_warned_of_once() -> None:
    watch = ErrorMapWatch(patience=3)
    with pytest.warns(UserWarning, match=r"the error map has been 0 .* raise stage\.loss\.error") as caught:
        steps(watch, [(0.0, 0.1)] * 10)
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("figures", "every"),
    [
        ([(0.05, 0.1)] * 10, 1),
        ([(0.0, 0.1), (0.0, 0.1), (0.05, 0.1)] * 4, 1),
        ([(0.0, 0.1)] * 10, 4),
        ([(0.0, 0.0)] * 10, 1),
    ],
)
def test_a_living_map_is_not(figures: list[tuple[float, float]], every: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        steps(ErrorMapWatch(patience=3), figures, every)


def test_health_is_measured_at_coarse_scale() -> None:
    alpha = torch.full((2, 1, 8, 8), 0.5)
    coarse = CoarseMatte(alpha, alpha, alpha, alpha * 0.1, None)
    health = measure_error_map(coarse, torch.ones(2, 1, 32, 32))
    assert (health.predicted.item(), health.true.item()) == pytest.approx((0.05, 0.5))
    assert health.ratio.item() == pytest.approx(0.1)


def test_the_share_of_no_error_is_finite() -> None:
    zero = torch.zeros(())
    assert ErrorMapLevel(zero, zero).ratio.item() == 0
    assert ErrorMapLevel(zero + 0.1, zero).ratio.isfinite()
