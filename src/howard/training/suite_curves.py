"""Figures on the validation suite while training."""

from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn

from howard.errors import HowardError
from howard.evaluation.suite.running import SuiteOptions
from howard.matting import WeightsMetadata, save_weights
from howard.training.averaging import exported_state
from howard.training.suite_figures import measure_suite, suite_figures

PREFIX = "suite_curves"
_FILE = "suite_curves.safetensors"  # the weights being measured; removed afterwards


class SuiteCurves(Callback):
    """Logs ``suite_curves/PHENOMENON/METRIC`` after validations, of the weights that a run would export then.

    Only stills are taken, fewer than at the end of a run, whose ``suite/`` figures these are not comparable with. The
    time it takes counts as training time for ``budget.minutes``. Where the suite's data is missing, one line says so.

    Args:
        metadata: of the weights.
        every_n_validations: validations from one measurement to the next.
        limit: stills of each phenomenon, the first ones; None takes all.
    """

    def __init__(self, metadata: WeightsMetadata, every_n_validations: int = 1, limit: int | None = 4) -> None:
        self.metadata, self.every = metadata, every_n_validations
        self.options = SuiteOptions(limit=limit, stills_only=True)
        self._validations = 0
        self._is_available = True

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # A validation outside of the fit is of the final weights, which the suite itself measures.
        if trainer.sanity_checking or trainer.state.fn != TrainerFn.FITTING or not self._is_available:
            return
        self._validations += 1
        if self._validations % self.every == 0 and trainer.is_global_zero:
            self._measure(trainer, pl_module)

    def _measure(self, trainer: Trainer, module: LightningModule) -> None:
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        weights = Path(trainer.default_root_dir) / _FILE
        save_weights(weights, exported_state(trainer, module), self.metadata)
        try:
            results = measure_suite(weights, data.root, self.options, module.device.type, data.workers)
        except HowardError as error:
            self._is_available = False
            print(f"{PREFIX} skipped: {error}")
            return
        finally:
            weights.unlink()
        for logger in trainer.loggers:
            logger.log_metrics(suite_figures(results, PREFIX), step=trainer.global_step)
