"""Whether the coarse network's error map is alive: where it is 0 everywhere, nothing is refined where it matters."""

from typing import Any, NamedTuple

import torch.nn.functional as F
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor

from howard.matting import CoarseMatte

PREDICTED, TRUE, SHARE = "train/error_map", "train/true_error", "train/error_map_share"
_SMALLEST_ERROR = 1e-8  # divisor of the share where the matte is exact
# The map's mean below this fraction of the true error's counts as dead: in single steps of living maps, at the start of
# a smoke run and in the middle of people_refine, the fraction was between 0.08 and 2.9.
_DEAD_SHARE = 0.01


class ErrorMapHealth(NamedTuple):
    """Means over a batch, scalars: of the error map, and of the error that it should show."""

    predicted: Tensor
    true: Tensor

    @property
    def share(self) -> Tensor:
        """The map's mean over the true error's: 1 is ideal, 0 a map that has died."""
        return self.predicted / self.true.clamp_min(_SMALLEST_ERROR)


def measure_error_map(coarse: CoarseMatte, true_alpha: Tensor) -> ErrorMapHealth:
    """The health of a batch's error map; ``true_alpha`` is (B, 1, H, W) in [0, 1]."""
    size = coarse.alpha.shape[2:]
    small = F.interpolate(true_alpha, size=size, mode="bilinear", align_corners=False)
    return ErrorMapHealth(coarse.error.detach().mean(), (coarse.alpha.detach() - small).abs().mean())


class ErrorMapWatch(Callback):
    """Warns once where the error map's mean stays below a hundredth of the true error's.

    Args:
        patience: how many looks in a row must find it so; there is one every ``trainer.log_every_n_steps`` steps.
    """

    def __init__(self, patience: int = 5) -> None:
        self.patience = patience
        self._dead = 0
        self._has_warned = False

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        figures = trainer.callback_metrics
        if self._has_warned or PREDICTED not in figures or trainer.global_step % trainer.log_every_n_steps:  # type: ignore[attr-defined]
            return
        # Reading the figures waits for the device: only as often as they are logged.
        is_dead = float(figures[PREDICTED]) < _DEAD_SHARE * float(figures[TRUE])
        self._dead = self._dead + 1 if is_dead else 0
        if self._dead >= self.patience:
            self._has_warned = True
            rank_zero_warn(
                f"the error map has been 0 for {self._dead} looks, at step {trainer.global_step}: patches are refined "
                "anywhere; lower optimiser.rates.decoder, or raise stage.loss.error"
            )
