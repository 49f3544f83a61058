"""The settings of ``train.py``, as typed dataclasses: a group of nodes for each thing that a run is put together from.

Defaults are said here, and YAML files only differ from them. No torch here: a mistyped setting is reported before
anything slow is loaded.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from howard.training.callback_settings import CallbacksNode, EmaCallbacksNode, TimedCallbacksNode

# Names that are checked before what they name is loaded.
EncoderName = StrEnum("EncoderName", ["resnet50", "resnet101", "mobilenetv2", "efficientnet_lite0"])
RefineModeName = StrEnum("RefineModeName", ["sampling", "thresholding", "full"])
ScheduleName = StrEnum("ScheduleName", ["constant", "cosine"])
WandbMode = StrEnum("WandbMode", ["offline", "online"])


@dataclass
class CoarseNetworkNode:
    """The network without its refiner; the defaults are the paper's. See :class:`howard.matting.MattingNetwork`."""

    _target_: str = "howard.matting.MattingNetwork"
    encoder: EncoderName = EncoderName.resnet50
    aspp_channels: int = 256
    decoder_widths: list[int] = field(default_factory=lambda: [128, 64, 48])
    extra_inputs: list[str] = field(default_factory=list)
    has_refiner: bool = False
    person_prior: bool = False


@dataclass
class RefineNetworkNode(CoarseNetworkNode):
    """The whole network."""

    has_refiner: bool = True


@dataclass
class BaselineNetworkNode:
    """A plain U-Net; see :class:`howard.matting.BaselineNetwork`."""

    _target_: str = "howard.matting.BaselineNetwork"
    widths: list[int] = field(default_factory=lambda: [32, 64, 128, 256])


@dataclass
class RefineNode:
    """Which patches are refined; see :class:`howard.matting.RefineSettings`."""

    _target_: str = "howard.matting.RefineSettings"
    mode: RefineModeName = RefineModeName.sampling
    fraction: float = 5000 / (480 * 270)
    threshold: float = 0.1


@dataclass
class CoarseStageNode:
    """The base stage; see :class:`howard.training.modules.CoarseModule`."""

    _target_: str = "howard.training.modules.CoarseModule"
    crop: list[int] | None = field(default_factory=lambda: [256, 512])
    segmentation_weight: float = 0.0


@dataclass
class RefineStageNode:
    """The joint stage; see :class:`howard.training.modules.RefineModule`."""

    _target_: str = "howard.training.modules.RefineModule"
    crop: list[int] | None = field(default_factory=lambda: [1024, 2048])
    segmentation_weight: float = 0.0
    coarse_scales: list[float] = field(default_factory=lambda: [4.0])
    refine: RefineNode = field(default_factory=RefineNode)


@dataclass
class BaselineStageNode:
    """The plain U-Net's only stage; see :class:`howard.training.modules.BaselineModule`."""

    _target_: str = "howard.training.modules.BaselineModule"
    crop: list[int] | None = None


@dataclass
class BaseRatesNode:
    """Adam's learning rates of the base stage (Lin et al. 2021, section 5.2); null for a part that there is not."""

    encoder: float = 1e-4
    aspp: float = 5e-4
    decoder: float = 5e-4
    refiner: float | None = None
    person: float | None = None
    segmentation: float | None = None


@dataclass
class JointRatesNode:
    """Adam's learning rates of the joint stage (Lin et al. 2021, section 5.2); null for a part that there is not."""

    encoder: float = 5e-5
    aspp: float = 5e-5
    decoder: float = 1e-4
    refiner: float = 3e-4
    person: float | None = None
    segmentation: float | None = None


@dataclass
class BaselineRatesNode:
    """Adam's learning rates of the plain U-Net."""

    encoder: float = 1e-3
    decoder: float = 1e-3


@dataclass
class AdamNode:
    """Adam with a learning rate for each part; see :func:`howard.training.optimiser.adam`."""

    _target_: str = "howard.training.optimiser.adam"
    _partial_: bool = True
    rates: Any = MISSING
    schedule: ScheduleName = ScheduleName.constant
    warmup_steps: int = 0


@dataclass
class BaseAdamNode(AdamNode):
    """Of the base stage."""

    rates: BaseRatesNode = field(default_factory=BaseRatesNode)


@dataclass
class JointAdamNode(AdamNode):
    """Of the joint stage."""

    rates: JointRatesNode = field(default_factory=JointRatesNode)


@dataclass
class BaselineAdamNode(AdamNode):
    """Of the plain U-Net."""

    rates: BaselineRatesNode = field(default_factory=BaselineRatesNode)


@dataclass
class TrainerNode:
    """Lightning's trainer."""

    _target_: str = "lightning.Trainer"
    max_epochs: int | None = None
    max_steps: int = -1
    accelerator: str = "auto"
    devices: str = "auto"
    num_nodes: int = 1
    strategy: str = "auto"
    sync_batchnorm: bool = False
    precision: str = "16-mixed"
    accumulate_grad_batches: int = 1
    gradient_clip_val: float | None = None
    check_val_every_n_epoch: int = 1
    val_check_interval: Any = None
    benchmark: bool | None = None
    log_every_n_steps: int = 10
    limit_train_batches: int | None = None
    limit_val_batches: int | None = None
    # Validation pictures start before the first step by themselves.
    num_sanity_val_steps: int = 0
    enable_progress_bar: bool = True
    fast_dev_run: bool = False


@dataclass
class DdpTrainerNode(TrainerNode):
    """One process for each GPU, on one machine or several; batch norm over all of them."""

    strategy: str = "ddp"
    sync_batchnorm: bool = True


@dataclass
class CsvNode:
    """Figures as CSV; see :func:`howard.training.loggers.csv_loggers`."""

    _target_: str = "howard.training.loggers.csv_loggers"
    _partial_: bool = True


@dataclass
class WandbNode:
    """Figures as CSV, and with pictures in W&B; see :func:`howard.training.loggers.wandb_loggers`."""

    _target_: str = "howard.training.loggers.wandb_loggers"
    _partial_: bool = True
    mode: WandbMode = WandbMode.offline
    project: str = "howard"
    entity: str | None = None


@dataclass
class BudgetNode:
    """Training by the clock; see :class:`howard.training.budget.TimeBudget`.

    ``minutes`` are those of the whole run, start and last validation included, null for training by steps or epochs.
    A run of several stages has ``minutes`` for all together, and each stage has a ``share`` of them, in proportion to
    those of the others. There are ``validations`` in that time, evenly spread.
    """

    minutes: float | None = None
    share: float = 1.0
    validations: int = 3


@dataclass
class ScalingNode:
    """Batch size and learning rates by device; see :class:`howard.training.devices.BatchPlan`.

    ``batch_sizes`` are by device (cpu, cuda, mps) and count where ``data.batch_size`` is null. ``base_batch_size`` is
    how many samples a step the learning rates and the average's decay are meant for; null leaves these as they are.
    """

    base_batch_size: int | None = None
    power: float = 1.0
    batch_sizes: dict[str, int] = field(default_factory=dict)


@dataclass
class SuiteNode:
    """The validation suite at the end of a run: so many composites a phenomenon, with clips or without.

    See :func:`howard.training.suite_figures.log_suite`; ``suite=null`` leaves it out.
    """

    limit: int | None = 24
    stills_only: bool = True


@dataclass
class TrainSettings:
    """What ``train.py`` can be told: these, and the groups.

    ``name`` is that of the experiment: the run's folder, and its group in W&B. ``seed`` is of weights, crops, dropout
    and samples; ``threads`` are the network's on a CPU, all if null. ``init`` is what the network starts from, a run
    folder, weights or ``random``; if null, a joint stage takes the newest coarse run that fits. ``encoder_weights`` is
    a ``.pth`` of ImageNet weights, or ``imagenet``. ``resume`` is the folder of an interrupted run, or ``auto`` for the
    newest. ``runs`` is the folder of all runs, and ``licence`` is written into the exported weights. ``suite`` says how
    much of the validation suite the exported weights are measured on, null for none. ``stages`` are experiments that
    are run one after the other in one process, each going on from the network of the one before; what is set on the
    command line is set in each. ``tf32`` lets CUDA devices compute in TF32, and ``compile`` compiles the network.
    """

    name: str = "unnamed"
    seed: int = 0
    threads: int | None = None
    init: str | None = None
    encoder_weights: str | None = None
    resume: str | None = None
    runs: str = "runs"
    licence: str = "MIT"
    suite: SuiteNode | None = field(default_factory=SuiteNode)
    stages: list[str] = field(default_factory=list)
    budget: BudgetNode = field(default_factory=BudgetNode)
    scaling: ScalingNode = field(default_factory=ScalingNode)
    tf32: bool = False
    compile: bool = False
    model: Any = MISSING
    stage: Any = MISSING
    optimiser: Any = MISSING
    data: Any = MISSING
    trainer: Any = MISSING
    logger: Any = MISSING
    callbacks: Any = MISSING


GROUPS: dict[str, dict[str, type]] = {
    "model": {"coarse": CoarseNetworkNode, "refine": RefineNetworkNode, "baseline": BaselineNetworkNode},
    "stage": {"coarse": CoarseStageNode, "refine": RefineStageNode, "baseline": BaselineStageNode},
    "optimiser": {"base": BaseAdamNode, "joint": JointAdamNode, "baseline": BaselineAdamNode},
    "trainer": {"single": TrainerNode, "ddp": DdpTrainerNode},
    "logger": {"csv": CsvNode, "wandb": WandbNode},
    "callbacks": {"plain": CallbacksNode, "ema": EmaCallbacksNode, "timed": TimedCallbacksNode},
}
ConfigStore.instance().store(name="train_settings", node=TrainSettings)
for _group, _options in GROUPS.items():
    for _name, _node in _options.items():
        ConfigStore.instance().store(group=_group, name=_name, node=_node)
