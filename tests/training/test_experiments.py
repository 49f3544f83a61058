"""Every experiment file composes and runs; a run leaves figures, pictures and weights behind."""

import csv
from pathlib import Path

import pytest
from omegaconf import DictConfig

import howard.training.__main__ as entry
from howard.errors import InputError, SettingsError
from howard.matting import BaselineNetwork, load_matting, load_network
from tests.training.runs import ROOT, command, composed

EXPERIMENTS = sorted(file.stem for file in (ROOT / "configs" / "experiment").glob("*.yaml"))
OF_STAGES = ("flagship",)


@pytest.mark.parametrize("experiment", [name for name in EXPERIMENTS if name not in OF_STAGES])
def test_every_experiment_runs_a_step(experiment: str, small: list[str], tmp_path: Path) -> None:
    fast = ["init=random", "trainer.fast_dev_run=true", "trainer.precision=auto"]
    config = composed(experiment, *small, *fast)
    if config.stage.crop:
        config.stage.crop = [64, 96]
    assert config.name == experiment
    assert entry.train(config, tmp_path / "run") > 0


def given_rates(config: DictConfig) -> dict[str, float]:
    return {name: rate for name, rate in config.optimiser.learning_rates.items() if rate is not None}


@pytest.mark.parametrize("experiment", OF_STAGES)
def test_the_stages_of_an_experiment_are_experiments(experiment: str) -> None:
    config = composed(experiment)
    assert len(config.stages) >= 2
    assert set(config.stages) <= set(EXPERIMENTS) - set(OF_STAGES)


def test_flagship_follows_the_recipe_with_the_person_prior() -> None:
    """Device, clock and callbacks apart."""
    stages = composed("flagship").stages
    recipes = ("people_coarse", "people_refine", "people_temporal")
    for stage, recipe in zip(stages, recipes, strict=True):
        ours, theirs = composed(stage), composed(recipe)
        assert (ours.model, ours.stage, ours.optimiser) == (theirs.model, theirs.stage, theirs.optimiser)
        assert ours.init == theirs.init or stage == "flagship_temporal"  # from the stage before
        assert ours.callbacks.ema == theirs.callbacks.ema
        assert ours.scaling.base_batch_size == ours.scaling.batch_sizes.cpu == theirs.data.batch_size
        for config in (ours, theirs):
            for name in ("batch_size", "workers", "samples_per_epoch"):
                config.data[name] = 0
        assert ours.data == theirs.data


def test_every_experiment_is_listed() -> None:
    page = entry.list_experiments()
    assert set(EXPERIMENTS) >= {"coarse", "refine", "coarse_lite", "refine_lite", "baseline", "smoke"}
    for experiment in EXPERIMENTS:
        assert f"experiment={experiment}" in page


def test_the_paper_is_followed_to_the_letter() -> None:
    coarse, refine = composed("coarse"), composed("refine")
    for config in (coarse, refine):
        assert config.model.encoder == "resnet50"
        assert (config.model.aspp_channels, list(config.model.decoder_widths)) == (256, [128, 64, 48])
        assert list(config.model.extra_inputs) == []
        assert config.trainer.precision == "16-mixed"
        assert "ema" not in config.callbacks
        assert (config.optimiser.schedule, config.trainer.gradient_clip_val) == ("constant", None)
    assert given_rates(coarse) == {"encoder": 1e-4, "aspp": 5e-4, "decoder": 5e-4}
    assert given_rates(refine) == {"encoder": 5e-5, "aspp": 5e-5, "decoder": 1e-4, "refiner": 3e-4}
    assert (coarse.data.batch_size, coarse.data.size, list(coarse.stage.crop)) == (8, 512, [256, 512])
    assert (refine.data.batch_size, list(refine.stage.crop), refine.stage.coarse_scales) == (4, [1024, 2048], [4.0])
    assert refine.stage.refine.fraction == pytest.approx(5000 / (480 * 270))


def test_the_baseline_sees_what_the_coarse_network_sees() -> None:
    coarse, baseline = composed("coarse_lite"), composed("baseline")
    assert baseline.data == coarse.data
    assert baseline.trainer == coarse.trainer


def test_a_run_leaves_figures_pictures_and_weights(small: list[str], tmp_path: Path) -> None:
    every = ["callbacks.timelapse.every_n_steps=3", "callbacks.checkpoints.every_n_steps=2"]
    config = composed("smoke", *small, "trainer.max_steps=8", *every)
    run = tmp_path / "run"
    entry.train(config, run)
    with (run / "csv" / "version_0" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sum(row["train/loss"] != "" for row in rows) == 8
    assert sum(row["val/mad"] != "" for row in rows) >= 2
    assert sorted(path.name for path in (run / "panels").iterdir()) == [f"panel_000000{step}.png" for step in (0, 4, 8)]
    assert sorted(int(path.stem) for path in (run / "timelapse").iterdir()) == [0, 1, 2, 3, 4, 5, 6, 8]
    assert (run / "timelapse.mp4").stat().st_size > 0
    assert [path.name for path in (run / "checkpoints").iterdir()] == ["last.ckpt"]
    metadata = load_matting(run / "weights.safetensors", device="cpu").metadata
    assert (metadata.name, metadata.mixing, metadata.extra_inputs) == ("smoke", "linear", ("coverage",))


def test_the_baseline_leaves_weights_that_matte(small: list[str], tmp_path: Path) -> None:
    entry.train(composed("baseline", *small, "trainer.max_steps=2", "model.widths=[8,12]"), tmp_path / "run")
    network, metadata = load_network(tmp_path / "run" / "weights.safetensors")
    assert isinstance(network, BaselineNetwork)
    assert (metadata.name, metadata.widths, metadata.has_refiner) == ("baseline", (8, 12), False)


def test_a_joint_stage_finds_the_coarse_run_it_fits(small: list[str], tmp_path: Path) -> None:
    small = [*small, "trainer.max_steps=2"]
    refine = composed("refine_lite", *small)
    with pytest.raises(InputError, match="no finished coarse run with encoder efficientnet_lite0"):
        entry.train(refine, tmp_path / "refine_lite" / "0")
    entry.train(composed("coarse_lite", *small), tmp_path / "coarse_lite" / "2026-01-01")
    entry.train(refine, tmp_path / "refine_lite" / "1")
    assert load_matting(tmp_path / "refine_lite" / "1" / "weights.safetensors", device="cpu").metadata.has_refiner
    with pytest.raises(InputError, match="no finished coarse run with encoder resnet50"):
        entry.train(composed("refine", *small), tmp_path / "refine" / "0")
    with pytest.raises(InputError, match="init=nowhere"):
        entry.train(composed("refine_lite", *small, "init=nowhere"), tmp_path / "refine_lite" / "2")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainer.precision=17-mixed", "Trainer does not accept these settings: .*17-mixed"),
        ("trainer.strategy=dpp", "Trainer does not accept these settings: .*dpp"),
        ("model.extra_inputs=[depth]", "MattingNetwork does not accept these settings: unknown extra input 'depth'"),
    ],
)
def test_values_that_only_their_owner_knows_are_refused_in_one_line(
    small: list[str], tmp_path: Path, override: str, message: str
) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        entry.train(composed("coarse_lite", *small, override), tmp_path / "run")
    assert "\n" not in str(caught.value)


def test_nothing_asked_lists_the_experiments(tmp_path: Path) -> None:
    result = command(folder=tmp_path)
    assert result.returncode == 0
    assert "experiment=coarse_lite" in result.stdout


def test_a_sweep_makes_a_run_of_each_value(small: list[str], tmp_path: Path) -> None:
    values = "model.encoder=mobilenetv2,efficientnet_lite0"
    result = command("-m", "experiment=coarse_lite", values, "trainer.max_steps=1", *small, folder=tmp_path)
    assert result.returncode == 0, result.stderr
    weights = sorted(tmp_path.glob("coarse_lite/*/weights.safetensors"))
    encoders = [load_network(path)[1].encoder for path in weights]
    assert encoders == ["mobilenetv2", "efficientnet_lite0"]
