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
from howard.training.assembly import build, build_trainer, choose_first_weights, describe, fit_to_device, speed_up


class Fitted(NamedTuple):
    """A trained network, and its MAD (x 1e3) at the last validation."""

    network: Any
    mad: float


def fit(config: DictConfig, run: Path, checkpoint: Path | None = None, trained: Any = None) -> Fitted:
    """The same, from a network ``trained`` before if there is one; raises KeyboardInterrupt when it is stopped."""
    import cv2
    import torch
    from lightning import seed_everything
    from lightning.pytorch.utilities import rank_zero_only

    from howard.training.budget import find_budget
    from howard.training.checkpoints import check_checkpoint

    started = time.monotonic()
    cv2.setNumThreads(1)  # workers are forked, and OpenCV's thread pool does not survive that
    seed_everything(config.seed, workers=True, verbose=False)
    # Torch's own choice follows the affinity, but no quota of a container.
    torch.set_num_threads(config.threads or min(torch.get_num_threads(), count_cores()))
    if checkpoint is None:
        fit_to_device(config)
    network = build(config.model)
    module = build(config.stage, network=network, optimiser=build(config.optimiser), seed=config.seed)
    data = build(config.data)
    data.setup()  # missing data is said before a run folder is made
    if checkpoint is None:
        choose_first_weights(config, network, trained)
        if rank_zero_only.rank == 0:
            begin_run(run, config)
    else:
        check_checkpoint(checkpoint, network)
    speed_up(config, network)
    os.environ["WANDB_DATA_DIR"] = str(run / "wandb")  # where tables wait to be synced; else in the home folder
    metadata = describe(config, module, data.recipe.mixing)
    trainer = build_trainer(config, run, metadata, started)
    try:
        trainer.fit(module, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    except SystemExit:  # Lightning's answer to Ctrl-C and SIGTERM
        export_interrupted(trainer, module, metadata, run)
        raise KeyboardInterrupt from None
    budget = find_budget(trainer)
    if budget is not None and budget.validated_step == trainer.global_step:
        figures = trainer.callback_metrics  # there is no time to do it again
    else:
        [figures] = trainer.validate(module, datamodule=data, verbose=False)
    mad = float(figures["val/mad"])
    if trainer.is_global_zero:
        if not trainer.fast_dev_run:
            export(network.state_dict(), metadata, run / folders.EXPORTED)
            (run / folders.LAST).unlink(missing_ok=True)
            measure(config, trainer, run)
        print(f"validation MAD {mad:.2f} (x 1e3)")
    return Fitted(network, mad)


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


def measure(config: DictConfig, trainer: Any, run: Path) -> None:
    """Log figures of the exported weights on the validation suite, where it is wanted and its data is there."""
    wanted = config.get("suite")  # runs from before the suite have none
    if wanted is not None:
        # Needs the reader of clips, which a machine for training alone may lack.
        from howard.training.suite_figures import log_suite

        root, workers = Path(config.data.root), config.data.workers
        log_suite(run, root, trainer, limit=wanted.limit, stills_only=wanted.stills_only, workers=workers)


def go_through_stages(run: Path, began: float | None = None) -> float:
    """Fit what is left of a run of several stages; each goes on from the network of the one before, in memory.

    Args:
        run: folder of the whole.
        began: when, by ``time.monotonic()``, its time began to run; None for a run that is resumed, whose later stages
            get the time that was planned for them.
    """
    planned: Any = OmegaConf.load(run / folders.STAGES)
    total = OmegaConf.load(run / folders.SETTINGS).budget.minutes  # type: ignore[union-attr]
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
                settings: Any = OmegaConf.load(folder / folders.SETTINGS)
                fitted = fit(settings, folder, folder / folders.CHECKPOINT)
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
