"""Panels of fixed validation samples, so that a run can be watched from its first step."""

from pathlib import Path

import cv2
import numpy as np
import torch
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import WandbLogger

from howard.data.datasets import Batch
from howard.matting import Matte
from howard.training.modules import StageModule

_CHECKER = 16  # pixels


class ValidationPanel(Callback):
    """Draws the first validation batch after every validation, and once before the first step.

    A row a sample: source, plate, true alpha, alpha, foreground, error map, refined patches, and the person over a
    checkerboard. Written to ``FOLDER/panel_STEP.png`` and to W&B where it is the logger.

    Args:
        folder: of the pictures.
        rows: samples shown.
    """

    def __init__(self, folder: Path, rows: int = 6) -> None:
        self.folder = folder
        self.rows = rows
        self._batch: Batch | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._draw(trainer, pl_module)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.sanity_checking:
            self._draw(trainer, pl_module)

    @torch.no_grad()
    def _draw(self, trainer: Trainer, module: LightningModule) -> None:
        if not isinstance(module, StageModule) or not trainer.is_global_zero:
            return
        batch = self._fixed_batch(trainer, module)
        was_training = module.training
        module.eval()
        with trainer.precision_plugin.val_step_context():
            matte = module.matte(batch)
        module.train(was_training)
        picture = draw_panel(batch, matte)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"panel_{trainer.global_step:07d}.png"
        cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image("validation", [picture], step=trainer.global_step)

    def _fixed_batch(self, trainer: Trainer, module: LightningModule) -> Batch:
        if self._batch is None:
            dataset = trainer.datamodule.val_dataloader().dataset  # type: ignore[attr-defined]
            samples = [dataset[index] for index in range(min(self.rows, len(dataset)))]
            self._batch = {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}
        return {name: image.to(module.device) for name, image in self._batch.items()}


def draw_panel(batch: Batch, matte: Matte) -> np.ndarray:
    """A picture with one row a sample: HxWx3 uint8 RGB."""
    seen = matte.numpy()
    truth = {name: image.float().cpu().numpy() for name, image in batch.items()}
    height, width = truth["source"].shape[2:]
    rows = []
    for index in range(len(truth["source"])):
        alpha, foreground = seen.alpha[index], seen.foreground[index]
        composite = alpha * foreground + (1 - alpha) * _checkerboard(height, width)
        tiles = [truth["source"][index], truth["plate"][index], truth["alpha"][index], alpha, foreground * (alpha > 0)]
        tiles += [seen.coarse.error[index], seen.refined[index], composite]
        rows.append(np.concatenate([_tile(tile, height, width) for tile in tiles], axis=1))
    return np.round(np.concatenate(rows, axis=0).clip(0, 1) * 255).astype(np.uint8)


def _tile(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """(1 or 3, h, w) to (height, width, 3); enlarged without smoothing, so that single patches show."""
    picture = np.broadcast_to(image, (3, *image.shape[1:])).transpose(1, 2, 0)
    return cv2.resize(np.ascontiguousarray(picture), (width, height), interpolation=cv2.INTER_NEAREST)


def _checkerboard(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width] // _CHECKER
    return (0.35 + 0.3 * ((rows + columns) % 2))[None].astype(np.float32)
