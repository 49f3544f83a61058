"""An encoder and a loss term of one's own, as docs/extending.md has them, in files beside the project."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

import howard.training.__main__ as entry
from howard.cli import hydra_arguments
from howard.errors import SettingsError
from howard.matting import load_network
from howard.matting.encoders import ENCODERS
from howard.matting.losses import LOSS_TERMS
from howard.training.assembly import import_extensions
from howard.training.compare.run_records import read_run
from tests.documentation.pages import block_commands, blocks, documented_python
from tests.training.runs import ROOT, composed

PAGE = "docs/extending.md"
ENCODER, TERM = documented_python(PAGE)
WITH_ENCODER, WITH_TERM = (
    next(command for block in blocks(PAGE) for command in block_commands(block) if f"extensions=[{name}]" in command)
    for name in ("my_encoder", "my_terms")
)
SHORT = ["trainer.max_steps=1", "callbacks=none", "suite=null"]


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What the page registers is known to this test alone."""
    yield
    ENCODERS.pop("tiny", None)
    LOSS_TERMS.pop("squared", None)


def train_as_documented(command: str, module: str, code: str, folder: Path, small: list[str]) -> Path:
    """Write the page's module and do a step of its command in small; returns the run."""
    (folder / f"{module}.py").write_text(code, encoding="utf-8")
    _, _, *arguments = shlex.split(command)
    experiment, *others = hydra_arguments(arguments, "train", ROOT / "configs")
    entry.train(composed(experiment.partition("=")[2], *others, *small, *SHORT), folder / "run")
    return folder / "run"


def code_lines(code: str) -> list[str]:
    """Lines that are not blank."""
    return [line for line in code.splitlines() if line.strip()]


def test_the_documented_encoder_is_used_by_name(
    small: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = train_as_documented(WITH_ENCODER, "my_encoder", ENCODER, tmp_path, small)
    assert load_network(run / "weights.safetensors")[1].encoder == "tiny"


def test_the_documented_loss_term_is_used_by_name(
    small: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = train_as_documented(WITH_TERM, "my_terms", TERM, tmp_path, small)
    assert "train/squared" in read_run(run).curves


def test_a_loss_term_counts_for_the_coarse_matte_too(
    small: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "joint_terms.py").write_text(TERM, encoding="utf-8")
    joint = ["extensions=[joint_terms]", "+stage.loss.squared=2", "+stage.loss.coarse_squared=1"]
    entry.train(composed("smoke", *small, *joint, *SHORT), tmp_path / "run")
    assert {"train/squared", "train/coarse_squared"} <= set(read_run(tmp_path / "run").curves)


@pytest.mark.parametrize(("code", "most"), [(ENCODER, 30), (TERM, 15)], ids=["encoder", "loss term"])
def test_an_extension_is_short(code: str, most: int) -> None:
    assert len(code_lines(code)) <= most


def test_a_module_that_is_not_there_is_one_line() -> None:
    with pytest.raises(
        SettingsError, match=r"extensions=\[no_such_parts\] cannot be imported: No module named"
    ) as caught:
        import_extensions(["no_such_parts"])
    assert "\n" not in str(caught.value)
