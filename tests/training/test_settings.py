"""Settings of training: a slip on the command line or in a file is one line, before anything heavy is loaded."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.utils import get_object

from howard.cli import hydra_arguments
from howard.data.datamodule import EpochUnit
from howard.errors import SettingsError
from howard.matting.encoders import ENCODERS
from howard.matting.encoders.timm_encoder import PREFIX
from howard.matting.refiner import RefineMode
from howard.settings import EpochName
from howard.training import network_settings, train_settings
from howard.training.moved_keys import MOVED_KEYS
from tests.training.runs import ROOT, command

CONFIGS = ROOT / "configs"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["experiment=coars"], "there is no experiment 'coars'; did you mean 'coarse'?"),
        (["trainer=dpp"], "there is no trainer 'dpp'; did you mean 'ddp'?"),
        (["trainer.max_stps=3"], "unknown setting 'trainer.max_stps'; did you mean 'trainer.max_steps'?"),
        (["model.encodr=resnet50"], "unknown setting 'model.encodr'; did you mean 'model.encoder'?"),
        (["trainer.max_steps=many"], "trainer.max_steps=many is not a whole number"),
        (["model.encoder=resnt50"], "model.encoder cannot be 'resnt50'; did you mean 'resnet50'?"),
        (["logger.wandb.mode=on"], "logger.wandb.mode cannot be 'on'; there are: offline, online"),
        (["debug=fd"], "there is no debug 'fd'; did you mean 'fdr'?"),
        (["model=base_matting"], "there is no model 'base_matting'; did you mean 'baseline'?"),
        (["logger=[wandb,tensrboard]"], "there is no logger 'tensrboard'; did you mean 'tensorboard'?"),
        (["--cfg", "jobs"], "--cfg needs one of job, hydra, all; 'jobs' is not"),
        (["tags=dev"], "tags=dev is not a list; write tags=[dev]"),
        (["-m", "model.encoder=resnet50,resnt50"], "model.encoder cannot be 'resnt50'; did you mean 'resnet50'?"),
        (["-m", "seed=1,two"], "seed=two is not a whole number"),
        (["-m", "model=coarse,refin"], "there is no model 'refin'; did you mean 'refine'?"),
    ],
)
def test_slips_on_the_command_line_are_one_line(arguments: list[str], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        hydra_arguments(arguments, "train", CONFIGS, train_settings.check_encoder_name)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trainer:\n  max_stps: 3", "experiment/mine.yaml: unknown setting 'trainer.max_stps'; did you mean"),
        ("nme: mine", "experiment/mine.yaml: unknown setting 'nme'; did you mean 'name'?"),
        ("trainer:\n  max_steps: many", "experiment/mine.yaml: trainer.max_steps=many is not a whole number"),
        ("model:\n  encoder: resnt50", "model.encoder cannot be 'resnt50'; did you mean"),
        (
            "defaults:\n  - override /model: refin",
            "experiment/mine.yaml: there is no model 'refin'; did you mean 'refine'?",
        ),
        ("name: [a", "the settings do not fit: while parsing"),
    ],
)
def test_slips_in_a_file_are_one_line(tmp_path: Path, text: str, message: str) -> None:
    shutil.copytree(CONFIGS, tmp_path / "configs")
    (tmp_path / "configs" / "experiment" / "mine.yaml").write_text(f"# @package _global_\n{text}\n")
    with pytest.raises(SettingsError) as caught:
        hydra_arguments(["experiment=mine"], "train", tmp_path / "configs", train_settings.check_encoder_name)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("former", "present"), MOVED_KEYS.items())
def test_a_former_key_in_a_file_is_answered_with_the_present_one(tmp_path: Path, former: str, present: str) -> None:
    shutil.copytree(CONFIGS, tmp_path / "configs")
    content: Any = 1
    for name in reversed(former.split(".")):
        content = {name: content}
    path = tmp_path / "configs" / "experiment" / "mine.yaml"
    path.write_text(f"# @package _global_\n{yaml.safe_dump(content)}")
    with pytest.raises(SettingsError) as caught:
        hydra_arguments(["experiment=mine"], "train", tmp_path / "configs", renamed=MOVED_KEYS)
    assert str(caught.value) == f"experiment/mine.yaml: unknown setting '{former}'; it is now called '{present}'"


def test_a_former_key_in_an_option_of_a_group_is_answered_with_the_present_one(tmp_path: Path) -> None:
    shutil.copytree(CONFIGS, tmp_path / "configs")
    (tmp_path / "configs" / "data" / "mine.yaml").write_text("defaults: [composites]\nshares: [1]\n")
    with pytest.raises(SettingsError) as caught:
        hydra_arguments(["data=mine"], "train", tmp_path / "configs", renamed=MOVED_KEYS)
    assert (
        str(caught.value) == "data/mine.yaml: unknown setting 'data.shares'; it is now called 'data.sampling_weights'"
    )


def test_a_sweep_passes_as_it_was_given() -> None:
    sweep = ["-m", "experiment=coarse", "optimiser.schedule=constant,cosine", "optimiser.warmup_steps=0,100"]
    assert hydra_arguments(sweep, "train", CONFIGS) == sweep


def test_every_schema_names_what_it_makes() -> None:
    made = [schemas for group, schemas in train_settings.SCHEMAS.items() if group != "paths"]
    for schemas in [*made, *train_settings.MAPPINGS.values()]:
        for schema in schemas.values():
            assert callable(get_object(schema()._target_))


def test_names_that_are_checked_early_are_those_that_there_are() -> None:
    assert set(network_settings.ENCODER_NAMES) == set(ENCODERS)
    assert network_settings.TIMM_PREFIX == PREFIX
    assert set(network_settings.RefineModeName) == set(RefineMode.__args__)
    assert set(EpochName) == set(EpochUnit.__args__)


def test_a_slip_is_told_before_torch_is_loaded() -> None:
    program = (
        "import runpy, sys\n"
        "sys.argv = ['train.py', 'experiment=smoke', 'seed=one']\n"
        "try:\n"
        "    runpy.run_path('train.py', run_name='__main__')\n"
        "finally:\n"
        "    assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (2, "error: seed=one is not a whole number\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["experiment=smoke", "data.root=nowhere"], "no data folder nowhere"),
        (["resume=nowhere"], "resume=nowhere: config.yaml is not there"),
        (["resume=nowhere", "experiment=smoke"], "leave out experiment= and other groups"),
        (["resume=auto"], "resume=auto: no interrupted run in runs"),
    ],
)
def test_what_is_not_there_is_said_in_one_line_and_leaves_nothing(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = command(*arguments, folder=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
