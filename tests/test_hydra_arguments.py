"""Arguments of commands that are composed from groups of configs, checked and quoted before Hydra reads them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from howard import cli
from howard.errors import SettingsError
from howard.options import RenderJob


@pytest.fixture
def research(tmp_path: Path) -> Callable[..., list[str]]:
    """A training-like tree of configs; the returned function checks arguments against it."""
    files = {
        "research.yaml": "defaults: [{model: small}, {experiment: null}, _self_]\nroot: data\nencoders: 1\nsteps: 10\n",
        "model/small.yaml": "encoder: resnet50\nwidth: 0.5\n",
        "model/large.yaml": "encoder: resnet101\ndepth: 3\n",
        "experiment/coarse.yaml": "# @package _global_\nsteps: 20\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return lambda *arguments: cli.hydra_arguments(arguments, "research", tmp_path)


def test_research_arguments_are_quoted_and_passed(research: Callable[..., list[str]]) -> None:
    given_arguments = ["experiment=coarse", "model.encoder=a b", "root=it's", "steps=3", "+new=1", "hydra.verbose=true"]
    expected = ["experiment=coarse", "model.encoder='a b'", r"root='it\'s'", "steps=3", "+new=1", "hydra.verbose=true"]
    assert research(*given_arguments) == expected


def test_chosen_groups_decide_which_keys_exist(research: Callable[..., list[str]]) -> None:
    assert research("model=large", "model.depth=5") == ["model=large", "model.depth=5"]
    with pytest.raises(SettingsError, match=r"unknown setting 'model\.depth'"):
        research("model.depth=5")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("experiment=corse", "there is no experiment 'corse'; did you mean 'coarse'?"),
        ("encoder=resnet50", "unknown setting 'encoder'; did you mean 'model.encoder'?"),
        ("experimnt=coarse", "unknown setting 'experimnt'; did you mean 'experiment'?"),
        ("steps=[1", "the settings do not fit"),
        (f"+more={'9' * 5000}", "the settings do not fit"),
    ],
)
def test_research_slips(research: Callable[..., list[str]], argument: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        research(argument)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_sweeps_keep_hydras_grammar(research: Callable[..., list[str]]) -> None:
    sweep = ["-m", "model=small,large", "steps=1,2"]
    assert research(*sweep) == sweep


@pytest.mark.parametrize(
    ("typed", "quoted"),
    [
        ("a,b", "'a','b'"),
        ("a.mov,my shot (2).mov", "'a.mov','my shot (2).mov'"),
        ("[a.mov,b.jpg],c.mov", "'[a.mov,b.jpg]','c.mov'"),
        ("'a,1',b", "'a,1','b'"),
        ("choice(a,b)", "choice(a,b)"),
        ("null,b", "null,'b'"),
    ],
)
def test_texts_of_a_sweep_part_at_commas_outside_of_brackets(
    research: Callable[..., list[str]], typed: str, quoted: str
) -> None:
    assert research("-m", f"root={typed}") == ["-m", f"root={quoted}"]


def test_a_name_that_exists_is_one_value_of_a_sweep(
    research: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a,b.mov").touch()
    assert research("-m", "root=a,b.mov") == ["-m", "root='a,b.mov'"]


@pytest.mark.parametrize("text", ["${oc.env:HOWARD_NOWHERE}", "${nowhere}"])
def test_what_cannot_be_interpolated_is_one_line(text: str) -> None:
    config = OmegaConf.create({"input": "a", "plate": "b", "output": text})
    with pytest.raises(SettingsError, match="the settings do not fit") as caught:
        cli.as_settings(RenderJob, config)
    assert "\n" not in str(caught.value)
