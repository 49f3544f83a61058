"""Testing a checkpoint or weights file on the test split: ``train.py experiment=NAME mode=test ckpt_path=FILE``."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from howard.errors import InputError, SettingsError
from howard.training import run_folders
from howard.training.assembly import build, build_loggers
from howard.training.fitting import build_parts, create_run_folder


def test_network(config: DictConfig, run: Path) -> float:
    """Test the weights in ``config.ckpt_path``; metrics are printed and logged as ``test/NAME``.

    Returns:
        The MAD (x 1e3).

    Raises:
        SettingsError: ``ckpt_path`` is not set.
        InputError: the file or the test split does not exist.
        WeightsError: the weights do not fit the network of the config.
    """
    from howard.training.devices import resolve_precision
    from howard.training.loggers import finish_tracking

    if config.ckpt_path is None:
        raise SettingsError("mode=test needs ckpt_path=FILE: a checkpoint, a weights file or a run folder")
    path = find_checkpoint(Path(config.ckpt_path))
    network, module, data = build_parts(config, "test")
    load_checkpoint_or_weights(path, network)
    create_run_folder(run, config)
    try:
        trainer = build(
            config.trainer,
            precision=resolve_precision(config.trainer.precision, config.trainer.accelerator),
            default_root_dir=str(run),
            logger=build_loggers(config, run),
            profiler=None,
        )
        [metrics] = trainer.test(module, datamodule=data, verbose=False)
    finally:
        finish_tracking(has_failed=False)
    for name, value in sorted(metrics.items()):
        print(f"{name:<26} {value:.4g}")
    return float(metrics["test/mad"])


def find_checkpoint(path: Path) -> Path:
    """The file itself, or a run folder's weights or last checkpoint; raises InputError if there is none."""
    candidates = [path / run_folders.EXPORTED, path / run_folders.CHECKPOINT] if path.is_dir() else [path]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    expected = "neither weights nor a checkpoint are in that folder" if path.is_dir() else "there is no such file"
    raise InputError(f"ckpt_path={path}: {expected}")


def load_checkpoint_or_weights(path: Path, network: Any) -> None:
    """Load a checkpoint (``.ckpt``) or a weights file into a network; raises WeightsError if it does not fit."""
    from howard.matting import load_network
    from howard.matting.state_files import load_strictly
    from howard.training.checkpoints import check_checkpoint_fits

    if path.suffix == ".ckpt":
        check_checkpoint_fits(path, network)
    else:
        load_strictly(network, load_network(path)[0].state_dict(), path)
