"""The LightningModules of both stages: the coarse network alone, then coarse network and refiner together."""

import math
from typing import Any, Literal

import torch
from lightning import LightningModule
from torch import Tensor

from howard.data.datasets import Batch
from howard.matting import CoarseNetwork, Matte, MattingNetwork, RefineSettings
from howard.matting.coarse import CoarseMatte
from howard.matting.losses import coarse_losses, joint_losses
from howard.training.crops import crop_batch

Schedule = Literal["constant", "cosine"]


class StageModule(LightningModule):
    """What both stages share: optimiser, schedule, crops, logging.

    Args:
        network: is trained in place.
        rates: learning rate of ``encoder``, ``aspp``, ``decoder`` (and ``refiner``).
        schedule: ``constant`` after the warm-up, or ``cosine`` down to zero at the last step.
        warmup_steps: the rate grows linearly from zero over so many steps.
        crop: smallest and largest side of the random crop of every training batch, see :func:`crop_batch`; None
            leaves samples whole.
    """

    def __init__(
        self,
        network: MattingNetwork,
        rates: dict[str, float],
        schedule: Schedule = "constant",
        warmup_steps: int = 0,
        crop: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.rates = dict(rates)
        self.schedule, self.warmup_steps, self.crop = schedule, warmup_steps, crop

    def losses(self, batch: Batch, training: bool) -> tuple[Matte | CoarseMatte, dict[str, Tensor]]:
        """The stage's matte of a batch, and its loss terms."""
        raise NotImplementedError

    def matte(self, batch: Batch) -> Matte:
        """The whole network's matte of a validation batch, at the batch's size."""
        raise NotImplementedError

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """One step; logs every loss term as ``train/NAME`` and their sum as ``train/loss``."""
        if self.crop is not None:
            batch = crop_batch(batch, *self.crop)
        _, terms = self.losses(_channels_last(batch), training=True)
        loss = torch.stack(list(terms.values())).sum()
        self.log_dict({f"train/{name}": value.detach() for name, value in terms.items()})
        self.log("train/loss", loss.detach(), prog_bar=True)
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Logs ``val/loss`` and, x 1e3 as everywhere in the field, ``val/mad`` and ``val/mse`` of alpha."""
        batch = _channels_last(batch)
        matte, terms = self.losses(batch, training=False)
        difference = matte.alpha.float() - batch["alpha"]
        figures = {
            "val/loss": torch.stack(list(terms.values())).sum(),
            "val/mad": difference.abs().mean() * 1e3,
            "val/mse": difference.square().mean() * 1e3,
        }
        self.log_dict(figures, prog_bar=True, batch_size=len(difference))

    def configure_optimizers(self) -> Any:
        """Adam with one learning rate for each part of the network."""
        parts = {"encoder": self.network.backbone, "aspp": self.network.aspp, "decoder": self.network.decoder}
        if self.network.refiner is not None:
            parts["refiner"] = self.network.refiner
        groups = [{"params": part.parameters(), "lr": self.rates[name]} for name, part in parts.items()]
        optimizer = torch.optim.Adam(groups)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._rate_factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _rate_factor(self, step: int) -> float:
        warmth = min(1.0, (step + 1) / self.warmup_steps) if self.warmup_steps else 1.0
        if self.schedule == "constant":
            return warmth
        done = min(1.0, step / max(1, int(self.trainer.estimated_stepping_batches)))
        return warmth * 0.5 * (1 + math.cos(math.pi * done))


class CoarseModule(StageModule):
    """The base stage (Lin et al. 2021, section 5.2): the coarse network on samples at coarse resolution."""

    def losses(self, batch: Batch, training: bool) -> tuple[CoarseMatte, dict[str, Tensor]]:
        matte = CoarseNetwork.forward(self.network, batch["source"], batch["plate"], batch["coverage"])
        with torch.autocast(self.device.type, enabled=False):
            return matte, coarse_losses(matte, batch["alpha"], batch["foreground"])

    def matte(self, batch: Batch) -> Matte:
        coarse = CoarseNetwork.forward(self.network, batch["source"], batch["plate"], batch["coverage"])
        return Matte(coarse.alpha, coarse.foreground, coarse, torch.zeros_like(coarse.error))


class RefineModule(StageModule):
    """The joint stage (Lin et al. 2021, section 5.2): coarse network and refiner on samples at full resolution.

    Args:
        network: as in :class:`StageModule`, with a refiner.
        rates: as there, with ``refiner``.
        coarse_scales: the factor c is drawn from these for every training batch; validation takes the first.
        refine: which patches are refined while training.
        schedule: as there.
        warmup_steps: as there.
        crop: as there.
    """

    def __init__(
        self,
        network: MattingNetwork,
        rates: dict[str, float],
        coarse_scales: tuple[float, ...] = (4.0,),
        refine: RefineSettings = RefineSettings(),  # noqa: B008 (immutable)
        schedule: Schedule = "constant",
        warmup_steps: int = 0,
        crop: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(network, rates, schedule, warmup_steps, crop)
        self.coarse_scales = tuple(coarse_scales)
        self.refine = refine

    def losses(self, batch: Batch, training: bool) -> tuple[Matte, dict[str, Tensor]]:
        drawn = int(torch.randint(len(self.coarse_scales), ())) if training else 0
        matte = self._run(batch, self.coarse_scales[drawn])
        with torch.autocast(self.device.type, enabled=False):
            return matte, joint_losses(matte, batch["alpha"], batch["foreground"])

    def matte(self, batch: Batch) -> Matte:
        return self._run(batch, self.coarse_scales[0])

    def _run(self, batch: Batch, coarse_scale: float) -> Matte:
        return self.network(
            batch["source"], batch["plate"], batch["coverage"], coarse_scale=coarse_scale, refine=self.refine
        )


def _channels_last(batch: Batch) -> Batch:
    return {name: image.contiguous(memory_format=torch.channels_last) for name, image in batch.items()}
