"""The settings of the commands, as typed dataclasses: names, types, defaults and what each is for, said once.

No torch here: a mistyped setting is reported before anything slow is loaded.
"""

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING


def setting(default: Any, doc: str, is_path: bool = False) -> Any:
    """A dataclass field with the line that the help page says of it.

    ``default=MISSING`` makes it required; in a path, a leading ``~/`` will mean home.
    """
    return field(default=default, metadata={"doc": doc, "is_path": is_path})


@dataclass
class InferSettings:
    """What ``infer.py`` can be told."""

    input: str = setting(
        MISSING, "the shot: a video, an image sequence or a still of a person in a place", is_path=True
    )
    plate: str = setting(MISSING, "the same place, empty: a video filmed with a similar move, or a still", is_path=True)
    output: str | None = setting(None, "folder for what is written; renders/NAME OF THE SHOT if left out", is_path=True)
    frames: str | None = setting(None, "only these frames, as 100-200 (both included) or 7; all if left out")
    format: str = setting("png", "png, png16, exr, prores, ffv1, webm, matte or composite")
    background: str | None = setting(
        None, "also lay the person over this: still, video, #rrggbb, green, ...", is_path=True
    )
    weights: str = setting("default", "name of weights that ship with Howard, or a weights file", is_path=True)
    device: str = setting("auto", "auto, cpu, cuda or mps")
    precision: str = setting("auto", "of the network: auto, fp32, bf16 (faster on many CPUs) or fp16 (GPUs)")
    quality: str = setting("standard", "of the plate's alignment: fast, standard or best")
    input_colour: str | None = setting(None, "the shot's colours, where its tags are wrong: bt709, hlg, slog3, ...")
    plate_colour: str | None = setting(None, "the same for the plate")
    frame_rate: str | None = setting(None, "of a shot that is an image sequence, as 24 or 24000/1001; 24 if left out")
    exr_compression: str = setting("zip", "zip, piz or dwaa (smaller, not exact)")
    overwrite: bool = setting(False, "write into a folder that holds other files or another render")

    @property
    def output_folder(self) -> str:
        """Where the frames go: ``output``, or a folder called after the shot."""
        return self.output or f"renders/{PurePath(self.input).stem}"


ConfigStore.instance().store(name="infer", node=InferSettings)


@dataclass
class RefineNode:
    """Which patches are refined; see :class:`howard.matting.RefineSettings`."""

    _target_: str = "howard.matting.RefineSettings"
    mode: str = "sampling"
    fraction: float = 5000 / (480 * 270)
    threshold: float = 0.1


@dataclass
class NetworkNode:
    """Architecture; the defaults are the paper's ResNet-50 network. See :class:`howard.matting.MattingNetwork`."""

    _target_: str = "howard.matting.MattingNetwork"
    encoder: str = "resnet50"
    aspp_channels: int = 256
    decoder_widths: list[int] = field(default_factory=lambda: [128, 64, 48])
    extra_inputs: list[str] = field(default_factory=list)
    has_refiner: bool = False


@dataclass
class RatesNode:
    """Adam's learning rates of the base stage (Lin et al. 2021, section 5.2)."""

    encoder: float = 1e-4
    aspp: float = 5e-4
    decoder: float = 5e-4


@dataclass
class JointRatesNode:
    """Adam's learning rates of the joint stage (Lin et al. 2021, section 5.2)."""

    encoder: float = 5e-5
    aspp: float = 5e-5
    decoder: float = 1e-4
    refiner: float = 3e-4


@dataclass
class CoarseNode:
    """The base stage; see :class:`howard.training.CoarseModule`."""

    _target_: str = "howard.training.CoarseModule"
    network: NetworkNode = field(default_factory=NetworkNode)
    rates: RatesNode = field(default_factory=RatesNode)
    schedule: str = "constant"
    warmup_steps: int = 0
    crop: list[int] | None = field(default_factory=lambda: [256, 512])


@dataclass
class RefineStageNode:
    """The joint stage; see :class:`howard.training.RefineModule`."""

    _target_: str = "howard.training.RefineModule"
    network: NetworkNode = field(default_factory=lambda: NetworkNode(has_refiner=True))
    rates: JointRatesNode = field(default_factory=JointRatesNode)
    coarse_scales: list[float] = field(default_factory=lambda: [4.0])
    refine: RefineNode = field(default_factory=RefineNode)
    schedule: str = "constant"
    warmup_steps: int = 0
    crop: list[int] | None = field(default_factory=lambda: [1024, 2048])


@dataclass
class DataNode:
    """People over places; see :class:`howard.data.datamodule.MattingDataModule`."""

    _target_: str = "howard.data.datamodule.MattingDataModule"
    root: str = "../shared/data"
    people: list[str] = field(default_factory=lambda: ["people_real", "people_rendered"])
    shares: list[float] = field(default_factory=lambda: [0.6, 0.4])
    places: list[str] = field(default_factory=lambda: ["backgrounds", "plate_pairs"])
    licences: list[str] = field(default_factory=lambda: ["open", "by_sa", "gpl", "stock"])
    recipe: str = "paper"
    mixing: str | None = None
    size: int = 512
    batch_size: int = 8
    samples_per_epoch: int | None = None
    validation_samples: int = 96
    workers: int = 2
    seed: int = 0


@dataclass
class TrainerNode:
    """Lightning's trainer."""

    _target_: str = "lightning.Trainer"
    max_epochs: int | None = None
    max_steps: int = -1
    accelerator: str = "auto"
    devices: str = "auto"
    precision: str = "16-mixed"
    gradient_clip_val: float | None = None
    check_val_every_n_epoch: int = 1
    log_every_n_steps: int = 10
    limit_train_batches: int | None = None
    limit_val_batches: int | None = None
    # Samples are drawn anew for every epoch, and validation pictures start before the first step by themselves.
    reload_dataloaders_every_n_epochs: int = 1
    num_sanity_val_steps: int = 0
    fast_dev_run: bool = False


@dataclass
class TrainSettings:
    """What ``train.py`` can be told, beside the groups ``model``, ``data`` and ``trainer``."""

    name: str = setting("unnamed", "of the experiment: the run's folder, and its group in W&B")
    seed: int = setting(0, "of weights, crops and samples")
    threads: int | None = setting(None, "CPU threads of the network; all if left out")
    init: str | None = setting(
        None, "joint stage: run folder or weights to start from; the newest coarse run if left out"
    )
    encoder_weights: str | None = setting(None, "coarse stage: a .pth of ImageNet weights, or imagenet")
    resume: str | None = setting(None, "folder of an interrupted run to go on with; takes no other setting")
    runs: str = setting("runs", "folder of all runs")
    ema: float | None = setting(None, "decay of the running mean of the weights; none if left out")
    checkpoint_steps: int = setting(100, "steps between checkpoints")
    wandb: str = setting("offline", "offline, online or disabled")
    licence: str = setting("MIT", "written into the exported weights")
    model: Any = MISSING
    data: DataNode = field(default_factory=DataNode)
    trainer: TrainerNode = field(default_factory=TrainerNode)


ConfigStore.instance().store(name="train_settings", node=TrainSettings)
ConfigStore.instance().store(group="model", name="coarse", node=CoarseNode)
ConfigStore.instance().store(group="model", name="refine", node=RefineStageNode)
