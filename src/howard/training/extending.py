"""Going on with a run under changed settings, as to train a finished run for longer."""

from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from howard.errors import SettingsError, WeightsError
from howard.training import folders
from howard.training.changes import list_changes


def change_run(run: Path, config: DictConfig, changed: DictConfig) -> None:
    """List what is changed of a run's settings, and store the changed ones in its folder.

    The former settings are kept as ``config_STEP.yaml``. A finished run's weights become ``weights_STEP.safetensors``,
    so that it is unfinished again.

    Raises:
        SettingsError: a change could not take effect, or the run is past the steps that it is given.
        WeightsError: the checkpoint cannot be read.
    """
    from lightning.pytorch.utilities import rank_zero_only

    changes = list_changes(config, changed)
    step = checkpoint_step(run / folders.CHECKPOINT)
    if 0 <= changed.trainer.max_steps <= step and changed.trainer.max_steps != config.trainer.max_steps:
        raise SettingsError(f"trainer.max_steps={changed.trainer.max_steps}: the run is at step {step} already")
    if rank_zero_only.rank != 0 or not changes:
        return
    for change in changes:
        print(change)
    (run / folders.SETTINGS).replace(run / f"config_{step:07d}.yaml")
    OmegaConf.save(changed, run / folders.SETTINGS)
    if (run / folders.EXPORTED).is_file():
        kept = run / f"weights_{step:07d}.safetensors"
        (run / folders.EXPORTED).replace(kept)
        print(f"the weights so far: {kept}")


def checkpoint_step(path: Path) -> int:
    """The step at which a checkpoint was written; raises WeightsError where it cannot be read."""
    import torch

    try:
        return int(torch.load(path, map_location="cpu", weights_only=True, mmap=True)["global_step"])
    except Exception as error:  # torch.load lets through whatever zip, pickle or the file system raise
        raise WeightsError(f"{path} is not a checkpoint that can be read ({type(error).__name__})") from None
