"""The settings of what is done beside training, as typed dataclasses; see :mod:`howard.training.settings`."""

from dataclasses import dataclass, field


@dataclass
class CheckpointsNode:
    """See :class:`howard.training.checkpoints.Checkpoints`."""

    _target_: str = "howard.training.checkpoints.Checkpoints"
    every_n_steps: int = 100


@dataclass
class PanelNode:
    """See :class:`howard.training.panels.ValidationPanel`."""

    _target_: str = "howard.training.panels.ValidationPanel"
    rows: int = 6


@dataclass
class TimelapseNode:
    """See :class:`howard.training.timelapse.Timelapse`."""

    _target_: str = "howard.training.timelapse.Timelapse"
    every_n_steps: int = 25


@dataclass
class EmaNode:
    """See :func:`howard.training.averaging.ema`."""

    _target_: str = "howard.training.averaging.ema"
    decay: float = 0.995


@dataclass
class CallbacksNode:
    """What is done beside training, in this order."""

    checkpoints: CheckpointsNode = field(default_factory=CheckpointsNode)
    panel: PanelNode = field(default_factory=PanelNode)
    timelapse: TimelapseNode = field(default_factory=TimelapseNode)


@dataclass
class EmaCallbacksNode(CallbacksNode):
    """The same with a running mean; it comes last, so that pictures of a validation show what was validated."""

    ema: EmaNode = field(default_factory=EmaNode)


@dataclass
class ThroughputNode:
    """See :class:`howard.training.throughput.Throughput`."""

    _target_: str = "howard.training.throughput.Throughput"


@dataclass
class BestNode:
    """See :class:`howard.training.best.BestWeights`."""

    _target_: str = "howard.training.best.BestWeights"
    _partial_: bool = True
    monitor: str = "val/mad"


@dataclass
class TimedCallbacksNode:
    """For runs with a time budget: nothing that takes time for pictures alone, but speed and the best weights."""

    checkpoints: CheckpointsNode = field(default_factory=CheckpointsNode)
    panel: PanelNode = field(default_factory=PanelNode)
    throughput: ThroughputNode = field(default_factory=ThroughputNode)
    best: BestNode = field(default_factory=BestNode)
    ema: EmaNode = field(default_factory=EmaNode)
