"""Option groups as users of Hydra templates expect them: callbacks, loggers, debugging, sweeps, paths and tests."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lightning import Callback
from lightning.pytorch.callbacks import LearningRateMonitor
from omegaconf import OmegaConf

import howard.training.__main__ as entry
from howard.cli import hydra_arguments
from howard.errors import InputError, SettingsError
from howard.training import run_folders
from howard.training.assembly import build_callbacks, build_loggers
from howard.training.compare.run_records import read_run
from tests.training.runs import ROOT, command, composed

MINE = "+callbacks.mine._target_=lightning.pytorch.callbacks.LearningRateMonitor"


def names(callbacks: list[Callback]) -> list[str]:
    return [type(each).__name__ for each in callbacks]


def test_a_callback_is_removed_and_another_added() -> None:
    tracking = ["learning_rates", "gradient_norm", "throughput", "device", "artifacts"]
    without = [f"~callbacks.{name}" for name in ("timelapse", *tracking)]
    config = composed("coarse", "callbacks=ema", *without, MINE, "+callbacks.mine.log_momentum=true")
    built = build_callbacks(config, metadata=None)
    expected = ["Checkpoints", "ValidationPanel", "ErrorMapWatch", "LearningRateMonitor", "ExponentialAverage"]
    assert names(built) == expected
    assert isinstance(built[3], LearningRateMonitor)
    assert built[3].log_momentum


@pytest.mark.parametrize("option", ["plain", "ema", "timed", "tracking"])
def test_every_option_tracks_the_training_itself(option: str) -> None:
    config = composed("coarse", f"callbacks={option}")
    tracking = {"LearningRateMonitor", "GradientNorm", "Throughput", "DeviceStats", "Artifacts"}
    assert tracking <= set(names(build_callbacks(config, metadata=None)))


def test_heavy_callbacks_are_one_option_away() -> None:
    config = composed("coarse_lite", "callbacks=[ema,bench,suite_curves]", "callbacks.bench.frames=3")
    built = {type(each).__name__: each for each in build_callbacks(config, metadata=None)}
    assert built["BenchTable"].frames == 3
    assert built.keys() >= {"SuiteCurves", "ExponentialAverage", "Checkpoints"}
    assert not built.keys() & {"BestWeights"}


@pytest.mark.parametrize("override", ["callbacks=none", "debug=fdr"])
@pytest.mark.parametrize("experiment", ["coarse", "smoke"])
def test_no_callbacks_at_all(experiment: str, override: str) -> None:
    """Smoke sets the distances of callbacks that are then not there."""
    assert build_callbacks(composed(experiment, override), metadata=None) == []


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["+callbacks.mine={every: 3}"], r"callbacks\.mine is not a Lightning callback"),
        (["+callbacks.mine._target_=nowhere.Mine"], r"_target_=nowhere\.Mine cannot be imported"),
        (["+callbacks.mine._target_=builtins.dict"], r"callbacks\.mine is not a Lightning callback"),
    ],
)
def test_what_is_no_callback_is_said_in_one_line(overrides: list[str], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        build_callbacks(composed("coarse", *overrides), metadata=None)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("override", ["logger=csv", "debug=limit"])
def test_csv_files_are_always_written(override: str, tmp_path: Path) -> None:
    assert names(build_loggers(composed("coarse", override), tmp_path)) == ["CSVLogger"]


def test_a_logger_of_ones_own(tmp_path: Path) -> None:
    mine = ["+logger.mine._target_=lightning.pytorch.loggers.CSVLogger", f"+logger.mine.save_dir={tmp_path}"]
    assert names(build_loggers(composed("coarse", "logger=csv", *mine), tmp_path)) == ["CSVLogger", "CSVLogger"]
    with pytest.raises(SettingsError, match=r"logger\.mine is not a Lightning logger"):
        build_loggers(composed("coarse", "logger=csv", "+logger.mine={a: 1}"), tmp_path)


def test_the_data_folder_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOWARD_DATA_DIR", raising=False)
    assert (composed("coarse").data.root, composed("coarse").runs) == ("data", "runs")
    monkeypatch.setenv("HOWARD_DATA_DIR", "/films")
    monkeypatch.setenv("HOWARD_RUNS_DIR", "/outcomes")
    assert (composed("coarse").data.root, composed("coarse").runs) == ("/films", "/outcomes")
    assert composed("coarse", "paths.data_dir=/other").data.root == "/other"


def test_no_config_names_a_folder_outside_of_the_project() -> None:
    for file in (ROOT / "configs").rglob("*.yaml"):
        assert "../" not in file.read_text(), file


@pytest.mark.parametrize("option", ["fdr", "limit", "overfit", "profiler"])
@pytest.mark.parametrize("experiment", ["smoke", "people_refine"])
def test_debugging_composes_with_experiments(option: str, experiment: str) -> None:
    config = composed(experiment, f"debug={option}", "trainer.accelerator=cpu")
    assert (config.name, list(config.tags), config.init, config.suite) == ("debug", ["debug"], "random", None)
    assert config.trainer.fast_dev_run == (option == "fdr")


@pytest.mark.slow
def test_a_profile_is_written_into_the_run(small: list[str], tmp_path: Path) -> None:
    config = composed("smoke", *small, "debug=profiler", "trainer.limit_train_batches=1")
    entry.train(config, tmp_path / "run")
    [profile] = (tmp_path / "run").glob("fit-profile*")
    assert "run_training_batch" in profile.read_text()


@pytest.mark.slow
def test_overfitting_repeats_its_batches(small: list[str], tmp_path: Path) -> None:
    """The same losses in every epoch where the rates are zero, so where the samples alone could change them."""
    still = [f"optimiser.learning_rates.{part}=0" for part in ("encoder", "aspp", "decoder", "refiner")]
    epochs = ["trainer.max_epochs=2", "trainer.overfit_batches=1", "model.extra_inputs=[]"]
    config = composed("smoke", *small, "debug=overfit", *still, *epochs)
    entry.train(config, tmp_path / "run")
    first, second = (value for _, value in read_run(tmp_path / "run").curves["train/alpha"])
    assert first == pytest.approx(second, rel=0.2)


def test_a_config_is_printed_without_training(tmp_path: Path) -> None:
    shown = command("--cfg", "job", "experiment=coarse", "task_name=mine", "tags=[a,b]", folder=tmp_path)
    assert (shown.returncode, shown.stderr) == (0, "task_name is called name\n")
    config = OmegaConf.create(shown.stdout)
    assert (config.name, list(config.tags), config.model.encoder) == ("mine", ["a", "b"], "resnet50")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["-m", "hydra/sweeper=optuna"], ["hparams_search=optuna"]])
def test_a_missing_sweeper_is_named(arguments: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        hydra_arguments(["experiment=smoke", *arguments], "train", ROOT / "configs")
    needs = "hydra/sweeper=optuna needs a package that is not installed: pip install hydra-optuna-sweeper"
    assert str(caught.value) == needs


@pytest.mark.slow
def test_a_sweep_from_a_file_runs_its_combinations(small: list[str], tmp_path: Path) -> None:
    short = ["trainer.fast_dev_run=true", "callbacks=none", "hydra.sweeper.params.seed='3,4'"]
    result = command("experiment=smoke", "hparams_search=grid", *small, *short, folder=tmp_path)
    assert result.returncode == 0, result.stderr
    configs = [OmegaConf.load(file) for file in tmp_path.glob("smoke/*/config.yaml")]
    found = {(config.seed, config.optimiser.schedule) for config in configs}
    assert found == {(3, "constant"), (3, "cosine"), (4, "constant"), (4, "cosine")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "key", "values"),
    [
        ([], "data.strength", {"[0.0, 0.0]", "[0.5, 0.5]", "[1.0, 1.0]"}),
        (["-m", "hydra.sweeper.params=null", "data.prepared_fraction=0,0.2"], "data.prepared_fraction", {"0.0", "0.2"}),
    ],
)
def test_an_ablation_is_a_sweep(
    arguments: list[str], key: str, values: set[str], small: list[str], tmp_path: Path
) -> None:
    short = ["trainer.fast_dev_run=true", "callbacks=none"]
    done = command("experiment=coarse_lite", "hparams_search=ablation", *arguments, *small, *short, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    configs = [OmegaConf.load(file) for file in tmp_path.glob("ablation/*/config.yaml")]
    assert {str(OmegaConf.select(config, key)) for config in configs} == values
    assert len(configs) == len(values)


@pytest.mark.slow
def test_a_checkpoint_is_tested(small: list[str], data_root: Path, tmp_path: Path) -> None:
    data = shutil.copytree(data_root, tmp_path / "data")
    (data / "people" / "val.txt").write_text("d")
    (data / "people" / "test.txt").write_text("c")
    manifest = data / "places" / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("unclear/b.jpg,train", "open/b.jpg,test"))
    (data / "places" / "unclear" / "b.jpg").rename(data / "places" / "open" / "b.jpg")
    short = [*small, f"data.root={data}"]
    run = tmp_path / "smoke" / "trained"
    entry.train(composed("smoke", *short, "trainer.max_steps=2", "callbacks.checkpoints.every_n_steps=1"), run)
    expected = {}
    for name in ("last.ckpt", "weights.safetensors", ""):
        [path] = [run] if not name else run.rglob(name)
        config = composed("smoke", *short, "mode=test", f"ckpt_path={path}")
        expected[name] = entry.test_network(config, tmp_path / "smoke" / f"tested_{name}")
    assert expected["last.ckpt"] == pytest.approx(expected["weights.safetensors"], rel=0.02)  # half precision
    assert expected[""] == expected["weights.safetensors"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["mode=test"], SettingsError, "mode=test needs ckpt_path=FILE"),
        (["mode=test", "ckpt_path=nowhere.ckpt"], InputError, "ckpt_path=nowhere.ckpt: there is no such file"),
    ],
)
def test_what_cannot_be_tested_is_said(arguments: list[str], error: type, message: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=message):
        entry.test_network(composed("smoke", *arguments), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert run_folders.newest_unfinished(tmp_path) is None


def test_every_option_of_every_group_composes() -> None:
    program = (
        "from hydra import compose, initialize_config_dir\n"
        "import sys, howard.training.train_settings\n"
        "from howard.cli.composing import hydra_ready, list_groups\n"
        "from pathlib import Path\n"
        "with hydra_ready(Path('configs')):\n"
        "    for group, options in list_groups():\n"
        "        for option in options:\n"
        "            if option != 'optuna':\n"
        "                compose('train', [f'{group}={option}'])\n"
        "                print(group, option)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    groups = {line.split()[0] for line in done.stdout.splitlines()}
    assert groups >= {"model", "data", "trainer", "callbacks", "logger", "experiment", "debug", "paths", "stage"}
