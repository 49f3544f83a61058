"""Fitting one stage, or several one after the other in one process, from their configs."""

import os
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from howard.command_name import TRAIN
from howard.cores import count_cores
from howard.training import folders, stages
from howard.training.assembly import (
    build,
    build_trainer,
    choose_first_weights,
    describe,
    fit_to_device,
    import_extensions,
    speed_up,
)
from howard.training.stored_settings import load_settings, load_stages


class Fitted(NamedTuple):
    """A trained network, and its MAD (x 1e3) at the last validation."""

    network: Any
    mad: float


class Parts(NamedTuple):
    """A network, the stage that trains or measures it, and the data it is shown."""

    network: Any
    module: Any
    data: Any


def build_parts(config: DictConfig, data_stage: str = "fit") -> Parts:
    """Seed everything, set the number of threads, and build what a run is made of.

    Missing data is an InputError here, before a run folder is made. ``data_stage`` is Lightning's: ``fit``, ``test``.
    """
    import cv2
    import torch
    from lightning import seed_everything

    cv2.setNumThreads(1)  # workers are forked, and OpenCV's thread pool does not survive that
    seed_everything(config.seed, workers=True, verbose=False)
    # Torch's own choice follows the affinity, but no quota of a container.
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
        run: its folder.
        checkpoint: to go on from, or None.
        trained: network of the stage before, to start from, or None.

    Raises:
        KeyboardInterrupt: it was stopped.
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

    from howard.training.checkpoints import check_checkpoint
    from howard.training.run_end import FinishedRun, call_run_end

    started = time.monotonic()
    if checkpoint is None:
        fit_to_device(config)
    network, module, data = build_parts(config)
    if checkpoint is None:
        choose_first_weights(config, network, trained)
    else:
        check_checkpoint(checkpoint, network)
    speed_up(config, network)
    os.environ["WANDB_DATA_DIR"] = str(run / "wandb")  # where tables wait to be synced; else in the home folder
    metadata = describe(config, module, data.recipe.mixing)
    trainer = build_trainer(config, run, metadata, started)
    if checkpoint is None and rank_zero_only.rank == 0:
        begin_run(run, config)
    try:
        trainer.fit(module, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    except SystemExit:  # Lightning's answer to Ctrl-C and SIGTERM
        export_interrupted(trainer, module, metadata, run)
        raise KeyboardInterrupt from None
    mad = last_mad(trainer, module, data)
    if trainer.is_global_zero:
        if not trainer.fast_dev_run:
            export(network.state_dict(), metadata, run / folders.EXPORTED)
            (run / folders.LAST).unlink(missing_ok=True)
            suite = measure(config, trainer, run)
            call_run_end(trainer, FinishedRun(run, config.name, metadata, folders.git_revision(), suite))
        print(f"validation MAD {mad:.2f} (x 1e3)")
    return Fitted(network, mad)


def last_mad(trainer: Any, module: Any, data: Any) -> float:
    """MAD (x 1e3) of the trained network: of the last validation where its time is over, else of one more."""
    from howard.training.budget import find_budget

    budget = find_budget(trainer)
    if budget is not None and budget.validated_step == trainer.global_step:
        return float(trainer.callback_metrics["val/mad"])
    [figures] = trainer.validate(module, datamodule=data, verbose=False)
    return float(figures["val/mad"])


def begin_run(run: Path, config: DictConfig) -> None:
    """Make a run's folder, with its settings and the commit."""
    run.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(config, run / folders.SETTINGS)
    (run / folders.REVISION).write_text(folders.git_revision(), encoding="utf-8")


def export(state: dict[str, Any], metadata: Any, path: Path) -> None:
    """Write the weights file that ``howard.matting.load_matting`` opens."""
    from howard.matting import save_weights

    save_weights(path, state, metadata)
    print(f"weights: {path}")


def export_interrupted(trainer: Any, module: Any, metadata: Any, run: Path) -> None:
    """Export what a run has learnt that was stopped; it can be gone on with all the same."""
    from howard.training.averaging import exported_state

    if trainer.is_global_zero and trainer.global_step and not trainer.fast_dev_run:
        export(exported_state(trainer, module), metadata, run / folders.LAST)


def measure(config: DictConfig, trainer: Any, run: Path) -> dict[str, float]:
    """Log figures of the exported weights on the validation suite, where it is wanted and its data is there.

    Returns what was logged.
    """
    wanted = config.suite
    if wanted is None:
        return {}
    # Needs the reader of clips, which a machine for training alone may lack.
    from howard.training.suite_figures import log_suite

    root, workers = Path(config.data.root), config.data.workers
    return log_suite(run, root, trainer, limit=wanted.limit, stills_only=wanted.stills_only, workers=workers)


def go_through_stages(run: Path, began: float | None = None) -> float:
    """Fit what is left of a run of several stages; each goes on from the network of the one before, in memory.

    Args:
        run: folder of the whole.
        began: when, by ``time.monotonic()``, its time began to run; None for a run that is resumed, whose later stages
            get the time that was planned for them.
    """
    planned = load_stages(run / folders.STAGES)
    total = load_settings(run / folders.SETTINGS).budget.minutes
    shares = [stage.budget.share for stage in planned.values()]
    fitted, before = None, None
    for index, (name, stage) in enumerate(planned.items()):
        folder = folders.stage_folder(run, index, name)
        if (folder / folders.EXPORTED).is_file():
            before = folder
            continue
        print(f"stage {index + 1} of {len(planned)}: {name}")
        stage.budget.minutes = None
        if total is not None:
            spent = stages.planned_minutes(total, shares, index) if began is None else (time.monotonic() - began) / 60
            stage.budget.minutes = stages.stage_minutes(total, shares, index, spent)
        if fitted is None and before is not None:
            stage.init = str(before)
        try:
            if (folder / folders.CHECKPOINT).is_file():
                fitted = fit(load_settings(folder / folders.SETTINGS), folder, folder / folders.CHECKPOINT)
            else:
                fitted = fit(stage, folder, trained=fitted and fitted.network)
        except KeyboardInterrupt:
            print(f"to go on: {TRAIN.typed()} resume={run}")
            raise
        before = folder
    assert fitted is not None
    assert before is not None
    for file in (folders.BEST, folders.EXPORTED):
        if (before / file).is_file():
            shutil.copyfile(before / file, run / file)
    print(f"weights: {run / folders.EXPORTED}")
    return fitted.mad
