"""The settings of ``train.py``: typed dataclasses, registered with Hydra as the schemas that ``configs/`` extends.

A schema has the name ``base_NAME`` in its group, and defines types and defaults. An option of the group, a YAML file,
extends it (``defaults: [base_NAME]``) with what differs. Does not import torch, so that mistyped settings are reported
at once.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf

from howard.errors import SettingsError
from howard.fields import did_you_mean
from howard.settings import DataNode, PathsNode
from howard.training.lightning_settings import CALLBACKS, LOGGERS, BudgetNode, ScalingNode, TrainerNode
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

Mode = StrEnum("Mode", ["train", "test"])


@dataclass
class SuiteNode:
    """The validation suite at the end of a run: ``limit`` composites per phenomenon, null for all; stills or clips too.

    See :func:`howard.training.suite_metrics.log_suite`; ``suite=null`` disables it.
    """

    limit: int | None = 24
    stills_only: bool = True


@dataclass
class TrainSettings:
    """Top-level settings of ``train.py``, beside the groups.

    Attributes:
        name: of the experiment; also the folder of its runs and their group in W&B.
        tags: of the run, for loggers.
        notes: a remark on the run, for loggers.
        mode: ``train``, or ``test`` to test ``ckpt_path`` on the test split.
        ckpt_path: checkpoint, weights file or run folder to test.
        seed: of initial weights, crops, dropout and samples.
        threads: of the network on a CPU; null uses all cores.
        init: initial weights: a run folder, a weights file or ``random``; null uses the newest coarse run that fits for
            a joint stage, and pretrained encoder weights for others.
        encoder_weights: a ``.pth`` file of ImageNet or DeepLabV3 weights, or ``imagenet``.
        resume: folder of a run to resume, or ``auto`` for the newest interrupted run.
        runs: folder of all runs.
        licence: written into the exported weights.
        extensions: Python modules, also in the working directory, that register encoders and loss terms.
        suite: the validation suite for the exported weights; null for none.
        stages: experiments to run one after the other in one process, each starting from the network of the one
            before; settings of the command line apply to each.
        budget: training for a given time.
        scaling: batch size and learning rates by device.
        tf32: whether CUDA devices compute float32 products in TF32.
        compile: whether the network is compiled.
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


# Schemas by group and name; members of the mappings ``callbacks`` and ``logger`` each have a schema.
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
    """Register every schema with Hydra."""
    store = ConfigStore.instance()
    store.store(name="base_train", node=TrainSettings)
    for group, schemas in SCHEMAS.items():
        for name, schema in schemas.items():
            store.store(group=group, name=f"base_{name}", node=schema)
    for group, schemas in MAPPINGS.items():
        for name, schema in schemas.items():
            store.store(group=group, name=f"base_{name}", node={name: schema})


def check_encoder_name(config: DictConfig) -> None:
    """Check the name of the encoder, which the schemas cannot express.

    Raises:
        SettingsError: in one line, if there is no such encoder.
    """
    encoder = OmegaConf.select(config, "model.encoder")
    if encoder is None or config.extensions or encoder in ENCODER_NAMES or encoder.startswith(TIMM_PREFIX):
        return
    raise SettingsError(f"model.encoder cannot be '{encoder}'{did_you_mean(encoder, ENCODER_NAMES)}")


register_schemas()
