"""Pictures of fixed validation samples during training, from the first step on."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import WandbLogger
from lightning.pytorch.trainer.states import TrainerFn

from howard.data.dataset import Batch
from howard.evaluation.batched_metrics import gradient_error, mad
from howard.evaluation.scores import eight_bit
from howard.images import to_uint8
from howard.matting import Matte
from howard.media import write_atomically
from howard.media.png_encoding import encode_png
from howard.training.modules import StageModule, flatten_frames

FOLDER = "panels"
_SIDE = 256  # maximum long side of a tile in pixels
_CHECKER = 16  # side of a checkerboard square in pixels
_HEADING = 20  # height of the heading in pixels
_TABLE = ("source", "plate", "true alpha", "alpha", "foreground", "composite")


class ValidationPanel(Callback):
    """Renders the first validation samples before the first step and after every validation.

    A row per sample: source, plate, true alpha, alpha, foreground, error map, refined patches, and the person over a
    checkerboard. Written to ``panels/panel_STEP.png`` in the trainer's root folder and to W&B, if it is a logger, which
    at the end also receives a table with the pictures and scores of every sample.

    Args:
        rows: number of samples shown.
    """

    def __init__(self, rows: int = 6) -> None:
        self._samples = FixedSamples(rows)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.global_step == 0:
            self._render(trainer, pl_module)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.sanity_checking:
            self._render(trainer, pl_module)

    def _render(self, trainer: Trainer, module: LightningModule) -> None:
        assert isinstance(module, StageModule)
        if not trainer.is_global_zero:
            return
        batch, matte = self._samples.matte(trainer, module)
        picture = render_panel(batch, matte)
        path = Path(trainer.default_root_dir) / FOLDER / f"panel_{trainer.global_step:07d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, encode_png(picture))
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image("panel", [picture], step=trainer.global_step)
                if trainer.state.fn == TrainerFn.VALIDATING:  # after training: the exported weights
                    logger.log_table("samples", *sample_table(batch, matte), step=trainer.global_step)


class FixedSamples:
    """The first ``count`` validation samples, generated once and the same throughout a run."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._batch: Batch | None = None

    def matte(self, trainer: Trainer, module: StageModule) -> tuple[Batch, Matte]:
        """The samples, and the network's current mattes of them."""
        if self._batch is None:
            data: Any = trainer.datamodule  # type: ignore[attr-defined]
            self._batch = data.validation_batch(self.count)
        assert self._batch is not None
        batch = flatten_frames({name: image.to(module.device) for name, image in self._batch.items()})
        was_training = module.training
        module.eval()
        with torch.no_grad(), trainer.precision_plugin.val_step_context():
            matte, _ = module.losses(batch, None)
        module.train(was_training)
        return batch, matte


def render_panel(batch: Batch, matte: Matte) -> np.ndarray:
    """A picture with a heading and one row per sample: HxWx3 uint8 RGB."""
    rows = [sample_tiles(batch, matte, index) for index in range(len(batch["source"]))]
    headings = [_heading(name, tile.shape[1]) for name, tile in rows[0].items()]
    pictures = [np.concatenate(line, axis=1) for line in (headings, *(list(row.values()) for row in rows))]
    return np.concatenate(pictures, axis=0)


def sample_tiles(batch: Batch, matte: Matte, index: int) -> dict[str, np.ndarray]:
    """The pictures of one sample by name, each hxwx3 uint8 RGB and of the same size."""
    source, plate, true = (batch[name][index].float().cpu().numpy() for name in ("source", "plate", "alpha"))
    arrays = matte.numpy()
    alpha, foreground = arrays.alpha[index], arrays.foreground[index]
    height, width = source.shape[1:]
    tiles = {
        "source": source,
        "plate": plate,
        "true alpha": true,
        "alpha": alpha,
        "foreground": foreground * (alpha > 0),
        "error map": arrays.coarse.error[index],
        "refined patches": arrays.refined[index],
        "composite": alpha * foreground + (1 - alpha) * _checkerboard(height, width),
    }
    scale = min(1.0, _SIDE / max(height, width))
    size = round(width * scale), round(height * scale)
    return {name: _tile(image, size) for name, image in tiles.items()}


def sample_table(batch: Batch, matte: Matte) -> tuple[list[str], list[list]]:
    """Columns and rows of a W&B table with the pictures and scores of each sample."""
    import wandb

    rows = []
    for index in range(len(batch["source"])):
        tiles = sample_tiles(batch, matte, index)
        predicted, true = (eight_bit(image[index : index + 1].cpu()) for image in (matte.alpha, batch["alpha"]))
        scores = [mad(predicted, true).item(), gradient_error(predicted, true).item()]
        rows.append([index, *(wandb.Image(tiles[name]) for name in _TABLE), *scores])
    return ["sample", *_TABLE, "mad", "grad"], rows


def _tile(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Convert (1 or 3, h, w) in [0, 1] to (height, width, 3) uint8; enlarged by nearest neighbour, to show patches."""
    picture = np.ascontiguousarray(np.broadcast_to(image, (3, *image.shape[1:])).transpose(1, 2, 0))
    shrinks = size[0] < picture.shape[1]
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST)
    return to_uint8(picture)


def _heading(text: str, width: int) -> np.ndarray:
    picture = np.zeros((_HEADING, width, 3), np.uint8)
    return cv2.putText(picture, text, (3, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1, cv2.LINE_AA)


def _checkerboard(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width] // _CHECKER
    return (0.35 + 0.3 * ((rows + columns) % 2))[None].astype(np.float32)
