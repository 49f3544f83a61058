"""Metrics on the validation suite: of the exported weights at the end of a run, and of the weights while training."""

from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn

from howard.errors import HowardError
from howard.evaluation.suite.frozen_recipe import load_recipe
from howard.evaluation.suite.results import SuiteResults
from howard.evaluation.suite.running import SuiteOptions, SuiteRun, describe_weights
from howard.matting import WeightsMetadata, load_matting, save_weights
from howard.media import write_atomically
from howard.progress import open_progress
from howard.training.checkpoints import exported_state
from howard.training.run_folders import EXPORTED, SUITE

PREFIX, CURVES_PREFIX = "suite", "suite_curves"
_CURVES_WEIGHTS = "suite_curves.safetensors"  # temporary file of the weights being measured


def log_suite(
    run: Path, root: Path, trainer: Trainer, *, limit: int | None, stills_only: bool, workers: int
) -> dict[str, float]:
    """Measure a run's exported weights, log ``suite/PHENOMENON/METRIC`` and write the values of all composites.

    The phenomenon ``mean`` is the mean of all; the file is ``suite.json``. If the validation people or places are
    missing, or composites cannot be stored, this is printed in one line and nothing is logged: the training is valid
    without the suite.

    Args:
        run: folder of the run, with its exported weights.
        root: folder of collections.
        trainer: its loggers receive the metrics.
        limit: number of composites of each phenomenon, the first ones; None for all.
        stills_only: whether clips are omitted.
        workers: processes that render missing composites.

    Returns:
        The logged values by name.
    """
    device = trainer.strategy.root_device.type
    try:
        options = SuiteOptions(limit=limit, stills_only=stills_only)
        results = measure_suite(run / EXPORTED, root, options, device, workers)
        write_atomically(run / SUITE, results.to_json().encode())
    except HowardError as error:
        print(f"validation suite skipped: {error}")
        return {}
    metrics = means_by_key(results, PREFIX)
    for logger in trainer.loggers:
        logger.log_metrics(metrics, step=trainer.global_step)
        logger.save()
    return metrics


class SuiteCurves(Callback):
    """Logs ``suite_curves/PHENOMENON/METRIC`` after validations, for the weights that would be exported then.

    Uses only stills, and fewer than at the end of a run: the values are not comparable with those of ``suite/``. The
    time taken counts as training time for ``budget.minutes``. If the suite's data is missing, this is printed once.

    Args:
        metadata: of the weights.
        every_n_validations: validations between measurements.
        limit: stills of each phenomenon, the first ones; None takes all.
    """

    def __init__(self, metadata: WeightsMetadata, every_n_validations: int = 1, limit: int | None = 4) -> None:
        self.metadata, self.every = metadata, every_n_validations
        self.options = SuiteOptions(limit=limit, stills_only=True)
        self._validations = 0
        self._is_available = True

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # The validation after the fit is of the final weights, which log_suite measures.
        if trainer.sanity_checking or trainer.state.fn != TrainerFn.FITTING or not self._is_available:
            return
        self._validations += 1
        if self._validations % self.every == 0 and trainer.is_global_zero:
            self._measure(trainer, pl_module)

    def _measure(self, trainer: Trainer, module: LightningModule) -> None:
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        weights = Path(trainer.default_root_dir) / _CURVES_WEIGHTS
        save_weights(weights, exported_state(trainer, module), self.metadata)
        try:
            results = measure_suite(weights, data.root, self.options, module.device.type, data.workers)
        except HowardError as error:
            self._is_available = False
            print(f"{CURVES_PREFIX} skipped: {error}")
            return
        finally:
            weights.unlink()
        for logger in trainer.loggers:
            logger.log_metrics(means_by_key(results, CURVES_PREFIX), step=trainer.global_step)


def measure_suite(weights: Path, root: Path, options: SuiteOptions, device: str, workers: int) -> SuiteResults:
    """Run the suite on a weights file; raises HowardError if data is missing or composites cannot be stored."""
    suite = SuiteRun(load_recipe(), root, options, workers=workers)
    predictor = load_matting(weights, device)
    about = {"weights": describe_weights(weights), "precision": predictor.precision}
    with open_progress("plain") as progress:
        return suite.run(predictor, about, progress)


def means_by_key(results: SuiteResults, prefix: str) -> dict[str, float]:
    """Mean values by ``PREFIX/PHENOMENON/METRIC``."""
    return {
        f"{prefix}/{phenomenon}/{metric}": value
        for phenomenon, means in results.means().items()
        for metric, value in means.items()
    }
