"""The norm of the gradient, before it is clipped."""

from typing import Any

from lightning import Callback, LightningModule, Trainer
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer

from howard.training.log_steps import is_logged_next

GRADIENT_NORM = "gradient/norm"


class GradientNorm(Callback):
    """Logs ``gradient/norm``, the L2 norm over all parameters, every ``trainer.log_every_n_steps`` steps.

    It is that of the unscaled gradient before ``trainer.gradient_clip_val``: where it stays above the clip value,
    every step is clipped.
    """

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer) -> None:
        if not is_logged_next(trainer):
            return
        parameters: list[Any] = [each for group in optimizer.param_groups for each in group["params"]]
        gradients = [each.grad for each in parameters if each.grad is not None]
        pl_module.log(GRADIENT_NORM, get_total_norm(gradients))
