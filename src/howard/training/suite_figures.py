"""Figures of a run's weights on the validation suite."""

from pathlib import Path

from lightning import Trainer

from howard.errors import HowardError
from howard.evaluation.suite.frozen_recipe import load_recipe
from howard.evaluation.suite.results import SuiteResults
from howard.evaluation.suite.running import SuiteOptions, SuiteRun, describe_weights
from howard.matting import load_matting
from howard.media import write_whole
from howard.progress import open_progress
from howard.training.folders import EXPORTED, SUITE

PREFIX = "suite"


def log_suite(
    run: Path, root: Path, trainer: Trainer, *, limit: int | None, stills_only: bool, workers: int
) -> dict[str, float]:
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

    Returns:
        What was logged.
    """
    device = trainer.strategy.root_device.type
    try:
        options = SuiteOptions(limit=limit, stills_only=stills_only)
        results = measure_suite(run / EXPORTED, root, options, device, workers)
        write_whole(run / SUITE, results.to_json().encode())
    except HowardError as error:
        print(f"validation suite skipped: {error}")
        return {}
    figures = suite_figures(results, PREFIX)
    for logger in trainer.loggers:
        logger.log_metrics(figures, step=trainer.global_step)
        logger.save()
    return figures


def measure_suite(weights: Path, root: Path, options: SuiteOptions, device: str, workers: int) -> SuiteResults:
    """Run the suite on a weights file; raises HowardError where the data is missing or composites cannot be kept."""
    suite = SuiteRun(load_recipe(), root, options, workers=workers)
    predictor = load_matting(weights, device)
    about = {"weights": describe_weights(weights), "precision": predictor.precision}
    with open_progress("plain") as progress:
        return suite.run(predictor, about, progress)


def suite_figures(results: SuiteResults, prefix: str) -> dict[str, float]:
    """Means by ``PREFIX/PHENOMENON/METRIC``."""
    return {
        f"{prefix}/{phenomenon}/{metric}": value
        for phenomenon, means in results.means().items()
        for metric, value in means.items()
    }
