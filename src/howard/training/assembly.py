"""The parts of a run, made from its config: the network's first weights, the trainer, what the device decides.

With :mod:`howard.training.fitting` the part of the entry point ``train.py`` that reads configs; everything that it
builds takes plain values.
"""

from functools import partial
from pathlib import Path
from typing import Any

import hydra
from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf

from howard import __version__
from howard.errors import HowardError, SettingsError
from howard.training import folders


def build(node: Any, **values: Any) -> Any:
    """Instantiate a node; what it does not like about its settings is said in one line.

    Raises:
        SettingsError: it raised ValueError or TypeError. HowardErrors come through as they are.
    """
    try:
        return hydra.utils.instantiate(node, **values, _convert_="all")
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, HowardError):
            raise cause from None
        if isinstance(cause, ValueError | TypeError):
            line = " ".join(str(cause).split())
            raise SettingsError(
                f"{node._target_.rpartition('.')[2]} cannot be had with these settings: {line}"
            ) from cause
        raise


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
    if "ema" in config.callbacks:
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
    from howard.training.budget import TimeBudget
    from howard.training.checkpoints import WholeCheckpoints
    from howard.training.precision import resolve_precision

    plain: Any = OmegaConf.to_container(config, resolve=True, enum_to_str=True)
    described = plain | {"revision": folders.git_revision()}
    callbacks = [build(callback) for callback in config.callbacks.values()]
    callbacks = [each(metadata) if isinstance(each, partial) else each for each in callbacks]
    more: dict[str, Any] = {}
    minutes = OmegaConf.select(config, "budget.minutes")
    if minutes is not None:
        callbacks.insert(0, TimeBudget(60 * minutes, started))
        more["val_check_interval"] = {"seconds": 60 * minutes / config.budget.validations}
    return build(
        config.trainer,
        precision=resolve_precision(config.trainer.precision, config.trainer.accelerator),
        default_root_dir=str(run),
        logger=build(config.logger)(run, config.name, described),
        callbacks=callbacks,
        plugins=[WholeCheckpoints()],
        **more,
    )


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
