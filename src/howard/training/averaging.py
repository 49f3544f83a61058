"""The exponential moving average of the weights, and the weights that a run would export now."""

from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from howard.training.log_steps import is_logged

EMA_DECAY = "ema/decay"
_NETWORK = "network."


class ExponentialAverage(WeightAveraging):
    """The exponential moving average of weights and buffers, which validation and export then use.

    It is on the training device, and updated there by a few fused operations a step. Its decay is logged as
    ``ema/decay`` every ``trainer.log_every_n_steps`` steps: where it was scaled to the device's batch size, it is not
    the one that was asked for.

    Args:
        decay: share that the mean keeps at every step, in [0, 1).
    """

    def __init__(self, decay: float) -> None:
        super().__init__(multi_avg_fn=get_ema_multi_avg_fn(decay))
        self.decay = decay

    @property
    def state_key(self) -> str:
        """That of the base class, so that checkpoints fit which were written with it."""
        return WeightAveraging.__qualname__

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
        if is_logged(trainer, batch_idx):
            pl_module.log(EMA_DECAY, self.decay)


def ema(decay: float) -> ExponentialAverage:
    """The average that the setting ``callbacks.ema`` makes."""
    return ExponentialAverage(decay)


def exported_state(trainer: Trainer, module: LightningModule) -> dict[str, Tensor]:
    """The network's weights as a checkpoint of now would have them: averaged where the run averages.

    Args:
        trainer: during a fit or after one, ended or interrupted.
        module: has the network as ``network``.
    """
    checkpoint = {"state_dict": module.state_dict()}
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, WeightAveraging):
            callback.on_save_checkpoint(trainer, module, checkpoint)
    return network_state(checkpoint["state_dict"])


def network_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Of a checkpoint's weights, those of the network, by their names in it."""
    return {name.removeprefix(_NETWORK): value for name, value in state.items() if name.startswith(_NETWORK)}
