"""The exponential moving average of the weights, and the weights that a run would export now."""

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

_NETWORK = "network."


def ema(decay: float) -> WeightAveraging:
    """The running mean of weights and buffers, which validation and export then use.

    It is on the training device, and updated there by a few fused operations a step.

    Args:
        decay: share that the mean keeps at every step, in [0, 1).
    """
    return WeightAveraging(multi_avg_fn=get_ema_multi_avg_fn(decay))


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
