"""Figures of a run's exported weights on the validation suite."""

from pathlib import Path

from lightning import Trainer

from howard.errors import HowardError
from howard.evaluation.suite.frozen_recipe import load_recipe
from howard.evaluation.suite.running import SuiteOptions, SuiteRun, describe_weights
from howard.matting import load_matting
from howard.media import write_whole
from howard.progress import open_progress
from howard.training.folders import EXPORTED

PREFIX, FILE = "suite", "suite.json"


def log_suite(run: Path, root: Path, trainer: Trainer, *, limit: int | None, stills_only: bool, workers: int) -> None:
    """Measure a run's weights, log ``suite/PHENOMENON/METRIC`` and keep the values of all composites in ``suite.json``.

    The phenomenon ``mean`` is the mean of all.
    Where the validation people and places are missing, or composites cannot be kept, one line says so and nothing is
    logged: a finished training is not lost for it.

    Args:
        run: folder of the run, with its exported weights.
        root: folder of collections.
        trainer: whose loggers get the figures.
        limit: so many composites of each phenomenon, the first ones; None for all.
        stills_only: whether clips are left out.
        workers: processes that render composites which are missing.
    """
    try:
        suite = SuiteRun(load_recipe(), root, SuiteOptions(limit=limit, stills_only=stills_only), workers=workers)
        predictor = load_matting(run / EXPORTED, trainer.strategy.root_device.type)
        about = {"weights": describe_weights(run / EXPORTED), "precision": predictor.precision}
        with open_progress("plain") as progress:
            results = suite.run(predictor, about, progress)
        write_whole(run / FILE, results.to_json().encode())
    except HowardError as error:
        print(f"validation suite skipped: {error}")
        return
    figures = {
        f"{PREFIX}/{phenomenon}/{metric}": value
        for phenomenon, means in results.means().items()
        for metric, value in means.items()
    }
    for logger in trainer.loggers:
        logger.log_metrics(figures, step=trainer.global_step)
        logger.save()
