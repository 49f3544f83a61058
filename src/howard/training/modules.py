"""The LightningModules of the training stages: coarse network, coarse network with refiner, and plain U-Net."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np
import torch
from lightning import LightningModule
from torch import Tensor, nn

from howard.data.dataset import Batch
from howard.errors import HowardError, SettingsError
from howard.evaluation.scores import MatteScores
from howard.matting import BaselineNetwork, CoarseMatte, Matte, MattingNetwork, RefineSettings
from howard.matting.losses import ERROR, Weights, check_loss_weights, coarse_losses, joint_losses
from howard.matting.person_maps import PersonMaps
from howard.matting.tiles import PATCH
from howard.training.batches import PriorSampler, count_frames, crop_batch, flatten_frames
from howard.training.budget import training_progress
from howard.training.monitors import ERROR_RATIO, PREDICTED_ERROR, TRUE_ERROR, measure_error_map
from howard.training.optimiser import TrainingProgress
from howard.training.segmentation_head import SegmentationHead

MakeOptimiser = Callable[[Mapping[str, nn.Module], TrainingProgress], Any]
# Names of learning rates by submodule names, where they differ: published weights call the encoder "backbone".
_PARTS = {"backbone": "encoder"}
SEGMENTATION = "segmentation"  # loss term of SegmentationHead
# Metrics of still samples; those of clips and redundant ones are left to howard.evaluation.
SCORES = ("mad", "mse", "grad", "conn", "band_mad", "person_dropouts", "background_dropouts", "foreground_mad")


class DivergedError(HowardError):
    """The loss is infinite or NaN."""


class StageModule(LightningModule):
    """Base class of the training stages: optimiser, crops, seeding, logging.

    All random numbers of a step are a pure function of (seed, global step), so that an interrupted run continues as if
    it had not been interrupted.

    Args:
        network: trained in place.
        optimiser: called with the trained parts by name and the training progress; see
            :func:`howard.training.optimiser.adam`.
        loss: weights of the loss terms: those of :data:`howard.matting.losses.LOSS_TERMS`, ``error`` of the error
            map, and ``segmentation``, see :class:`SegmentationHead`.
        seed: of crops, coarse scales and dropout.
        crop: smallest and largest side of the random crop of every step, see :func:`crop_batch`; None does not crop.
        frozen_statistics: whether batch norms use their running means and variances and dropout is off, as in
            inference: for training trained weights on with small batches.
    """

    crop_multiple: ClassVar[int] = 1  # crop sides are multiples of this
    has_coarse_terms = False  # whether loss terms may have the prefix "coarse_"
    extra_terms: tuple[str, ...] = (ERROR, SEGMENTATION)

    def __init__(
        self,
        network: MattingNetwork | BaselineNetwork,
        optimiser: MakeOptimiser,
        loss: Weights,
        seed: int = 0,
        crop: tuple[int, int] | None = None,
        frozen_statistics: bool = False,
    ) -> None:
        super().__init__()
        check_loss_weights(loss, self.has_coarse_terms, self.extra_terms)
        self.weights = {name: weight for name, weight in loss.items() if name != SEGMENTATION}
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser, self.seed, self.crop = optimiser, seed, crop
        self.frozen_statistics = frozen_statistics
        self.scores = MatteScores(SCORES)
        # Not an nn.Module: the prior is not trained and not stored in checkpoints.
        self.prior = PriorSampler() if getattr(network, "person", None) is not None else None
        self.segmentation: SegmentationHead | None = None
        if loss.get(SEGMENTATION):
            assert isinstance(network, MattingNetwork)
            self.segmentation = SegmentationHead(network.aspp, loss[SEGMENTATION])

    def train(self, mode: bool = True) -> Self:
        """Set the mode of all parts, except that of batch norms and dropout with ``frozen_statistics``."""
        super().train(mode)
        if self.frozen_statistics:
            for part in self.network.modules():
                if isinstance(part, nn.BatchNorm2d | nn.Dropout):
                    part.eval()
        return self

    def on_train_start(self) -> None:
        """Set the mode, which Lightning leaves as it is."""
        self.train()

    def losses(self, batch: Batch, rng: np.random.Generator | None, frames: int = 1) -> tuple[Matte, dict[str, Tensor]]:
        """The matte of a batch at the batch's resolution, and the weighted loss terms by name.

        Args:
            batch: named (B, C, H, W) tensors; frames of a clip are consecutive.
            rng: generator of a training step; None for validation, which has no randomness.
            frames: number of frames per clip, 1 for stills.
        """
        raise NotImplementedError

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Compute the loss; logs every weighted loss term as ``train/NAME`` and their sum as ``train/loss``.

        Raises:
            SettingsError: the temporal loss has a weight, but samples are stills.
            DivergedError: the loss is not finite.
        """
        # The same for all processes and all accumulated batches of a step.
        rng = np.random.default_rng([self.seed, self.global_step])
        frames = count_frames(batch)
        if frames == 1 and any(weight for name, weight in self.weights.items() if name.endswith("temporal")):
            raise SettingsError("stage.loss.temporal compares frames of a clip: set data.frames=2 or more")
        batch = flatten_frames(batch)
        if self.crop is not None:
            batch = crop_batch(batch, *self.crop, rng, self.crop_multiple)
        with self._dropout_seeded(batch_index):
            matte, terms = self.losses(batch, rng, frames)
        if self.segmentation is not None:
            terms[SEGMENTATION] = self.segmentation.loss(batch["alpha"])
        loss = torch.stack(list(terms.values())).sum()
        if not loss.isfinite():  # checked before it corrupts the weights and a checkpoint
            values = ", ".join(f"{name} {value.item():.3g}" for name, value in terms.items())
            raise DivergedError(
                f"the loss is not finite at step {self.global_step} ({values}): lower optimiser.learning_rates, "
                "set trainer.gradient_clip_val=1, or use trainer.precision=32-true"
            )
        self.log_dict({f"train/{name}": value.detach() for name, value in terms.items()})
        self.log("train/loss", loss.detach(), prog_bar=True)
        if self.weights.get(ERROR):
            level = measure_error_map(matte.coarse, batch["alpha"])
            self.log_dict({PREDICTED_ERROR: level.predicted, TRUE_ERROR: level.true, ERROR_RATIO: level.ratio})
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Logs ``val/loss`` and accumulates :data:`SCORES`."""
        self._measure(batch, "val")

    def on_validation_epoch_end(self) -> None:
        """Logs every metric as ``val/NAME``, in the customary units (MAD x 1e3 and so on)."""
        self._log_scores("val")

    def test_step(self, batch: Batch, batch_index: int) -> None:
        """As :meth:`validation_step`, under ``test/``."""
        self._measure(batch, "test")

    def on_test_epoch_end(self) -> None:
        """As :meth:`on_validation_epoch_end`, under ``test/``."""
        self._log_scores("test")

    def configure_optimizers(self) -> Any:
        return self.optimiser(self.trained_parts(), training_progress(self.trainer))

    def trained_parts(self) -> dict[str, nn.Module]:
        """The modules to train by the name of their learning rate."""
        parts: dict[str, nn.Module] = {}
        for name, part in self.network.named_children():
            parts[_PARTS.get(str(name), str(name))] = part
        if self.segmentation is not None:
            parts["segmentation"] = self.segmentation
        return parts

    def person_maps(self, batch: Batch, scale: float, rng: np.random.Generator | None) -> PersonMaps | None:
        """Person maps at 1 / ``scale`` of the batch's resolution; None for networks without a person prior."""
        return None if self.prior is None else self.prior.maps(batch, scale, rng)

    def _measure(self, batch: Batch, prefix: str) -> None:
        frames = count_frames(batch)
        batch = flatten_frames(batch)
        matte, terms = self.losses(batch, None, frames)
        self.scores.update(matte.alpha, batch["alpha"], matte.foreground, batch["foreground"])
        loss = torch.stack(list(terms.values())).sum()
        self.log(f"{prefix}/loss", loss, batch_size=len(batch["alpha"]), sync_dist=True)

    def _log_scores(self, prefix: str) -> None:
        for name, value in self.scores.compute().items():
            self.log(f"{prefix}/{name}", value, prog_bar=name == "mad")
        self.scores.reset()

    @contextmanager
    def _dropout_seeded(self, batch_index: int) -> Iterator[None]:
        """Seed torch's global generators, from which dropout samples, and restore their state afterwards."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            entropy = [self.seed, self.global_step, self.global_rank, batch_index]
            torch.manual_seed(int(np.random.SeedSequence(entropy).generate_state(1)[0]))
            yield


class CoarseModule(StageModule):
    """The base stage (Lin et al. 2021, section 5.2): trains the coarse network on samples at coarse resolution."""

    def losses(self, batch: Batch, rng: np.random.Generator | None, frames: int = 1) -> tuple[Matte, dict[str, Tensor]]:
        person = self.person_maps(batch, 1.0, rng)
        coarse = self.network.coarse_matte(batch["source"], batch["plate"], batch["coverage"], person, coarse_scale=1.0)
        with torch.autocast(self.device.type, enabled=False):
            return _whole(coarse), self.terms(coarse, batch, frames)

    def terms(self, coarse: CoarseMatte, batch: Batch, frames: int) -> dict[str, Tensor]:
        """Weighted loss terms of a coarse matte at the batch's resolution."""
        return coarse_losses(coarse, batch["alpha"], batch["foreground"], self.weights, frames)


class BaselineModule(CoarseModule):
    """Trains the plain U-Net with the paper's losses of alpha and foreground; it has no error map."""

    extra_terms = ()


class RefineModule(StageModule):
    """The joint stage (Lin et al. 2021, section 5.2): trains coarse network and refiner at full resolution.

    Args:
        network: as in :class:`StageModule`, with a refiner.
        optimiser: as in :class:`StageModule`.
        loss: as in :class:`StageModule`; terms at coarse scale have the prefix ``coarse_``.
        seed: as in :class:`StageModule`.
        crop: as in :class:`StageModule`.
        frozen_statistics: as in :class:`StageModule`.
        coarse_scales: downsampling factors c of the coarse network, one of which is sampled for every step; validation
            uses the first.
        refine: selection of the refined patches.
        patches: number of patches refined per image, independent of the crop's size; None uses the fraction of
            ``refine``.
    """

    crop_multiple = PATCH
    has_coarse_terms = True

    def __init__(
        self,
        network: MattingNetwork,
        optimiser: MakeOptimiser,
        loss: Weights,
        seed: int = 0,
        crop: tuple[int, int] | None = None,
        frozen_statistics: bool = False,
        coarse_scales: tuple[float, ...] = (4.0,),
        refine: RefineSettings = RefineSettings(),  # noqa: B008 (immutable)
        patches: int | None = None,
    ) -> None:
        super().__init__(network, optimiser, loss, seed, crop, frozen_statistics)
        self.coarse_scales = tuple(coarse_scales)
        self.refine, self.patches = refine, patches

    def losses(self, batch: Batch, rng: np.random.Generator | None, frames: int = 1) -> tuple[Matte, dict[str, Tensor]]:
        scale = self.coarse_scales[0 if rng is None else int(rng.integers(len(self.coarse_scales)))]
        matte = self.network(
            batch["source"],
            batch["plate"],
            batch["coverage"],
            self.person_maps(batch, scale, rng),
            coarse_scale=scale,
            refine=self.refine_settings(batch["source"].shape),
        )
        with torch.autocast(self.device.type, enabled=False):
            return matte, joint_losses(matte, batch["alpha"], batch["foreground"], self.weights, frames)

    def refine_settings(self, shape: Sequence[int]) -> RefineSettings:
        """Selection of the refined patches for images of shape (..., H, W)."""
        if self.patches is None:
            return self.refine
        height, width = (math.ceil(side / PATCH) for side in shape[-2:])
        return self.refine._replace(fraction=min(1.0, self.patches / (height * width)))


def _whole(coarse: CoarseMatte) -> Matte:
    return Matte(coarse.alpha, coarse.foreground, coarse, torch.zeros_like(coarse.error))
