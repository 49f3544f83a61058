"""The settings of the training data, as a typed dataclass registered with Hydra.

No torch here: a mistyped setting is reported before anything slow is loaded.
"""

from dataclasses import dataclass, field

from hydra.core.config_store import ConfigStore


@dataclass
class DataNode:
    """People over places; see :class:`howard.data.datamodule.MattingDataModule`."""

    _target_: str = "howard.data.datamodule.MattingDataModule"
    root: str = "../shared/data"
    pack: str | None = None
    pack_memory_gb: float = 8.0
    people: list[str] = field(default_factory=lambda: ["people_real", "people_rendered"])
    shares: list[float] = field(default_factory=lambda: [0.6, 0.4])
    places: list[str] = field(default_factory=lambda: ["backgrounds", "plate_pairs"])
    prepared: list[str] = field(default_factory=list)
    prepared_share: float = 0.25
    licences: list[str] = field(default_factory=lambda: ["open", "by_sa", "gpl", "stock"])
    recipe: str = "paper"
    mixing: str | None = None
    strength: list[float] | None = None
    strength_samples: int = 0
    size: int = 512
    frames: int = 1
    batch_size: int | None = 8
    samples_per_epoch: int | None = None
    validation_samples: int = 96
    workers: int | None = 2
    seed: int = 0
    lessons: bool = False


ConfigStore.instance().store(group="data", name="composites", node=DataNode)
