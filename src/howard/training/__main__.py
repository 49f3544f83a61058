"""Train a network: ``howard-train experiment=coarse``, then ``howard-train experiment=refine``.

``python train.py`` in the repository is the same command.
"""

import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from howard.cli import config_folder, friendly, hydra_arguments, wants_help
from howard.cli.arguments import override
from howard.cli.composing import compose_config
from howard.command_name import TRAIN
from howard.errors import InputError, SettingsError
from howard.machine import keep_freed_memory
from howard.requirements import require
from howard.settings import runs_dir
from howard.training import run_folders
from howard.training.fitting import fit
from howard.training.moved_keys import MOVED_KEYS, move_arguments
from howard.training.resuming import change_run
from howard.training.staged_runs import run_stages, start_stages
from howard.training.stored_settings import load_settings
from howard.training.testing import test_network
from howard.training.train_settings import MAPPINGS, SCHEMAS, Mode, check_encoder_name

CONFIGS = config_folder()
ARGUMENTS = tuple(sys.argv[1:])
STARTED = time.monotonic()  # a time budget includes the start of the program
# Settings of a whole run of several stages that are not passed on to its stages.
WHOLE_RUN_KEYS = ("experiment", "stages", "name", "resume", "budget.minutes")
GROUP_NAMES = {"experiment", "hparams_search", "debug", *SCHEMAS, *MAPPINGS}
PRINTING_FLAGS = {"--cfg", "-c"}  # print the config instead of training
# Lightning's warnings on which a user cannot act.
IGNORED_WARNINGS = (
    ".*treespec, LeafSpec.*",
    ".*is not supported by the model summary.*",
    ".*smaller than the logging interval.*",
    ".*does not have many workers.*",
    ".*dataloader is not resumable.*",  # it is: samples are numbered by step
    ".*has `__len__` defined.*",  # workers that stream a pack divide it
)


def list_experiments() -> str:
    """The help page: usage, and each experiment with the description in its file."""
    command = TRAIN.typed()
    lines = []
    for file in sorted((CONFIGS / "experiment").glob("*.yaml")):
        description = file.read_text().splitlines()[1].removeprefix("# ")
        lines.append(f"  {command} experiment={file.stem:<15} {description}")
    usage = f"usage: {command} experiment=NAME [key=value ...]"
    more = f"  {command} {'resume=RUN_FOLDER':<26} Continues an interrupted run; resume=auto the newest."
    return "\n".join([usage, "", *lines, "", more])


def train(config: DictConfig, run: Path, checkpoint: Path | None = None) -> float:
    """Fit one stage in its run folder and export its weights; resumes from ``checkpoint`` if it is given.

    Returns:
        The last validation MAD (x 1e3).
    """
    try:
        return fit(config, run, checkpoint).mad
    except KeyboardInterrupt:
        print(f"to resume: {TRAIN.typed()} resume={run}")
        raise


def resume(run: Path, overrides: Sequence[str] = ()) -> float:
    """Resume an interrupted run or extend a finished one, with its stored settings and the overrides applied."""
    run_folders.check_resumable(run)
    is_staged = (run / run_folders.STAGES).is_file()
    if is_staged and overrides:
        raise SettingsError(f"resume={run}: settings of a run of several stages cannot be changed; give resume= alone")
    print(f"resuming {run}")
    if is_staged:
        return run_stages(run)
    config = load_settings(run / run_folders.SETTINGS)
    if overrides:
        changed = override(config, overrides)
        change_run(run, config, changed)
        config = changed
    return train(config, run, run / run_folders.CHECKPOINT)


@hydra.main(config_path=str(CONFIGS), config_name="train", version_base=None)
@friendly
def start(config: DictConfig) -> float:
    """Start a new run in ``runs/NAME/DATE``; with ``resume=auto``, resume the newest interrupted run of that name."""
    sys.argv[1:] = ARGUMENTS  # Lightning starts its other processes with this command line
    run = Path(config.runs) / config.name / run_folders.new_run_name()
    if config.mode == Mode.test:
        return test_network(config, run)
    if config.resume == "auto":
        interrupted = run_folders.newest_unfinished(Path(config.runs), config.name)
        if interrupted is not None:
            return resume(interrupted)
    elif config.resume is not None:
        raise SettingsError("resume=RUN uses the stored settings of the run: leave out experiment= and other groups")
    if config.stages:
        overrides = HydraConfig.get().overrides.task
        kept = [each for each in overrides if each.lstrip("+~").partition("=")[0] not in WHOLE_RUN_KEYS]
        stages = {name: compose_config("train", [f"experiment={name}", *kept], MOVED_KEYS) for name in config.stages}
        return start_stages(config, stages, run, STARTED)
    return train(config, run)


def reset_weights_of_other_people(arguments: Sequence[str]) -> list[str]:
    """Reset the experiment's sampling weights if the arguments name other people collections and no weights."""
    keys = {argument.lstrip("+").partition("=")[0] for argument in arguments}
    if "data.people" in keys and "data.sampling_weights" not in keys:
        return [*arguments, "data.sampling_weights=null"]
    return list(arguments)


@friendly
def main() -> None:
    """Entry point: parse the command line, then train, resume, test or print help."""
    keep_freed_memory()
    for message in IGNORED_WARNINGS:
        warnings.filterwarnings("ignore", message=message)
    if wants_help(ARGUMENTS):
        print(list_experiments())
        return
    arguments = move_arguments(ARGUMENTS, notify=lambda line: print(line, file=sys.stderr))
    given = {key: value for key, _, value in (argument.partition("=") for argument in arguments)}
    if "resume" in given and not given.keys() & GROUP_NAMES:
        runs = Path(given.get("runs", runs_dir()))
        run = run_folders.newest_unfinished(runs) if given["resume"] == "auto" else Path(given["resume"])
        if run is None:
            raise InputError(f"resume=auto: no interrupted run in {runs}; give resume=RUN_FOLDER, or an experiment")
        resume(run, [each for each in arguments if not each.startswith(("resume=", "runs="))])
        return
    sys.argv[1:] = hydra_arguments(
        reset_weights_of_other_people(arguments), "train", CONFIGS, check_encoder_name, MOVED_KEYS
    )
    if not PRINTING_FLAGS.intersection(sys.argv):
        for module in ("lightning", "kornia", "albumentations"):
            require(module, "training")
    start()


if __name__ == "__main__":
    main()
