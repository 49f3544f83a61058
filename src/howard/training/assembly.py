"""Building the parts of a run from its config: trainer, callbacks, loggers, weights metadata.

Together with :mod:`howard.training.fitting` this is the part of ``train.py`` that reads configs; the objects that it
builds take plain values.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import hydra
from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf

from howard import __version__
from howard.errors import HowardError, SettingsError
from howard.requirements import missing_package
from howard.training import run_folders
from howard.training.train_settings import MAPPINGS


def build(node: Any, *values: Any, **named: Any) -> Any:
    """Instantiate a config node (``_target_``) with further arguments.

    Raises:
        SettingsError: in one line, if the target cannot be imported or raises ValueError or TypeError.
        HowardError: one raised by the target is passed on.
    """
    try:
        return hydra.utils.instantiate(node, *values, **named, _convert_="all")
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, HowardError):
            raise cause from None
        if missing := missing_package(cause, str(node._target_).rpartition(".")[2]):
            raise missing from cause
        line = " ".join(str(cause).split())
        if isinstance(cause, ImportError):
            raise SettingsError(f"_target_={node._target_} cannot be imported: {line}") from cause
        if isinstance(cause, ValueError | TypeError):
            raise SettingsError(f"{node._target_.rpartition('.')[2]} does not accept these settings: {line}") from cause
        raise


def import_extensions(modules: Sequence[str]) -> None:
    """Import modules that register encoders and loss terms; raises SettingsError if one cannot be imported."""
    sys.path.append(os.getcwd())  # not on the path of an installed command
    try:
        for module in modules:
            importlib.import_module(module)
    except ImportError as error:
        raise SettingsError(f"extensions=[{module}] cannot be imported: {' '.join(str(error).split())}") from error
    finally:
        sys.path.remove(os.getcwd())


def build_trainer(config: DictConfig, run: Path, metadata: Any, started: float) -> Any:
    """Lightning's trainer, which writes all its files into the run folder.

    Args:
        config: of the run.
        run: its folder.
        metadata: of the weights being trained, for callbacks that write them.
        started: ``time.monotonic()`` at the start of the run's time budget.
    """
    from lightning.pytorch.callbacks import Checkpoint

    from howard.training.budget import TimeBudget
    from howard.training.checkpoints import WholeCheckpoints
    from howard.training.devices import resolve_precision

    callbacks = build_callbacks(config, metadata)
    more: dict[str, Any] = {}
    minutes = OmegaConf.select(config, "budget.minutes")
    if minutes is not None:
        callbacks.insert(0, TimeBudget(60 * minutes, started))
        more["val_check_interval"] = {"seconds": 60 * minutes / config.budget.validations}
    return build(
        trainer_node(config),
        precision=resolve_precision(config.trainer.precision, config.trainer.accelerator),
        default_root_dir=str(run),
        logger=build_loggers(config, run),
        profiler=build_profiler(config.trainer.profiler, run),
        callbacks=callbacks,
        # By default Lightning would write its own checkpoints.
        enable_checkpointing=any(isinstance(each, Checkpoint) for each in callbacks),
        plugins=[WholeCheckpoints()],
        **more,
    )


def trainer_node(config: DictConfig) -> Any:
    """The trainer's config node; ``sync_batchnorm``, which only GPUs support, is turned off on other devices."""
    from lightning.pytorch.utilities import rank_zero_only

    from howard.training.devices import find_device

    node = OmegaConf.create(OmegaConf.to_container(config.trainer, resolve=True, enum_to_str=True))
    device = find_device(node.accelerator)
    if node.sync_batchnorm and device != "cuda":
        rank_zero_only(print)(f"trainer.sync_batchnorm is for GPUs: on {device} each process has its own batch norm")
        node.sync_batchnorm = False
    return node


def selected_nodes(config: DictConfig, group: str) -> dict[str, Any]:
    """The config nodes of the group ``callbacks`` or ``logger`` that are to be built, by name.

    An experiment may set a value of one of Howard's callbacks that the selected option does not contain; such a node
    has no ``_target_`` and is skipped.
    """
    nodes = {str(name): node for name, node in (config[group] or {}).items() if node is not None}
    return {name: node for name, node in nodes.items() if "_target_" in node or name not in MAPPINGS[group]}


def build_callbacks(config: DictConfig, metadata: Any) -> list[Any]:
    """The callbacks in config order, weight averaging last, so that panels show the weights that were validated.

    Raises:
        SettingsError: one of them is not a Lightning callback.
    """
    from lightning import Callback
    from lightning.pytorch.callbacks import WeightAveraging

    made = {name: build(node) for name, node in selected_nodes(config, "callbacks").items()}
    made = {name: each(metadata) if isinstance(each, partial) else each for name, each in made.items()}
    for name, each in made.items():
        if not isinstance(each, Callback):
            raise SettingsError(f"callbacks.{name} is not a Lightning callback; give callbacks.{name}._target_=CLASS")
    return sorted(made.values(), key=lambda each: isinstance(each, WeightAveraging))


def build_loggers(config: DictConfig, run: Path) -> list[Any]:
    """The CSV logger and the config's loggers; Howard's own are called with the run's description.

    Raises:
        SettingsError: one of them is not a Lightning logger.
    """
    from lightning.pytorch.loggers import Logger

    from howard.training.loggers import LoggedRun, csv_logger

    plain: Any = OmegaConf.to_container(config, resolve=True, enum_to_str=True)
    described = plain | {"revision": run_folders.git_revision()}
    logged = LoggedRun(run, config.name, str(config.mode), described, tuple(config.tags), config.notes)
    loggers: list[Any] = [csv_logger(run)]
    for name, node in selected_nodes(config, "logger").items():
        made = build(node)
        made = made(logged) if isinstance(made, partial) else made
        if not isinstance(made, Logger):
            raise SettingsError(f"logger.{name} is not a Lightning logger; give logger.{name}._target_=CLASS")
        loggers.append(made)
    return loggers


def build_profiler(name: str | None, run: Path) -> Any:
    """Lightning's profiler of this name, writing into the run folder; None for None."""
    from lightning.pytorch.profilers import AdvancedProfiler, PyTorchProfiler, SimpleProfiler

    if name is None:
        return None
    kinds = {"simple": SimpleProfiler, "advanced": AdvancedProfiler, "pytorch": PyTorchProfiler}
    return kinds[str(name)](dirpath=run, filename="profile")


def describe(config: DictConfig, module: Any, mixing: str) -> Any:
    """The metadata written into the run's weights files; ``mixing`` is that of the data's recipe."""
    from howard.matting import RefineSettings, WeightsMetadata

    network: Any = {name: tuple(value) if OmegaConf.is_list(value) else value for name, value in config.model.items()}
    del network["_target_"]
    return WeightsMetadata(
        **({"has_refiner": False} | network),
        mixing=mixing,  # type: ignore[arg-type]
        refine=getattr(module, "refine", RefineSettings()),
        name=config.name,
        version=__version__,
        data=", ".join([*config.data.people, *config.data.places]),
        licence=config.licence,
    )
