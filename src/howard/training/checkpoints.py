"""Checkpoints that survive what happens while they are written."""

import io
from pathlib import Path
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.fabric.plugins.io import TorchCheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint

from howard.errors import OutputError, WeightsError
from howard.matting.state_files import load_strictly
from howard.media import write_whole
from howard.training.averaging import network_state

FOLDER, NAME = "checkpoints", "last"


class Checkpoints(ModelCheckpoint):
    """Keeps the newest checkpoint, as ``checkpoints/last.ckpt`` in the trainer's root folder.

    Args:
        every_n_steps: steps between checkpoints.
    """

    def __init__(self, every_n_steps: int = 100) -> None:
        super().__init__(filename=NAME, every_n_train_steps=every_n_steps, enable_version_counter=False)

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self.dirpath = str(Path(trainer.default_root_dir) / FOLDER)
        super().setup(trainer, pl_module, stage)


class WholeCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint beside the last one and then renames it: there is always a good one.

    Lightning's own way passes through the system's temporary folder, from where a file is moved byte by byte.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Raises OutputError where it cannot be written."""
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_whole(path, buffer.getvalue())
        except OutputError as error:
            run = path.parent.parent
            kept = "the last good checkpoint is kept" if path.exists() else "there is no checkpoint yet"
            raise OutputError(f"{error}; {kept}, and resume={run} goes on from it") from error


def check_checkpoint(path: Path, network: torch.nn.Module) -> None:
    """Load the network's weights from a checkpoint, as a check that it is one and of this architecture.

    Raises:
        WeightsError: it is not.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    except Exception as error:  # torch.load lets through whatever zip, pickle or the file system raise
        raise WeightsError(f"{path} is not a checkpoint that can be read ({type(error).__name__})") from None
    load_strictly(network, network_state(state), path)
