"""Adam with one learning rate for each part of a network, and the schedule of the rates."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import nn

from howard.errors import SettingsError

Schedule = Literal["constant", "cosine"]
Progress = Callable[[int], float]  # of a step counted from 0, the share of the training that is over


def adam(
    parts: Mapping[str, nn.Module],
    progress: Progress,
    *,
    rates: Mapping[str, float | None],
    schedule: Schedule = "constant",
    warmup_steps: int = 0,
) -> OptimizerLRSchedulerConfig:
    """What Lightning wants of ``configure_optimizers``.

    Args:
        parts: what is trained, by name: ``encoder``, ``aspp``, ``decoder``, ``person``, ``refiner``, ``segmentation``.
        progress: how much of the training is over at a step; see :func:`howard.training.budget.training_progress`.
        rates: learning rate of every part; None for a part that there is not.
        schedule: ``constant`` after the warm-up, or ``cosine`` down to zero at the end of training.
        warmup_steps: the rate grows linearly from zero over so many steps.

    Raises:
        SettingsError: a part has no rate, or a rate no part.
    """
    rates = {name: rate for name, rate in rates.items() if rate is not None}
    if parts.keys() != rates.keys():
        raise SettingsError(f"optimiser.rates are for {', '.join(rates)}; the network has {', '.join(parts)}")
    # The names are those of the logged learning rates, lr-Adam/NAME.
    groups = [{"params": part.parameters(), "lr": rates[name], "name": name} for name, part in parts.items()]
    optimiser = torch.optim.Adam(groups)
    factor = partial(rate_factor, progress=progress, schedule=schedule, warmup_steps=warmup_steps)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": scheduler, "interval": "step", "frequency": 1}}


def rate_factor(step: int, *, progress: Progress, schedule: Schedule, warmup_steps: int) -> float:
    """What the learning rates are multiplied with at a step counted from 0; in [0, 1]."""
    warmup = min(1.0, (step + 1) / warmup_steps) if warmup_steps else 1.0
    if schedule == "constant":
        return warmup
    return warmup * 0.5 * (1 + math.cos(math.pi * min(1.0, progress(step))))
