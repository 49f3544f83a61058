"""Train one stage: ``howard-train experiment=coarse``, then ``howard-train experiment=refine``; or several.

``python train.py`` in the repository is the same command.
"""

import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from howard.cli import friendly, hydra_arguments, wants_help
from howard.cli.composing import compose_config
from howard.cli.config_folder import config_folder
from howard.cli.overriding import override
from howard.command_name import TRAIN
from howard.errors import InputError, SettingsError
from howard.heap import keep_freed_memory
from howard.requirements import require
from howard.settings import runs_dir
from howard.training import folders
from howard.training.extending import change_run
from howard.training.fitting import begin_run, fit, go_through_stages
from howard.training.moved_keys import move_arguments
from howard.training.settings import MAPPINGS, SCHEMAS, Mode, check_settings
from howard.training.stored_settings import load_settings
from howard.training.testing import test_network

CONFIGS = config_folder()
ARGUMENTS = tuple(sys.argv[1:])
BEGINNING = time.monotonic()  # a run's minutes include its start
# Settings of a run of several stages that are not those of each of them.
OF_ALL_STAGES = ("experiment", "stages", "name", "resume", "budget.minutes")
GROUP_NAMES = {"experiment", "hparams_search", "debug", *SCHEMAS, *MAPPINGS}
PRINTING_FLAGS = {"--cfg", "-c"}  # nothing is trained
# Lightning's own business: none is anything that a reader of the terminal could act on.
LIGHTNING_CHATTER = (
    ".*treespec, LeafSpec.*",
    ".*is not supported by the model summary.*",
    ".*smaller than the logging interval.*",
    ".*does not have many workers.*",
    ".*dataloader is not resumable.*",  # samples are numbered by step, so it is
    ".*has `__len__` defined.*",  # workers that stream a pack are split
)


def list_experiments() -> str:
    """The page shown when nothing is asked for: each experiment with what its file says of it."""
    command = TRAIN.typed()
    lines = []
    for file in sorted((CONFIGS / "experiment").glob("*.yaml")):
        about = file.read_text().splitlines()[1].removeprefix("# ")
        lines.append(f"  {command} experiment={file.stem:<15} {about}")
    usage = f"usage: {command} experiment=NAME [key=value ...]"
    more = f"  {command} {'resume=RUN_FOLDER':<26} Continues an interrupted run; resume=auto the newest."
    return "\n".join([usage, "", *lines, "", more])


def train(config: DictConfig, run: Path, checkpoint: Path | None = None) -> float:
    """Fit one stage in its run folder, export its weights, and return the last validation MAD (x 1e3).

    With a checkpoint the run goes on from there.
    """
    try:
        return fit(config, run, checkpoint).mad
    except KeyboardInterrupt:
        print(f"to go on: {TRAIN.typed()} resume={run}")
        raise


def resume(run: Path, overrides: Sequence[str] = ()) -> float:
    """Go on with an interrupted run, or extend a finished one, with the settings it had but for those overridden."""
    folders.check_run(run)
    is_staged = (run / folders.STAGES).is_file()
    if is_staged and overrides:
        raise SettingsError(f"resume={run}: a run of several stages goes on with the settings it had; leave out others")
    print(f"going on with {run}")
    if is_staged:
        return go_through_stages(run)
    config = load_settings(run / folders.SETTINGS)
    if overrides:
        changed = override(config, overrides)
        change_run(run, config, changed)
        config = changed
    return train(config, run, run / folders.CHECKPOINT)


def train_stages(config: DictConfig, run: Path, overrides: Sequence[str]) -> float:
    """Fit the experiments in ``config.stages`` one after the other; returns the last one's MAD (x 1e3).

    Args:
        config: of the whole.
        run: folder of the whole; the run folders of the stages are in it.
        overrides: what the command line sets, in every stage.
    """
    kept = [each for each in overrides if each.lstrip("+~").partition("=")[0] not in OF_ALL_STAGES]
    composed = {name: compose_config("train", [f"experiment={name}", *kept]) for name in config.stages}
    planned = {name: OmegaConf.to_container(each, resolve=True, enum_to_str=True) for name, each in composed.items()}
    begin_run(run, config)
    OmegaConf.save(OmegaConf.create(planned), run / folders.STAGES)
    return go_through_stages(run, BEGINNING)


@hydra.main(config_path=str(CONFIGS), config_name="train", version_base=None)
@friendly
def start(config: DictConfig) -> float:
    """A new run in ``runs/NAME/DATE``; with ``resume=auto``, the newest interrupted one of its name if there is any."""
    sys.argv[1:] = ARGUMENTS  # Lightning starts further processes with the same command line
    run = Path(config.runs) / config.name / folders.stamp()
    if config.mode == Mode.test:
        return test_network(config, run)
    if config.resume == "auto":
        interrupted = folders.newest_unfinished(Path(config.runs), config.name)
        if interrupted is not None:
            return resume(interrupted)
    elif config.resume is not None:
        raise SettingsError("resume=RUN goes on with the settings of the run: leave out experiment= and other groups")
    if config.stages:
        return train_stages(config, run, HydraConfig.get().overrides.task)
    return train(config, run)


def imply_equal_shares(arguments: Sequence[str]) -> list[str]:
    """Arguments that name other people than the experiment does are not to keep the experiment's sampling weights."""
    keys = {argument.lstrip("+").partition("=")[0] for argument in arguments}
    if "data.people" in keys and "data.shares" not in keys:
        return [*arguments, "data.shares=null"]
    return list(arguments)


@friendly
def main() -> None:
    """Read the command line."""
    keep_freed_memory()
    for message in LIGHTNING_CHATTER:
        warnings.filterwarnings("ignore", message=message)
    if wants_help(ARGUMENTS):
        print(list_experiments())
        return
    arguments = move_arguments(ARGUMENTS)
    given = {key: value for key, _, value in (argument.partition("=") for argument in arguments)}
    if "resume" in given and not given.keys() & GROUP_NAMES:
        runs = Path(given.get("runs", runs_dir()))
        run = folders.newest_unfinished(runs) if given["resume"] == "auto" else Path(given["resume"])
        if run is None:
            raise InputError(f"resume=auto: no interrupted run in {runs}; give resume=RUN_FOLDER, or an experiment")
        resume(run, [each for each in arguments if not each.startswith(("resume=", "runs="))])
        return
    sys.argv[1:] = hydra_arguments(imply_equal_shares(arguments), "train", CONFIGS, check_settings)
    if not PRINTING_FLAGS.intersection(sys.argv):
        for module in ("lightning", "kornia", "albumentations"):
            require(module, "training")
    start()


if __name__ == "__main__":
    main()
