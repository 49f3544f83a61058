"""Runs of several stages in one process, each of which starts from the network of the stage before.

Does not import torch.
"""

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from howard.command_name import TRAIN
from howard.training import run_folders
from howard.training.fitting import Fitted, create_run_folder, fit
from howard.training.stored_settings import load_settings, load_stages


def start_stages(config: DictConfig, stages: Mapping[str, DictConfig], run: Path, started: float) -> float:
    """Start a run of several stages; returns the last validation MAD (x 1e3).

    Args:
        config: of the whole run.
        stages: config of each stage by its experiment's name, in order.
        run: folder of the whole run, which will contain the run folders of the stages.
        started: ``time.monotonic()`` at the start of the whole run's time budget.
    """
    plain = {name: OmegaConf.to_container(each, resolve=True, enum_to_str=True) for name, each in stages.items()}
    create_run_folder(run, config)
    OmegaConf.save(OmegaConf.create(plain), run / run_folders.STAGES)
    return run_stages(run, started)


def run_stages(run: Path, started: float | None = None) -> float:
    """Fit the unfinished stages of a run, and copy the last one's weights into its folder.

    Args:
        run: folder of the whole run.
        started: ``time.monotonic()`` at the start of the time budget; None for a resumed run, where every stage gets
            the time that was planned for it.

    Returns:
        The last validation MAD (x 1e3).
    """
    stages = load_stages(run / run_folders.STAGES)
    total = load_settings(run / run_folders.SETTINGS).budget.minutes
    weights = [stage.budget.weight for stage in stages.values()]
    fitted, before = None, None
    for index, (name, stage) in enumerate(stages.items()):
        folder = run_folders.stage_folder(run, index, name)
        if not (folder / run_folders.EXPORTED).is_file():
            print(f"stage {index + 1} of {len(stages)}: {name}")
            stage.budget.minutes = None
            if total is not None:
                is_new = started is not None
                spent = (time.monotonic() - started) / 60 if is_new else planned_minutes(total, weights, index)
                stage.budget.minutes = stage_minutes(total, weights, index, spent)
            if fitted is None and before is not None:
                stage.init = str(before)
            fitted = _fit_stage(run, folder, stage, fitted)
        before = folder
    assert fitted is not None
    assert before is not None
    for file in (run_folders.BEST, run_folders.EXPORTED):
        if (before / file).is_file():
            shutil.copyfile(before / file, run / file)
    print(f"weights: {run / run_folders.EXPORTED}")
    return fitted.mad


def _fit_stage(run: Path, folder: Path, stage: DictConfig, fitted: Fitted | None) -> Fitted:
    """Fit a stage from its own checkpoint, if there is one, else from the network of the stage before."""
    checkpoint = folder / run_folders.CHECKPOINT
    try:
        if checkpoint.is_file():
            return fit(load_settings(folder / run_folders.SETTINGS), folder, checkpoint)
        return fit(stage, folder, trained=fitted and fitted.network)
    except KeyboardInterrupt:
        print(f"to resume: {TRAIN.typed()} resume={run}")
        raise


def stage_minutes(total: float, weights: Sequence[float], index: int, spent: float) -> float:
    """Minutes for a stage: the remaining time, divided in proportion to the weights of this and the later stages.

    Args:
        total: minutes for all stages.
        weights: of every stage; only their ratios matter.
        index: zero-based, of the stage.
        spent: minutes already used.
    """
    return max(0.0, total - spent) * weights[index] / sum(weights[index:])


def planned_minutes(total: float, weights: Sequence[float], index: int) -> float:
    """Planned minutes of all stages before ``index``."""
    return total * sum(weights[:index]) / sum(weights)
