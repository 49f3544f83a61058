"""The LightningModules: the coarse network alone, coarse network and refiner together, and the plain U-Net."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from lightning import LightningModule
from torch import Tensor, nn

from howard.data.datasets import Batch
from howard.errors import HowardError
from howard.evaluation.scores import MatteScores
from howard.matting import BaselineNetwork, CoarseMatte, Matte, MattingNetwork, RefineSettings
from howard.matting.losses import coarse_losses, joint_losses, matte_losses
from howard.matting.person_maps import PersonMaps
from howard.training.budget import training_progress
from howard.training.crops import crop_batch
from howard.training.optimiser import Progress
from howard.training.person_views import PriorSampler
from howard.training.segmentation import SegmentationHead

Optimiser = Callable[[Mapping[str, nn.Module], Progress], Any]
# The encoder's name inside the network is that of the published weights.
_PARTS = {"backbone": "encoder"}
# Of every validation sample; what needs a clip's neighbouring frames or is another's twin is left to howard.evaluation.
SCORES = ("mad", "mse", "grad", "conn", "band_mad", "person_dropouts", "background_dropouts", "foreground_mad")


class DivergedError(HowardError):
    """The loss is no longer a number."""


class StageModule(LightningModule):
    """What all stages share: optimiser, crops, draws, logging.

    Everything random in a step is a pure function of (seed, global step), so a run that was interrupted goes on as if
    it had not been.

    Args:
        network: is trained in place.
        optimiser: called with the trained parts by name and the progress of training; see
            :func:`howard.training.optimiser.adam`.
        seed: of crops, coarse scales and dropout.
        crop: smallest and largest side of the random crop of every step, see :func:`crop_batch`; None leaves samples
            whole.
        segmentation_weight: of the segmentation loss on the decoder's input, see :class:`SegmentationHead`; 0 has none.
    """

    def __init__(
        self,
        network: MattingNetwork | BaselineNetwork,
        optimiser: Optimiser,
        seed: int = 0,
        crop: tuple[int, int] | None = None,
        segmentation_weight: float = 0.0,
    ) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser, self.seed, self.crop = optimiser, seed, crop
        self.scores = MatteScores(SCORES)
        # Neither a module nor a parameter: the prior is never trained, and checkpoints do not hold it.
        self.prior = PriorSampler() if getattr(network, "person", None) is not None else None
        self.segmentation: SegmentationHead | None = None
        if segmentation_weight:
            assert isinstance(network, MattingNetwork)
            self.segmentation = SegmentationHead(network.aspp, segmentation_weight)

    def losses(self, batch: Batch, rng: np.random.Generator | None) -> tuple[Matte, dict[str, Tensor]]:
        """The stage's matte of a batch at the batch's size, and its loss terms.

        ``rng`` makes the draws of a training step; None for validation, which draws nothing.
        """
        raise NotImplementedError

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """One step; logs every loss term as ``train/NAME`` and their sum as ``train/loss``.

        Raises:
            DivergedError: the loss is not finite.
        """
        # The same for all processes and all parts of an accumulated batch.
        rng = np.random.default_rng([self.seed, self.global_step])
        batch = as_pictures(batch)
        if self.crop is not None:
            batch = crop_batch(batch, *self.crop, rng)
        with self._dropout_seeded(batch_index):
            _, terms = self.losses(batch, rng)
        if self.segmentation is not None:
            terms["segmentation"] = self.segmentation.loss(batch["alpha"])
        loss = torch.stack(list(terms.values())).sum()
        if not loss.isfinite():  # before it reaches the weights, and with them a checkpoint
            values = ", ".join(f"{name} {value.item():.3g}" for name, value in terms.items())
            raise DivergedError(
                f"the loss is not a number at step {self.global_step} ({values}): lower optimiser.rates, "
                "set trainer.gradient_clip_val=1, or use trainer.precision=32-true"
            )
        self.log_dict({f"train/{name}": value.detach() for name, value in terms.items()})
        self.log("train/loss", loss.detach(), prog_bar=True)
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Logs ``val/loss`` and collects :data:`SCORES`."""
        batch = as_pictures(batch)
        matte, terms = self.losses(batch, None)
        self.scores.update(matte.alpha, batch["alpha"], matte.foreground, batch["foreground"])
        loss = torch.stack(list(terms.values())).sum()
        self.log("val/loss", loss, batch_size=len(batch["alpha"]), sync_dist=True)

    def on_validation_epoch_end(self) -> None:
        """Logs every score as ``val/NAME``; the figures are those of the field (x 1e3 and so on)."""
        for name, value in self.scores.compute().items():
            self.log(f"val/{name}", value, prog_bar=name == "mad")
        self.scores.reset()

    def configure_optimizers(self) -> Any:
        return self.optimiser(self.trained_parts(), training_progress(self.trainer))

    def trained_parts(self) -> dict[str, nn.Module]:
        """Everything with parameters to train, by the name of its learning rate."""
        parts: dict[str, nn.Module] = {}
        for name, part in self.network.named_children():
            parts[_PARTS.get(str(name), str(name))] = part
        if self.segmentation is not None:
            parts["segmentation"] = self.segmentation
        return parts

    def person_maps(self, batch: Batch, scale: float, rng: np.random.Generator | None) -> PersonMaps | None:
        """The person prior's maps for a coarse network that runs at 1 / ``scale`` of the batch's size, or None."""
        return None if self.prior is None else self.prior.maps(batch, scale, rng)

    @contextmanager
    def _dropout_seeded(self, batch_index: int) -> Iterator[None]:
        """Dropout draws from torch's global generators, which are put back as they were."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            place = [self.seed, self.global_step, self.global_rank, batch_index]
            torch.manual_seed(int(np.random.SeedSequence(place).generate_state(1)[0]))
            yield


class CoarseModule(StageModule):
    """The base stage (Lin et al. 2021, section 5.2): the coarse network on samples at coarse resolution."""

    def losses(self, batch: Batch, rng: np.random.Generator | None) -> tuple[Matte, dict[str, Tensor]]:
        person = self.person_maps(batch, 1.0, rng)
        coarse = self.network.coarse_matte(batch["source"], batch["plate"], batch["coverage"], person, coarse_scale=1.0)
        with torch.autocast(self.device.type, enabled=False):
            return _whole(coarse), self.terms(coarse, batch)

    def terms(self, coarse: CoarseMatte, batch: Batch) -> dict[str, Tensor]:
        """Loss terms of a coarse matte at the batch's size."""
        return coarse_losses(coarse, batch["alpha"], batch["foreground"])


class BaselineModule(CoarseModule):
    """The plain U-Net, with the paper's losses of alpha and foreground; it has no error map to teach."""

    def terms(self, coarse: CoarseMatte, batch: Batch) -> dict[str, Tensor]:
        return matte_losses(coarse.alpha, coarse.foreground, batch["alpha"], batch["foreground"])


class RefineModule(StageModule):
    """The joint stage (Lin et al. 2021, section 5.2): coarse network and refiner on samples at full resolution.

    Args:
        network: as in :class:`StageModule`, with a refiner.
        optimiser: as there.
        seed: as there.
        crop: as there.
        segmentation_weight: as there.
        coarse_scales: the factor c is drawn from these for every step; validation takes the first.
        refine: which patches are refined while training.
    """

    def __init__(
        self,
        network: MattingNetwork,
        optimiser: Optimiser,
        seed: int = 0,
        crop: tuple[int, int] | None = None,
        segmentation_weight: float = 0.0,
        coarse_scales: tuple[float, ...] = (4.0,),
        refine: RefineSettings = RefineSettings(),  # noqa: B008 (immutable)
    ) -> None:
        super().__init__(network, optimiser, seed, crop, segmentation_weight)
        self.coarse_scales = tuple(coarse_scales)
        self.refine = refine

    def losses(self, batch: Batch, rng: np.random.Generator | None) -> tuple[Matte, dict[str, Tensor]]:
        scale = self.coarse_scales[0 if rng is None else int(rng.integers(len(self.coarse_scales)))]
        matte = self.network(
            batch["source"],
            batch["plate"],
            batch["coverage"],
            self.person_maps(batch, scale, rng),
            coarse_scale=scale,
            refine=self.refine,
        )
        with torch.autocast(self.device.type, enabled=False):
            return matte, joint_losses(matte, batch["alpha"], batch["foreground"])


def _whole(coarse: CoarseMatte) -> Matte:
    return Matte(coarse.alpha, coarse.foreground, coarse, torch.zeros_like(coarse.error))


def as_pictures(batch: Batch) -> Batch:
    """(B, C, H, W), or (B, T, C, H, W) as B T pictures, channels-last in memory."""
    return {name: image.flatten(0, -4).contiguous(memory_format=torch.channels_last) for name, image in batch.items()}
