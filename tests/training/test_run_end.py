"""The hook at the end of a run, and the model card that it leaves."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from howard.data.data_version import CollectionVersion, DataVersion
from howard.errors import InputError
from howard.matting import WeightsMetadata
from howard.training.model_card import ModelCard, TrainingFacts
from howard.training.run_end import FinishedRun, RunEndCallback, call_run_end

METADATA = WeightsMetadata(encoder="efficientnet_lite0", has_refiner=False, name="mine", data="people, places")
FACTS = TrainingFacts("abc", 60, 4, "bf16-mixed", "cpu", 3_600_000)
VERSION = DataVersion((CollectionVersion("people", "people", "train", 2, "0123456789abcdef"),), None)
CARD = ModelCard(METADATA, FACTS, VERSION, {"val/mad": 12.0}, {"last checkpoint": "checkpoints/last.ckpt"})


class Noting(RunEndCallback):
    """Notes the runs that ended, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.seen = error, list[str]()

    def on_run_end(self, trainer: Any, run: FinishedRun) -> None:
        if self.error is not None:
            raise self.error
        self.seen.append(run.experiment)


def test_a_failing_callback_does_not_keep_others_from_their_end(capsys: pytest.CaptureFixture[str]) -> None:
    good = Noting()
    trainer: Any = SimpleNamespace(callbacks=[Noting(InputError("no clips")), object(), good])
    call_run_end(trainer, FinishedRun(Path("run"), "mine", METADATA, "abc", {}))
    assert good.seen == ["mine"]
    assert capsys.readouterr().out == "Noting skipped: no clips\n"


def test_what_is_no_error_for_people_is_not_hidden() -> None:
    trainer: Any = SimpleNamespace(callbacks=[Noting(ZeroDivisionError())])
    with pytest.raises(ZeroDivisionError):
        call_run_end(trainer, FinishedRun(Path("run"), "mine", METADATA, "abc", {}))


def test_the_card_says_everything_it_knows() -> None:
    text = CARD.text()
    for expected in ("# mine", "3.6 M parameters", VERSION.digest[:12], "60 steps", "12.00", "`checkpoints/last.ckpt`"):
        assert expected in text
    assert "refiner" not in text
    assert CARD.values()["data_version"] == VERSION.digest
    assert CARD.values()["scores"] == {"val/mad": 12.0}


@pytest.mark.parametrize(("revision", "is_dirty"), [("abc", False), ("abc-dirty", True), ("unknown", False)])
def test_uncommitted_changes_are_named(revision: str, is_dirty: bool) -> None:
    card = replace(CARD, facts=replace(FACTS, revision=revision))
    assert card.values()["dirty"] == is_dirty
    assert ("not committed" in card.text()) == is_dirty


def test_a_card_without_a_version_names_the_collections() -> None:
    card = replace(CARD, data=None, scores={}, checkpoints={})
    assert "people, places; the version of the data could not be determined" in card.text()
    assert "## Scores" not in card.text()
    assert card.values()["data_version"] is None


def test_a_u_net_has_neither_encoder_nor_refiner() -> None:
    text = replace(CARD, metadata=WeightsMetadata(widths=(8, 16))).text()
    assert "U-Net; " in text
    assert "encoder" not in text
