"""Adam with a learning rate for each part of the network, and the learning-rate schedule."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import nn

from howard.errors import SettingsError

Schedule = Literal["constant", "cosine"]
# Maps a zero-based step to the fraction of training that is finished, in [0, 1].
TrainingProgress = Callable[[int], float]


def adam(
    parts: Mapping[str, nn.Module],
    progress: TrainingProgress,
    *,
    learning_rates: Mapping[str, float | None],
    schedule: Schedule = "constant",
    warmup_steps: int = 0,
) -> OptimizerLRSchedulerConfig:
    """Optimiser and schedule as ``configure_optimizers`` returns them.

    Args:
        parts: trained modules by name: ``encoder``, ``aspp``, ``decoder``, ``person``, ``refiner``, ``segmentation``.
        progress: of the training; see :func:`howard.training.budget.training_progress`.
        learning_rates: learning rate of every part; None for parts that the network lacks.
        schedule: after the warm-up ``constant``, or ``cosine`` decay to zero at the end of training.
        warmup_steps: number of steps over which the rate grows linearly from zero.

    Raises:
        SettingsError: a part has no rate, or a rate has no part.
    """
    learning_rates = {name: rate for name, rate in learning_rates.items() if rate is not None}
    if parts.keys() != learning_rates.keys():
        given = ", ".join(learning_rates)
        raise SettingsError(f"optimiser.learning_rates are for {given}; the network has {', '.join(parts)}")
    # Learning rates are logged under these names, as lr-Adam/NAME.
    groups = [{"params": part.parameters(), "lr": learning_rates[name], "name": name} for name, part in parts.items()]
    optimiser = torch.optim.Adam(groups)
    factor = partial(rate_factor, progress=progress, schedule=schedule, warmup_steps=warmup_steps)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": scheduler, "interval": "step", "frequency": 1}}


def rate_factor(step: int, *, progress: TrainingProgress, schedule: Schedule, warmup_steps: int) -> float:
    """Factor of the learning rates at a zero-based step; in [0, 1]."""
    warmup = min(1.0, (step + 1) / warmup_steps) if warmup_steps else 1.0
    if schedule == "constant":
        return warmup
    return warmup * 0.5 * (1 + math.cos(math.pi * min(1.0, progress(step))))
