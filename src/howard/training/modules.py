"""The LightningModules: the coarse network alone, coarse network and refiner together, and the plain U-Net."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import torch
from lightning import LightningModule
from torch import Tensor, nn

from howard.data.dataset import Batch
from howard.errors import HowardError, SettingsError
from howard.evaluation.scores import MatteScores
from howard.matting import BaselineNetwork, CoarseMatte, Matte, MattingNetwork, RefineSettings
from howard.matting.losses import ERROR, Weights, check_weights, coarse_losses, joint_losses
from howard.matting.person_maps import PersonMaps
from howard.matting.tiles import PATCH
from howard.training.budget import training_progress
from howard.training.crops import crop_batch
from howard.training.error_map import PREDICTED, SHARE, TRUE, measure_error_map
from howard.training.optimiser import Progress
from howard.training.person_views import PriorSampler
from howard.training.segmentation import SegmentationHead

Optimiser = Callable[[Mapping[str, nn.Module], Progress], Any]
# The encoder's name inside the network is that of the published weights.
_PARTS = {"backbone": "encoder"}
SEGMENTATION = "segmentation"  # the loss term of a head on the decoder's input
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
        loss: weights of the loss terms, see :data:`howard.matting.loss_terms.LOSS_TERMS`; beside those ``error`` of the
            error map, and ``segmentation`` on the decoder's input, see :class:`SegmentationHead`.
        seed: of crops, coarse scales and dropout.
        crop: smallest and largest side of the random crop of every step, see :func:`crop_batch`; None leaves samples
            whole.
    """

    crop_multiple: ClassVar[int] = 1  # sides of crops are multiples of it
    has_coarse_terms = False  # whether loss terms may have the prefix "coarse_"
    further_terms: tuple[str, ...] = (ERROR, SEGMENTATION)

    def __init__(
        self,
        network: MattingNetwork | BaselineNetwork,
        optimiser: Optimiser,
        loss: Weights,
        seed: int = 0,
        crop: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        check_weights(loss, self.has_coarse_terms, self.further_terms)
        self.weights = {name: weight for name, weight in loss.items() if name != SEGMENTATION}
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser, self.seed, self.crop = optimiser, seed, crop
        self.scores = MatteScores(SCORES)
        # Neither a module nor a parameter: the prior is never trained, and checkpoints do not hold it.
        self.prior = PriorSampler() if getattr(network, "person", None) is not None else None
        self.segmentation: SegmentationHead | None = None
        if loss.get(SEGMENTATION):
            assert isinstance(network, MattingNetwork)
            self.segmentation = SegmentationHead(network.aspp, loss[SEGMENTATION])

    def losses(self, batch: Batch, rng: np.random.Generator | None, frames: int = 1) -> tuple[Matte, dict[str, Tensor]]:
        """The stage's matte of a batch at the batch's size, and its weighted loss terms.

        ``rng`` is of the random numbers of a training step; None for validation, which needs none. ``frames`` are the
        pictures of a clip, one after the other in the batch.
        """
        raise NotImplementedError

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """One step; logs every weighted loss term as ``train/NAME`` and their sum as ``train/loss``.

        Raises:
            SettingsError: frames are to be compared and samples are stills.
            DivergedError: the loss is not finite.
        """
        # The same for all processes and all parts of an accumulated batch.
        rng = np.random.default_rng([self.seed, self.global_step])
        frames = count_frames(batch)
        if frames == 1 and any(weight for name, weight in self.weights.items() if name.endswith("temporal")):
            raise SettingsError("stage.loss.temporal compares frames of a clip: set data.frames=2 or more")
        batch = as_pictures(batch)
        if self.crop is not None:
            batch = crop_batch(batch, *self.crop, rng, self.crop_multiple)
        with self._dropout_seeded(batch_index):
            matte, terms = self.losses(batch, rng, frames)
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
        if self.weights.get(ERROR):
            health = measure_error_map(matte.coarse, batch["alpha"])
            self.log_dict({PREDICTED: health.predicted, TRUE: health.true, SHARE: health.share})
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Logs ``val/loss`` and collects :data:`SCORES`."""
        self._measure(batch, "val")

    def on_validation_epoch_end(self) -> None:
        """Logs every score as ``val/NAME``; the figures are those of the field (x 1e3 and so on)."""
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

    def _measure(self, batch: Batch, prefix: str) -> None:
        frames = count_frames(batch)
        batch = as_pictures(batch)
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
        """Dropout draws from torch's global generators, which are put back as they were."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            place = [self.seed, self.global_step, self.global_rank, batch_index]
            torch.manual_seed(int(np.random.SeedSequence(place).generate_state(1)[0]))
            yield


class CoarseModule(StageModule):
    """The base stage (Lin et al. 2021, section 5.2): the coarse network on samples at coarse resolution."""

    def losses(self, batch: Batch, rng: np.random.Generator | None, frames: int = 1) -> tuple[Matte, dict[str, Tensor]]:
        person = self.person_maps(batch, 1.0, rng)
        coarse = self.network.coarse_matte(batch["source"], batch["plate"], batch["coverage"], person, coarse_scale=1.0)
        with torch.autocast(self.device.type, enabled=False):
            return _whole(coarse), self.terms(coarse, batch, frames)

    def terms(self, coarse: CoarseMatte, batch: Batch, frames: int) -> dict[str, Tensor]:
        """Weighted loss terms of a coarse matte at the batch's size."""
        return coarse_losses(coarse, batch["alpha"], batch["foreground"], self.weights, frames)


class BaselineModule(CoarseModule):
    """The plain U-Net, with the paper's losses of alpha and foreground; it has no error map to train."""

    further_terms = ()


class RefineModule(StageModule):
    """The joint stage (Lin et al. 2021, section 5.2): coarse network and refiner on samples at full resolution.

    Args:
        network: as in :class:`StageModule`, with a refiner.
        optimiser: as there.
        loss: as there; terms at coarse scale have the prefix ``coarse_``.
        seed: as there.
        crop: as there.
        coarse_scales: the factor c is sampled from these for every step; validation takes the first.
        refine: which patches are refined while training.
        patches: how many of a picture's patches are refined while training, whatever the size of the crop; None refines
            the fraction that ``refine`` says.
    """

    crop_multiple = PATCH
    has_coarse_terms = True

    def __init__(
        self,
        network: MattingNetwork,
        optimiser: Optimiser,
        loss: Weights,
        seed: int = 0,
        crop: tuple[int, int] | None = None,
        coarse_scales: tuple[float, ...] = (4.0,),
        refine: RefineSettings = RefineSettings(),  # noqa: B008 (immutable)
        patches: int | None = None,
    ) -> None:
        super().__init__(network, optimiser, loss, seed, crop)
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
        """Which patches of pictures of a shape (..., H, W) are refined while training."""
        if self.patches is None:
            return self.refine
        height, width = (math.ceil(side / PATCH) for side in shape[-2:])
        return self.refine._replace(fraction=min(1.0, self.patches / (height * width)))


def _whole(coarse: CoarseMatte) -> Matte:
    return Matte(coarse.alpha, coarse.foreground, coarse, torch.zeros_like(coarse.error))


def count_frames(batch: Batch) -> int:
    """Pictures of each sample: T of (B, T, C, H, W), 1 of (B, C, H, W)."""
    source = batch["source"]
    return source.shape[1] if source.ndim == 5 else 1


def as_pictures(batch: Batch) -> Batch:
    """(B, C, H, W), or (B, T, C, H, W) as B T pictures, channels-last in memory."""
    return {name: image.flatten(0, -4).contiguous(memory_format=torch.channels_last) for name, image in batch.items()}
