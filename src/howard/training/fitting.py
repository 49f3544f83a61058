"""Fitting one training stage from its config, and exporting its weights. Does not import torch before it is needed."""

import os
import time
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from howard.machine import count_cores
from howard.training import run_folders
from howard.training.assembly import build, build_trainer, describe, import_extensions


class Fitted(NamedTuple):
    """A trained network, and its MAD (x 1e3) at the last validation."""

    network: Any
    mad: float


class Parts(NamedTuple):
    """A network, the LightningModule that trains or tests it, and its DataModule."""

    network: Any
    module: Any
    data: Any


def build_parts(config: DictConfig, data_stage: str = "fit") -> Parts:
    """Seed the global random number generators, set the number of threads, and build network, module and data.

    ``data_stage`` is Lightning's ``stage``: ``fit`` or ``test``.

    Raises:
        InputError: data is missing; checked before a run folder is created.
    """
    import cv2
    import torch
    from lightning import seed_everything

    cv2.setNumThreads(1)  # OpenCV's thread pool does not survive the fork of data workers
    seed_everything(config.seed, workers=True, verbose=False)
    # Torch's default respects the CPU affinity, but not the quota of a container.
    torch.set_num_threads(config.threads or min(torch.get_num_threads(), count_cores()))
    import_extensions(config.extensions)
    network = build(config.model)
    module = build(config.stage, network=network, optimiser=build(config.optimiser), seed=config.seed)
    data = build(config.data)
    data.setup(data_stage)
    return Parts(network, module, data)


def fit(config: DictConfig, run: Path, checkpoint: Path | None = None, trained: Any = None) -> Fitted:
    """Fit one stage in its run folder and export its weights.

    Args:
        config: of the stage.
        run: its run folder.
        checkpoint: to resume from, or None.
        trained: network of the preceding stage to start from, or None.

    Raises:
        KeyboardInterrupt: it was interrupted.
    """
    from howard.training.loggers import finish_tracking

    has_failed = True
    try:
        fitted = _fit(config, run, checkpoint, trained)
        has_failed = False
    finally:
        finish_tracking(has_failed)
    return fitted


def _fit(config: DictConfig, run: Path, checkpoint: Path | None, trained: Any) -> Fitted:
    from lightning.pytorch.utilities import rank_zero_only

    from howard.training.checkpoints import check_checkpoint_fits
    from howard.training.devices import apply_speed_settings, fit_to_device
    from howard.training.initial_weights import load_initial_weights
    from howard.training.run_end import FinishedRun, call_run_end

    started = time.monotonic()
    if checkpoint is None:
        fit_to_device(config)
    network, module, data = build_parts(config)
    if checkpoint is None:
        load_initial_weights(config, network, trained)
    else:
        check_checkpoint_fits(checkpoint, network)
    apply_speed_settings(config, network)
    os.environ["WANDB_DATA_DIR"] = str(run / "wandb")  # unsynced tables; by default in the home folder
    metadata = describe(config, module, data.recipe.mixing)
    trainer = build_trainer(config, run, metadata, started)
    if checkpoint is None and rank_zero_only.rank == 0:
        create_run_folder(run, config)
    try:
        trainer.fit(module, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    except SystemExit:  # raised by Lightning on Ctrl-C and SIGTERM
        export_interrupted(trainer, module, metadata, run)
        raise KeyboardInterrupt from None
    mad = last_mad(trainer, module, data)
    if trainer.is_global_zero:
        if not trainer.fast_dev_run:
            export(network.state_dict(), metadata, run / run_folders.EXPORTED)
            (run / run_folders.LAST).unlink(missing_ok=True)
            suite = measure_on_suite(config, trainer, run)
            call_run_end(trainer, FinishedRun(run, config.name, metadata, run_folders.git_revision(), suite))
        print(f"validation MAD {mad:.2f} (x 1e3)")
    return Fitted(network, mad)


def last_mad(trainer: Any, module: Any, data: Any) -> float:
    """Validation MAD (x 1e3) of the trained network.

    Of the last validation if that was at the last step of a time budget, else of a new validation.
    """
    from howard.training.budget import find_budget

    budget = find_budget(trainer)
    if budget is not None and budget.validated_step == trainer.global_step:
        return float(trainer.callback_metrics["val/mad"])
    [metrics] = trainer.validate(module, datamodule=data, verbose=False)
    return float(metrics["val/mad"])


def create_run_folder(run: Path, config: DictConfig) -> None:
    """Create a run folder with the settings and the commit."""
    run.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(config, run / run_folders.SETTINGS)
    (run / run_folders.REVISION).write_text(run_folders.git_revision(), encoding="utf-8")


def export(state: dict[str, Any], metadata: Any, path: Path) -> None:
    """Write the weights file that ``howard.matting.load_matting`` opens."""
    from howard.matting import save_weights

    save_weights(path, state, metadata)
    print(f"weights: {path}")


def export_interrupted(trainer: Any, module: Any, metadata: Any, run: Path) -> None:
    """Export the current weights of an interrupted run, which can still be resumed."""
    from howard.training.checkpoints import exported_state

    if trainer.is_global_zero and trainer.global_step and not trainer.fast_dev_run:
        export(exported_state(trainer, module), metadata, run / run_folders.LAST)


def measure_on_suite(config: DictConfig, trainer: Any, run: Path) -> dict[str, float]:
    """Log metrics of the exported weights on the validation suite, unless ``suite=null``; returns what was logged."""
    options = config.suite
    if options is None:
        return {}
    from howard.training.suite_metrics import log_suite

    root, workers = Path(config.data.root), config.data.workers
    return log_suite(run, root, trainer, limit=options.limit, stills_only=options.stills_only, workers=workers)
