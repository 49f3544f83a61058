"""The parts of a run, made from its config: the network's first weights, the trainer, what the device decides.

With :mod:`howard.training.fitting` the part of the entry point ``train.py`` that reads configs; everything that it
builds takes plain values.
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
from howard.training import folders
from howard.training.settings import MAPPINGS


def build(node: Any, *values: Any, **named: Any) -> Any:
    """Instantiate a node with further values; what it does not accept is said in one line.

    Raises:
        SettingsError: it cannot be imported, or raised ValueError or TypeError. HowardErrors come through as they are.
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
            raise SettingsError(
                f"{node._target_.rpartition('.')[2]} cannot be had with these settings: {line}"
            ) from cause
        raise


def import_extensions(modules: Sequence[str]) -> None:
    """Import modules that register encoders and loss terms; raises SettingsError, in one line, for one that fails."""
    sys.path.append(os.getcwd())  # an installed command does not look there
    try:
        for module in modules:
            importlib.import_module(module)
    except ImportError as error:
        raise SettingsError(f"extensions=[{module}] cannot be imported: {' '.join(str(error).split())}") from error
    finally:
        sys.path.remove(os.getcwd())


def fit_to_device(config: DictConfig) -> None:
    """Fill in what depends on the device: batch size, workers, and the learning rates and decay that go with them."""
    from howard.cores import count_cores
    from howard.training.devices import count_processes, find_device, plan_batches

    device, scaling = find_device(config.trainer.accelerator), config.scaling
    processes = count_processes(str(config.trainer.devices), config.trainer.num_nodes, device)
    plan = plan_batches(
        config.data.batch_size,
        dict(scaling.batch_sizes),
        device,
        others=processes * config.trainer.accumulate_grad_batches,
        base=scaling.base_batch_size,
        power=scaling.power,
    )
    config.data.batch_size = plan.per_process
    if config.data.workers is None:
        config.data.workers = count_cores()
    if scaling.base_batch_size is None:
        return
    for part, rate in config.optimiser.rates.items():
        if rate is not None:
            config.optimiser.rates[part] = rate * plan.rate_factor
    if "ema" in chosen_nodes(config, "callbacks"):
        config.callbacks.ema.decay = plan.scaled_decay(config.callbacks.ema.decay)
    scaling.base_batch_size = None  # done: what is kept with the run are the rates it had
    print(f"{plan.per_step} samples a step on {device}, learning rates x {plan.rate_factor:.2f}")


def speed_up(config: DictConfig, network: Any) -> None:
    """Faster arithmetic, where it is wanted; runs from before these settings have none of them."""
    from howard.training.devices import compile_parts, use_tf32

    if config.get("tf32"):
        use_tf32()
    if config.get("compile"):
        compile_parts(network)


def build_trainer(config: DictConfig, run: Path, metadata: Any, started: float) -> Any:
    """Lightning's trainer, all of whose files go into the run's folder.

    ``metadata`` is that of the weights it trains; ``started`` is when, by ``time.monotonic()``, its time began to run.
    """
    from lightning.pytorch.callbacks import Checkpoint

    from howard.training.budget import TimeBudget
    from howard.training.checkpoints import WholeCheckpoints
    from howard.training.precision import resolve_precision

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
        # Without a callback for them Lightning would write checkpoints of its own.
        enable_checkpointing=any(isinstance(each, Checkpoint) for each in callbacks),
        plugins=[WholeCheckpoints()],
        **more,
    )


def trainer_node(config: DictConfig) -> Any:
    """The trainer's node for the device there is: batch norm over all processes is only there on GPUs."""
    from lightning.pytorch.utilities import rank_zero_only

    from howard.training.devices import find_device

    node = OmegaConf.create(OmegaConf.to_container(config.trainer, resolve=True, enum_to_str=True))
    device = find_device(node.accelerator)
    if node.sync_batchnorm and device != "cuda":
        rank_zero_only(print)(f"trainer.sync_batchnorm is for GPUs: on {device} each process has its own batch norm")
        node.sync_batchnorm = False
    return node


def chosen_nodes(config: DictConfig, group: str) -> dict[str, Any]:
    """Nodes of the mapping ``callbacks`` or ``logger`` by name.

    Those of Howard that the group's option lacks are left out: an experiment may have set something of them.
    """
    nodes = {str(name): node for name, node in (config[group] or {}).items() if node is not None}
    return {name: node for name, node in nodes.items() if "_target_" in node or name not in MAPPINGS[group]}


def build_callbacks(config: DictConfig, metadata: Any) -> list[Any]:
    """The callbacks in their order, those that average weights last: pictures then show what was validated.

    Raises:
        SettingsError: one of them is no Lightning callback.
    """
    from lightning import Callback
    from lightning.pytorch.callbacks import WeightAveraging

    made = {name: build(node) for name, node in chosen_nodes(config, "callbacks").items()}
    made = {name: each(metadata) if isinstance(each, partial) else each for name, each in made.items()}
    for name, each in made.items():
        if not isinstance(each, Callback):
            raise SettingsError(f"callbacks.{name} is no Lightning callback; give callbacks.{name}._target_=CLASS")
    return sorted(made.values(), key=lambda each: isinstance(each, WeightAveraging))


def build_loggers(config: DictConfig, run: Path) -> list[Any]:
    """The CSV logger, and those of the config: Howard's own are told of the run, others are taken as they are.

    Raises:
        SettingsError: one of them is no Lightning logger.
    """
    from lightning.pytorch.loggers import Logger

    from howard.training.loggers import LoggedRun, csv_logger

    plain: Any = OmegaConf.to_container(config, resolve=True, enum_to_str=True)
    described = plain | {"revision": folders.git_revision()}
    logged = LoggedRun(run, config.name, str(config.mode), described, tuple(config.tags), config.notes)
    loggers: list[Any] = [csv_logger(run)]
    for name, node in chosen_nodes(config, "logger").items():
        made = build(node)
        made = made(logged) if isinstance(made, partial) else made
        if not isinstance(made, Logger):
            raise SettingsError(f"logger.{name} is no Lightning logger; give logger.{name}._target_=CLASS")
        loggers.append(made)
    return loggers


def build_profiler(name: str | None, run: Path) -> Any:
    """Lightning's profiler of that name, which writes into the run's folder; None without a name."""
    from lightning.pytorch.profilers import AdvancedProfiler, PyTorchProfiler, SimpleProfiler

    if name is None:
        return None
    kinds = {"simple": SimpleProfiler, "advanced": AdvancedProfiler, "pytorch": PyTorchProfiler}
    return kinds[str(name)](dirpath=run, filename="profile")


def choose_first_weights(config: DictConfig, network: Any, trained: Any) -> None:
    """A joint stage starts from a coarse stage, a coarse stage from an ImageNet encoder; or from what ``init`` says.

    A network ``trained`` by the stage before comes first.
    """
    from lightning.pytorch.utilities import rank_zero_only

    from howard.matting import BaselineNetwork
    from howard.training import runs

    if trained is not None:
        runs.hand_over(trained, network, Path("the stage before"))
        line = "the network goes on from the stage before"
    elif isinstance(network, BaselineNetwork):
        line = "the network starts from random weights"
    elif config.init == "random" or (network.refiner is None and config.init is None):
        line = runs.start_encoder(network, config.model.encoder, config.encoder_weights)
    else:
        path = runs.find_start(config.init, Path(config.runs), network, config.model.encoder)
        runs.start_from(network, path)
        line = f"the network starts from {path}"
    rank_zero_only(print)(line)


def describe(config: DictConfig, module: Any, mixing: str) -> Any:
    """What a weights file says of itself."""
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
