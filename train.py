"""Train one stage: ``python train.py experiment=coarse``, then ``python train.py experiment=refine``."""

import os
import sys
import warnings
from pathlib import Path
from typing import Any

import hydra
from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf

from howard import __version__
from howard import settings as settings  # registers the data's settings with Hydra
from howard.cli import friendly, hydra_arguments, wants_help
from howard.errors import HowardError, InputError, SettingsError
from howard.training import folders
from howard.training import settings as training_settings  # registers all others  # noqa: F401

CONFIGS = Path(__file__).parent / "configs"
ARGUMENTS = tuple(sys.argv[1:])
# Lightning's own business: none is anything that a reader of the terminal could act on.
LIGHTNING_CHATTER = (
    ".*treespec, LeafSpec.*",
    ".*is not supported by the model summary.*",
    ".*smaller than the logging interval.*",
    ".*does not have many workers.*",
    ".*dataloader is not resumable.*",  # samples are numbered by step, so it is
)


def list_experiments() -> str:
    """The page shown when nothing is asked for: each experiment with what its file says of it."""
    lines = []
    for file in sorted((CONFIGS / "experiment").glob("*.yaml")):
        about = file.read_text().splitlines()[1].removeprefix("# ")
        lines.append(f"  python train.py experiment={file.stem:<12} {about}")
    usage = "usage: python train.py experiment=NAME [key=value ...]"
    more = "  python train.py resume=RUN_FOLDER          Goes on with an interrupted run; resume=auto with the newest."
    return "\n".join([usage, "", *lines, "", more])


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


def train(config: DictConfig, run: Path, checkpoint: Path | None = None) -> float:
    """Fit one stage in its run folder, export its weights, and return the last validation MAD (x 1e3).

    With a checkpoint the run goes on from there.
    """
    import cv2
    import torch
    from lightning import seed_everything
    from lightning.pytorch.utilities import rank_zero_only

    from howard.training.checkpoints import check_checkpoint

    cv2.setNumThreads(1)  # workers are forked, and OpenCV's thread pool does not survive that
    seed_everything(config.seed, workers=True, verbose=False)
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    network = build(config.model)
    module = build(config.stage, network=network, optimiser=build(config.optimiser), seed=config.seed)
    data = build(config.data)
    data.setup()  # missing data is said before a run folder is made
    if checkpoint is None:
        choose_first_weights(config, network)
        if rank_zero_only.rank == 0:
            run.mkdir(parents=True, exist_ok=True)
            OmegaConf.save(config, run / folders.SETTINGS)
            (run / folders.REVISION).write_text(folders.git_revision(CONFIGS), encoding="utf-8")
    else:
        check_checkpoint(checkpoint, network)
    os.environ["WANDB_DATA_DIR"] = str(run / "wandb")  # where tables wait to be synced; else in the home folder
    trainer = build_trainer(config, run)
    try:
        trainer.fit(module, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    except SystemExit:  # Lightning's answer to Ctrl-C
        print(f"to go on: python train.py resume={run}")
        raise KeyboardInterrupt from None
    [figures] = trainer.validate(module, datamodule=data, verbose=False)
    if trainer.is_global_zero:
        if not trainer.fast_dev_run:
            export(config, module, data.recipe.mixing, run / folders.EXPORTED)
            measure(config, trainer, run)
        print(f"validation MAD {figures['val/mad']:.2f} (x 1e3)")
    return figures["val/mad"]


def build_trainer(config: DictConfig, run: Path) -> Any:
    """Lightning's trainer, all of whose files go into the run's folder."""
    from howard.training.checkpoints import WholeCheckpoints
    from howard.training.precision import resolve_precision

    plain: Any = OmegaConf.to_container(config, resolve=True, enum_to_str=True)
    described = plain | {"revision": folders.git_revision(CONFIGS)}
    return build(
        config.trainer,
        precision=resolve_precision(config.trainer.precision, config.trainer.accelerator),
        default_root_dir=str(run),
        logger=build(config.logger)(run, config.name, described),
        callbacks=[build(callback) for callback in config.callbacks.values()],
        plugins=[WholeCheckpoints()],
    )


def choose_first_weights(config: DictConfig, network: Any) -> None:
    """A joint stage starts from a coarse stage, a coarse stage from an ImageNet encoder; or from what ``init`` says."""
    from lightning.pytorch.utilities import rank_zero_only

    from howard.matting import BaselineNetwork
    from howard.training import runs

    if isinstance(network, BaselineNetwork):
        line = "the network starts from random weights"
    elif config.init == "random" or (network.refiner is None and config.init is None):
        line = runs.start_encoder(network, config.model.encoder, config.encoder_weights)
    else:
        path = runs.find_start(config.init, Path(config.runs), network, config.model.encoder)
        runs.start_from(network, path)
        line = f"the network starts from {path}"
    rank_zero_only(print)(line)


def export(config: DictConfig, module: Any, mixing: str, path: Path) -> None:
    """Write the weights file that ``howard.matting.load_matting`` opens."""
    from howard.matting import RefineSettings, WeightsMetadata, save_weights

    network: Any = {name: tuple(value) if OmegaConf.is_list(value) else value for name, value in config.model.items()}
    del network["_target_"]
    metadata = WeightsMetadata(
        **({"has_refiner": False} | network),
        mixing=mixing,  # type: ignore[arg-type]
        refine=getattr(module, "refine", RefineSettings()),
        name=config.name,
        version=__version__,
        data=", ".join([*config.data.people, *config.data.places]),
        licence=config.licence,
    )
    save_weights(path, module.network.state_dict(), metadata)
    print(f"weights: {path}")


def measure(config: DictConfig, trainer: Any, run: Path) -> None:
    """Log figures of the exported weights on the validation suite, where it is wanted and its data is there."""
    from howard.training.suite_figures import log_suite

    wanted = config.get("suite")  # runs from before the suite have none
    if wanted is not None:
        root, workers = Path(config.data.root), config.data.workers
        log_suite(run, root, trainer, limit=wanted.limit, stills_only=wanted.stills_only, workers=workers)


def resume(run: Path) -> float:
    """Go on with an interrupted run, with the settings it had."""
    folders.check_run(run)
    print(f"going on with {run}")
    return train(OmegaConf.load(run / folders.SETTINGS), run, run / folders.CHECKPOINT)  # type: ignore[arg-type]


@hydra.main(config_path="configs", config_name="train", version_base=None)
@friendly
def start(config: DictConfig) -> float:
    """A new run in ``runs/NAME/DATE``; with ``resume=auto``, the newest interrupted one of its name if there is any."""
    sys.argv[1:] = ARGUMENTS  # Lightning starts further processes with the same command line
    if config.resume == "auto":
        interrupted = folders.newest_unfinished(Path(config.runs), config.name)
        if interrupted is not None:
            return resume(interrupted)
    elif config.resume is not None:
        raise SettingsError("resume=RUN goes on with the settings the run had; leave out all others")
    return train(config, Path(config.runs) / config.name / folders.stamp())


@friendly
def main() -> None:
    """Read the command line."""
    # Fresh memory in large pages: a sixth of a step's time on a CPU. Read when torch is loaded.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    for message in LIGHTNING_CHATTER:
        warnings.filterwarnings("ignore", message=message)
    if wants_help(ARGUMENTS):
        print(list_experiments())
        return
    given = {key: value for key, _, value in (argument.partition("=") for argument in ARGUMENTS)}
    if "resume" in given and given.keys() <= {"resume", "runs"}:
        runs = Path(given.get("runs", "runs"))
        run = folders.newest_unfinished(runs) if given["resume"] == "auto" else Path(given["resume"])
        if run is None:
            raise InputError(f"resume=auto: no interrupted run in {runs}; give resume=RUN_FOLDER, or an experiment")
        resume(run)
        return
    sys.argv[1:] = hydra_arguments(ARGUMENTS, "train", CONFIGS)
    start()


if __name__ == "__main__":
    main()
