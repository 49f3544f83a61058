"""What is kept of the weights during training: checkpoints, the best weights, and their moving average."""

import io
import math
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from lightning.fabric.plugins.io import TorchCheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint, WeightAveraging
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from howard.errors import OutputError, SettingsError, WeightsError
from howard.matting import WeightsMetadata, save_weights
from howard.matting.state_files import load_strictly
from howard.media import write_atomically
from howard.training.monitors import is_logged
from howard.training.run_folders import BEST

FOLDER, NAME = "checkpoints", "last"
EMA_DECAY = "ema/decay"
_NETWORK = "network."  # prefix of the network's weights in a checkpoint


class Checkpoints(ModelCheckpoint):
    """Keeps the newest checkpoint as ``checkpoints/last.ckpt`` in the trainer's root folder.

    Args:
        every_n_steps: optimiser steps between checkpoints.
    """

    def __init__(self, every_n_steps: int = 100) -> None:
        super().__init__(filename=NAME, every_n_train_steps=every_n_steps, enable_version_counter=False)

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self.dirpath = str(Path(trainer.default_root_dir) / FOLDER)
        super().setup(trainer, pl_module, stage)


class WholeCheckpoints(TorchCheckpointIO):
    """Writes checkpoints atomically: into a file beside the last one, which is then renamed.

    Lightning writes into the system's temporary folder, from where moving the file to another disk is not atomic.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Raises OutputError if the checkpoint cannot be written."""
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_atomically(path, buffer.getvalue())
        except OutputError as error:
            run = path.parent.parent
            kept = "the last good checkpoint is kept" if path.exists() else "there is no checkpoint yet"
            raise OutputError(f"{error}; {kept}, and resume={run} continues from it") from error


class BestWeights(Callback):
    """Writes ``best.safetensors`` into the trainer's root folder after every validation that is the best so far.

    Args:
        metadata: written into the file.
        monitor: the metric that is compared; lower is better.

    Raises:
        SettingsError: at the first validation, if the metric is not logged.
    """

    def __init__(self, metadata: WeightsMetadata, monitor: str) -> None:
        self.metadata, self.monitor = metadata, monitor
        self.value = math.inf

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.sanity_checking or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        metrics = trainer.callback_metrics
        if self.monitor not in metrics:
            logged = ", ".join(sorted(name for name in metrics if name.startswith("val/")))
            raise SettingsError(f"callbacks.best.monitor={self.monitor} is not logged; choose one of {logged}")
        value = float(metrics[self.monitor])
        if value < self.value:
            self.value = value
            if trainer.is_global_zero:
                path = Path(trainer.default_root_dir) / BEST
                save_weights(path, exported_state(trainer, pl_module), self.metadata)

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.value}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.value = state_dict["value"]


class ExponentialAverage(WeightAveraging):
    """Exponential moving average (EMA) of weights and buffers, used by validation and for the exported weights.

    The average is kept on the training device and updated there by a few fused operations per step. Its decay is logged
    as ``ema/decay`` every ``trainer.log_every_n_steps`` steps, since it may have been scaled to the batch size.

    Args:
        decay: weight of the old average at every step, in [0, 1).
    """

    def __init__(self, decay: float) -> None:
        super().__init__(multi_avg_fn=get_ema_multi_avg_fn(decay))
        self.decay = decay

    @property
    def state_key(self) -> str:
        """The base class's key, under which existing checkpoints have the average's state."""
        return WeightAveraging.__qualname__

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
        if is_logged(trainer, batch_idx):
            pl_module.log(EMA_DECAY, self.decay)


def ema(decay: float) -> ExponentialAverage:
    """Target of the setting ``callbacks.ema``."""
    return ExponentialAverage(decay)


def exported_state(trainer: Trainer, module: LightningModule) -> dict[str, Tensor]:
    """The weights that would be exported now: the moving average if there is one, else the network's own.

    Args:
        trainer: during or after a fit, finished or interrupted.
        module: contains the network as ``network``.
    """
    checkpoint = {"state_dict": module.state_dict()}
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, WeightAveraging):
            callback.on_save_checkpoint(trainer, module, checkpoint)
    return network_state(checkpoint["state_dict"])


def network_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The network's part of a checkpoint's state dict, with names as in the network."""
    return {name.removeprefix(_NETWORK): value for name, value in state.items() if name.startswith(_NETWORK)}


def check_checkpoint_fits(path: Path, network: torch.nn.Module) -> None:
    """Load the network's weights from a checkpoint, which checks that it is readable and fits the architecture.

    Raises:
        WeightsError: it cannot be read, or does not fit.
    """
    load_strictly(network, network_state(_read(path)["state_dict"]), path)


def checkpoint_step(path: Path) -> int:
    """The optimiser step at which a checkpoint was written; raises WeightsError if it cannot be read."""
    return int(_read(path, mmap=True)["global_step"])


def _read(path: Path, mmap: bool = False) -> dict[str, Any]:
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    except Exception as error:  # torch.load raises whatever zip, pickle or the file system raise
        raise WeightsError(f"{path} is not a checkpoint that can be read ({type(error).__name__})") from None
