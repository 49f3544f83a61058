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
    garbage: str | None = setting(
        None, "a mask of what is surely not the person: a still, or a frame for each of the shot's", is_path=True
    )
    holdout: str | None = setting(None, "the same of what surely is", is_path=True)
    alpha: str = setting("unmixed", "of soft edges: unmixed (as person and plate explain the source) or network")
    foreground: str = setting(
        "estimated", "colours of soft edges: estimated (from solid ones and the plate) or network"
    )
    preview: int | None = setting(None, "only this frame, with its report, into a folder of its own, in seconds")
    report: bool = setting(True, "also write report.html, a page that shows how the render came out")
    weights: str = setting("default", "name of weights that ship with Howard, or a weights file", is_path=True)
    device: str = setting("auto", "auto, cpu, cuda or mps")
    precision: str = setting("auto", "of the network: auto, fp32, bf16 (faster on many CPUs) or fp16 (GPUs)")
    quality: str = setting("standard", "how much work goes into a frame: fast, standard or best")
    threads: int | None = setting(None, "cores to keep busy; all if left out")
    input_colour: str | None = setting(None, "the shot's colours, where its tags are wrong: bt709, hlg, slog3, ...")
    plate_colour: str | None = setting(None, "the same for the plate")
    frame_rate: str | None = setting(None, "of a shot that is an image sequence, as 24 or 24000/1001; 24 if left out")
    exr_compression: str = setting("zip", "zip, piz or dwaa (smaller, not exact)")
    overwrite: bool = setting(False, "write into a folder that holds other files or another render")

    @property
    def output_folder(self) -> str:
        """Where the frames go: ``output``, or a folder called after the shot; previews go beside it."""
        folder = self.output or f"renders/{PurePath(self.input).stem}"
        return folder if self.preview is None else f"{folder}_preview"


ConfigStore.instance().store(name="infer_settings", node=InferSettings)


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


ConfigStore.instance().store(group="data", name="composites", node=DataNode)
