"""A short run whose result must not depend on how a batch is shared out: a program, started by a test.

``python two_processes.py DATA OUTPUT OVERRIDE ...`` trains three steps of ``coarse_lite`` and saves losses and weights.
Batch norm and dropout are switched off: the one looks at each half of a batch apart, the other draws for each apart.
"""

import sys
from pathlib import Path

import cv2
import torch
from lightning import Callback, LightningModule, Trainer, seed_everything
from torch import nn

from howard.training.assembly import build
from tests.training.runs import composed, small_data


class Still(Callback):
    """Keeps layers that depend on their batch as in evaluation, and notes the mean loss of every step."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, *_: object) -> None:
        for module in pl_module.modules():
            if isinstance(module, nn.BatchNorm2d | nn.Dropout):
                module.eval()

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs: dict, *_: object) -> None:
        loss = trainer.strategy.reduce(outputs["loss"].detach(), reduce_op="mean")
        self.losses.append(float(loss))


def main(data: str, output: str, *overrides: str) -> None:
    """Train and save."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    config = composed(
        "coarse_lite", *small_data(Path(data)), "trainer.max_steps=3", "trainer.precision=32-true", *overrides
    )
    seed_everything(0)
    network = build(config.model)
    module = build(config.stage, network=network, optimiser=build(config.optimiser))
    still = Still()
    trainer = build(config.trainer, callbacks=[still], logger=False, enable_checkpointing=False)
    trainer.fit(module, datamodule=build(config.data))
    if trainer.is_global_zero:
        torch.save({"losses": still.losses, "weights": network.state_dict()}, output)


if __name__ == "__main__":
    main(*sys.argv[1:])
