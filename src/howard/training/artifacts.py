"""Artifacts of a finished run, as files and in W&B: weights with model card, data version, settings."""

from pathlib import Path
from typing import Any

from lightning import Trainer
from lightning.pytorch.loggers import WandbLogger

from howard.data.data_version import DataSelection, DataVersion, data_version
from howard.data.datamodule import MattingDataModule
from howard.errors import InputError
from howard.media import write_atomically
from howard.training import model_card
from howard.training.checkpoints import BestWeights
from howard.training.model_card import ModelCard, TrainingFacts
from howard.training.run_end import FinishedRun, RunEndCallback
from howard.training.run_folders import BEST, CHECKPOINT, EXPORTED, REVISION, SETTINGS, SUITE

DATA_FILE = "data_version.json"
_SUITE_MEAN = "suite/mean/"


class Artifacts(RunEndCallback):
    """Writes ``model_card.md`` and ``data_version.json`` into the run folder, and logs artifacts to W&B.

    * ``EXPERIMENT-weights``, type model: the exported weights, the best weights if kept, model card, ``suite.json``;
    * ``howard-data``, type dataset: the data version;
    * ``EXPERIMENT-config``, type config: the composed settings and the revision of the code.

    The model's metadata has the revision, whether the code was changed, metrics, the digest of the data, and the paths
    of the last checkpoint and the best weights, which are not uploaded. An artifact with unchanged content keeps its
    version. Offline, artifacts are kept in the run folder until ``wandb sync``.
    """

    def on_run_end(self, trainer: Trainer, run: FinishedRun) -> None:
        card = make_card(trainer, run)
        write_atomically(run.folder / model_card.FILE, card.text().encode())
        if card.data is not None:
            write_atomically(run.folder / DATA_FILE, card.data.to_json().encode())
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                log_artifacts(logger, run, card)


def make_card(trainer: Trainer, run: FinishedRun) -> ModelCard:
    """The model card of the finished run."""
    module: Any = trainer.lightning_module
    data: Any = trainer.datamodule  # type: ignore[attr-defined]
    facts = TrainingFacts(
        revision=run.revision,
        steps=trainer.global_step,
        batch_size=data.batch_size,
        precision=str(trainer.precision),
        device=trainer.strategy.root_device.type,
        parameters=sum(each.numel() for each in module.network.parameters()),
    )
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("val/")}
    metrics |= {name: value for name, value in run.suite.items() if name.startswith(_SUITE_MEAN)}
    return ModelCard(run.metadata, facts, find_version(data), metrics, find_checkpoints(trainer, run.folder))


def find_version(data: MattingDataModule) -> DataVersion | None:
    """The version of a run's data; None, with a printed message, if the data is no longer there."""
    names = data.people_names, data.place_names, data.prepared_names
    try:
        return data_version(DataSelection(data.root, data.pack, *names, data.licences))
    except InputError as error:
        print(f"data version unknown: {error}")
        return None


def find_checkpoints(trainer: Trainer, folder: Path) -> dict[str, str]:
    """Paths, relative to the run folder, of the last checkpoint and the best weights, if kept."""
    found = {"last checkpoint": CHECKPOINT.as_posix()} if (folder / CHECKPOINT).is_file() else {}
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, BestWeights) and (folder / BEST).is_file():
            found[f"best weights ({callback.monitor} {callback.value:.4g})"] = BEST
    return found


def log_artifacts(logger: WandbLogger, run: FinishedRun, card: ModelCard) -> None:
    """Log the artifacts of a run to W&B, from the files in its folder; see :class:`Artifacts`."""
    folder = run.folder
    metadata = card.values() | {"folder": str(folder)}
    model_files = [EXPORTED, BEST, model_card.FILE, SUITE]
    _log(logger, f"{run.experiment}-weights", "model", [folder / name for name in model_files], metadata)
    if card.data is not None:
        origin = {"digest": card.data.digest, "pack": card.data.pack}
        _log(logger, "howard-data", "dataset", [folder / DATA_FILE], origin)
    code = {"revision": run.revision, "dirty": card.facts.is_dirty}
    _log(logger, f"{run.experiment}-config", "config", [folder / SETTINGS, folder / REVISION], code)


def _log(logger: WandbLogger, name: str, kind: str, files: list[Path], metadata: dict[str, Any]) -> None:
    """Log an artifact of the files that exist; W&B keeps copies until they are uploaded."""
    import wandb

    artifact = wandb.Artifact(name, kind, metadata=metadata)
    for file in files:
        if file.is_file():
            artifact.add_file(str(file), skip_cache=True)
    logger.experiment.log_artifact(artifact)
