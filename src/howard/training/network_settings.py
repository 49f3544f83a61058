"""Settings of networks, training stages and optimisers as typed dataclasses.

See :mod:`howard.training.train_settings`.
"""

from dataclasses import dataclass, field
from enum import StrEnum

# Repeated here so that names are checked without importing torch.
ENCODER_NAMES = ("resnet50", "resnet101", "mobilenetv2", "efficientnet_lite0")
TIMM_PREFIX = "timm/"
RefineModeName = StrEnum("RefineModeName", ["sampling", "thresholding", "full"])
ScheduleName = StrEnum("ScheduleName", ["constant", "cosine"])


@dataclass
class MattingNetworkNode:
    """The network of Lin et al. 2021, with or without its refiner. See :class:`howard.matting.MattingNetwork`."""

    _target_: str = "howard.matting.MattingNetwork"
    encoder: str = "resnet50"
    aspp_channels: int = 256
    decoder_widths: list[int] = field(default_factory=lambda: [128, 64, 48])
    extra_inputs: list[str] = field(default_factory=list)
    has_refiner: bool = False
    person_prior: bool = False


@dataclass
class BaselineNetworkNode:
    """A plain U-Net; see :class:`howard.matting.BaselineNetwork`."""

    _target_: str = "howard.matting.BaselineNetwork"
    widths: list[int] = field(default_factory=lambda: [32, 64, 128, 256])


@dataclass
class RefineNode:
    """Selection of the patches that are refined; see :class:`howard.matting.RefineSettings`."""

    _target_: str = "howard.matting.RefineSettings"
    mode: RefineModeName = RefineModeName.sampling
    fraction: float = 5000 / (480 * 270)
    threshold: float = 0.1


# Loss terms of the paper, and optional ones; see :mod:`howard.matting.losses`.
_PAPER_TERMS = ("alpha", "alpha_gradient", "foreground")
_OTHER_TERMS = ("laplacian", "temporal", "composition")


def matte_weights(prefix: str = "") -> dict[str, float]:
    """Weights of one matte's loss terms: 1 for those of the paper (Lin et al. 2021, section 4.3), 0 for the others."""
    return {f"{prefix}{name}": 1.0 for name in _PAPER_TERMS} | {f"{prefix}{name}": 0.0 for name in _OTHER_TERMS}


def coarse_weights() -> dict[str, float]:
    """Loss weights of the base stage."""
    return matte_weights() | {"error": 1.0, "segmentation": 0.0}


def joint_weights() -> dict[str, float]:
    """Loss weights of the joint stage, whose terms at coarse scale have the prefix ``coarse_``."""
    return matte_weights() | matte_weights("coarse_") | {"error": 1.0, "segmentation": 0.0}


@dataclass
class StageNode:
    """Settings of every stage.

    Attributes:
        crop: smallest and largest side of the random crop in pixels; null does not crop.
        frozen_statistics: whether batch norms use their running means and variances, and dropout is off.
    """

    crop: list[int] | None = None
    frozen_statistics: bool = False


@dataclass
class CoarseStageNode(StageNode):
    """The base stage; see :class:`howard.training.modules.CoarseModule`."""

    _target_: str = "howard.training.modules.CoarseModule"
    loss: dict[str, float] = field(default_factory=coarse_weights)


@dataclass
class RefineStageNode(StageNode):
    """The joint stage; see :class:`howard.training.modules.RefineModule`."""

    _target_: str = "howard.training.modules.RefineModule"
    loss: dict[str, float] = field(default_factory=joint_weights)
    coarse_scales: list[float] = field(default_factory=lambda: [4.0])
    refine: RefineNode = field(default_factory=RefineNode)
    patches: int | None = None


@dataclass
class BaselineStageNode(StageNode):
    """The plain U-Net's only stage; see :class:`howard.training.modules.BaselineModule`."""

    _target_: str = "howard.training.modules.BaselineModule"
    loss: dict[str, float] = field(default_factory=matte_weights)


@dataclass
class PartLearningRatesNode:
    """Adam's learning rate of each part; null for parts that the network lacks."""

    encoder: float | None = None
    aspp: float | None = None
    decoder: float | None = None
    refiner: float | None = None
    person: float | None = None
    segmentation: float | None = None


@dataclass
class AdamNode:
    """Adam with a learning rate for each part; see :func:`howard.training.optimiser.adam`."""

    _target_: str = "howard.training.optimiser.adam"
    _partial_: bool = True
    learning_rates: PartLearningRatesNode = field(default_factory=PartLearningRatesNode)
    schedule: ScheduleName = ScheduleName.constant
    warmup_steps: int = 0
