"""The settings of ``train.py``: typed dataclasses, registered with Hydra as the schemas that ``configs/`` extends.

A schema is called ``base_NAME`` in its group. It has the types and the defaults; an option of the group, a YAML file,
extends it (``defaults: [base_NAME]``) and says what differs. No torch here: a mistyped setting is reported before
anything slow is loaded.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf

from howard.errors import SettingsError
from howard.fields import did_you_mean
from howard.settings import DataNode, PathsNode
from howard.training.callback_settings import CALLBACKS
from howard.training.logger_settings import LOGGERS
from howard.training.network_settings import (
    ENCODER_NAMES,
    TIMM_PREFIX,
    AdamNode,
    BaselineNetworkNode,
    BaselineStageNode,
    CoarseStageNode,
    MattingNetworkNode,
    RefineStageNode,
)
from howard.training.trainer_settings import BudgetNode, ScalingNode, TrainerNode

Mode = StrEnum("Mode", ["train", "test"])


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

    ``name`` is that of the experiment: the run's folder, and its group in W&B; ``tags`` and ``notes`` say what a run is
    about. ``mode=test`` measures the checkpoint or weights file ``ckpt_path`` on the test split instead of training.
    ``seed`` is of weights, crops, dropout and samples; ``threads`` are the network's on a CPU, all if null. ``init`` is
    what the network starts from, a run folder, weights or ``random``; if null, a joint stage takes the newest coarse
    run that fits. ``encoder_weights`` is a ``.pth`` of ImageNet or DeepLabV3 weights, or ``imagenet``. ``resume`` is
    the folder of a run to go on with, or ``auto`` for the newest interrupted one. ``runs`` is the folder of all runs,
    and ``licence`` is written into the exported weights. ``extensions`` are Python modules, those in the working
    directory included, that are imported first and register encoders and loss terms. ``suite`` says how much of the
    validation suite the exported weights are measured on, null for none. ``stages`` are experiments that are run one
    after the other in one process, each going on from the network of the one before; what is set on the command line is
    set in each. ``tf32`` lets CUDA devices compute in TF32, and ``compile`` compiles the network.
    """

    name: str = "unnamed"
    tags: list[str] = field(default_factory=list)
    notes: str | None = None
    mode: Mode = Mode.train
    ckpt_path: str | None = None
    seed: int = 0
    threads: int | None = None
    init: str | None = None
    encoder_weights: str | None = None
    resume: str | None = None
    runs: str = MISSING
    licence: str = "MIT"
    extensions: list[str] = field(default_factory=list)
    suite: SuiteNode | None = field(default_factory=SuiteNode)
    stages: list[str] = field(default_factory=list)
    budget: BudgetNode = field(default_factory=BudgetNode)
    scaling: ScalingNode = field(default_factory=ScalingNode)
    tf32: bool = False
    compile: bool = False
    paths: Any = MISSING
    model: Any = MISSING
    stage: Any = MISSING
    optimiser: Any = MISSING
    data: Any = MISSING
    trainer: Any = MISSING
    logger: Any = MISSING
    callbacks: Any = MISSING


# Schemas by group and name; ``callbacks`` and ``logger`` are mappings of such.
SCHEMAS: dict[str, dict[str, type]] = {
    "model": {"matting": MattingNetworkNode, "unet": BaselineNetworkNode},
    "stage": {"coarse": CoarseStageNode, "refine": RefineStageNode, "baseline": BaselineStageNode},
    "optimiser": {"adam": AdamNode},
    "data": {"composites": DataNode},
    "paths": {"paths": PathsNode},
    "trainer": {"lightning": TrainerNode},
}
MAPPINGS: dict[str, dict[str, type]] = {"callbacks": CALLBACKS, "logger": LOGGERS}


def register_schemas() -> None:
    """Make every schema known to Hydra."""
    store = ConfigStore.instance()
    store.store(name="base_train", node=TrainSettings)
    for group, schemas in SCHEMAS.items():
        for name, schema in schemas.items():
            store.store(group=group, name=f"base_{name}", node=schema)
    for group, schemas in MAPPINGS.items():
        for name, schema in schemas.items():
            store.store(group=group, name=f"base_{name}", node={name: schema})


def check_settings(config: DictConfig) -> None:
    """Refuse what can be seen to be wrong before anything slow is loaded: for now, encoders that nobody has.

    Raises:
        SettingsError: in one line.
    """
    encoder = OmegaConf.select(config, "model.encoder")
    if encoder is None or config.extensions or encoder in ENCODER_NAMES or encoder.startswith(TIMM_PREFIX):
        return
    raise SettingsError(f"model.encoder cannot be '{encoder}'{did_you_mean(encoder, ENCODER_NAMES)}")


register_schemas()
