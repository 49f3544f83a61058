"""Settings of former versions are understood on the command line and in the folders of runs."""

from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

from howard.errors import InputError, SettingsError
from howard.training.moved_keys import MOVED_KEYS, move_arguments, move_stored
from howard.training.stored_settings import load_settings
from tests.training.runs import composed

RECIPES = Path(__file__).parent / "recipes"


@pytest.mark.parametrize("name", ["refine_lite", "people_refine"])
def test_a_stored_recipe_has_the_present_layout(name: str) -> None:
    """Each group is that of today's experiment; what has changed on purpose since is not compared."""
    stored = load_settings(RECIPES / f"{name}.yaml")
    today = composed(name)
    for group in ("model", "stage", "optimiser"):
        assert stored[group] == today[group]
    assert stored.trainer.max_steps == today.trainer.max_steps
    assert stored.callbacks.ema == today.callbacks.ema
    assert set(stored) == set(today)


def test_a_stored_logger_becomes_one_of_a_mapping() -> None:
    assert load_settings(RECIPES / "refine_lite.yaml").logger.wandb.project == "howard"
    assert load_settings(RECIPES / "people_refine.yaml").logger == {}


def test_a_present_config_is_left_as_it_is() -> None:
    plain = OmegaConf.to_container(composed("smoke"), resolve=True, enum_to_str=True)
    assert isinstance(plain, dict)
    assert move_stored(plain) == plain


def test_the_present_config_is_read_back_as_it_was(tmp_path: Path) -> None:
    config = composed("smoke", "+callbacks.mine={_target_: lightning.pytorch.callbacks.Timer}")
    OmegaConf.save(config, tmp_path / "config.yaml")
    read = load_settings(tmp_path / "config.yaml")
    assert OmegaConf.to_yaml(read, resolve=True) == OmegaConf.to_yaml(config, resolve=True)
    assert list(read.callbacks) == list(config.callbacks)


def test_no_present_key_is_also_a_former_one() -> None:
    assert not set(MOVED_KEYS) & set(MOVED_KEYS.values())


@pytest.mark.parametrize(("former", "present"), MOVED_KEYS.items())
def test_former_keys_are_understood_when_typed(former: str, present: str) -> None:
    notices: list[str] = []
    typed = [f"{former}=a=b", f"+{former}=1", f"~{former}", f"{former}.part=1", f"{former}s=1", "seed=1", "-m"]
    assert move_arguments(typed, notices.append) == [
        f"{present}=a=b",
        f"+{present}=1",
        f"~{present}",
        f"{present}.part=1",
        f"{former}s=1",
        "seed=1",
        "-m",
    ]
    assert notices[0] == f"{former} is called {present}"
    assert len(notices) == 4
    every_group = composed("coarse", "logger=wandb")
    assert OmegaConf.select(every_group, present, default=every_group) is not every_group


def test_an_unknown_stored_setting_is_one_line(tmp_path: Path) -> None:
    stored = yaml.safe_load((RECIPES / "refine_lite.yaml").read_text())
    stored["trainer"]["max_stps"] = 3
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(stored))
    with pytest.raises(SettingsError, match=r"config\.yaml: the setting trainer\.max_stps does not fit") as caught:
        load_settings(tmp_path / "config.yaml")
    assert "\n" not in str(caught.value)
    (tmp_path / "config.yaml").write_text("- 1")
    with pytest.raises(InputError, match="is not a run's settings"):
        load_settings(tmp_path / "config.yaml")
