"""Without the optional packages every command works, or says in one line what to install."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from howard.errors import MissingPackageError
from howard.requirements import EXTRAS, PACKAGES, missing_package, require
from tests.training.test_compare import write_run

ROOT = Path(__file__).parents[1]
OPTIONAL = sorted({module for modules in EXTRAS.values() for module in modules} | PACKAGES.keys())
# Refuses to find the optional modules, in any process that has its folder in PYTHONPATH.
BLOCKER = f"""
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {OPTIONAL!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocker())
"""
NOTEBOOK = """
import json, sys
from pathlib import Path
from howard.cli import friendly

@friendly
def run():
    cells = json.loads(Path(sys.argv[1]).read_text())["cells"]
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), {})

run()
"""


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a process that lacks the optional packages."""
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "sitecustomize.py").write_text(BLOCKER)
    paths = [str(tmp_path / "blocked"), str(ROOT / "src")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}


def run(environment: dict[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, *arguments]
    return subprocess.run(line, env=environment, cwd=folder, capture_output=True, text=True, timeout=300)


def assert_one_line(done: subprocess.CompletedProcess[str], module: str, package: str) -> None:
    assert done.returncode == 2, done.stderr
    [line] = done.stderr.strip().splitlines()
    assert re.fullmatch(rf"error: .* needs the package {module}, which is missing: pip install {package}", line)


@pytest.mark.parametrize("script", ["train.py", "-mhoward.training"])
def test_training_says_what_to_install(bare: dict[str, str], tmp_path: Path, script: str) -> None:
    command = [script if script.startswith("-") else str(ROOT / script), "experiment=coarse"]
    done = run(bare, tmp_path, *command)
    assert_one_line(done, "lightning", r"'howard-matting\[train\]'")
    assert not (tmp_path / "runs").exists()


def test_comparing_runs_says_what_to_install(bare: dict[str, str], tmp_path: Path) -> None:
    folder = write_run(tmp_path / "old" / "1", 1.0, "resnet50")
    done = run(bare, tmp_path, "-m", "howard.training.compare", str(folder))
    assert_one_line(done, "matplotlib", r"'howard-matting\[train\]'")


def test_the_app_says_what_to_install(bare: dict[str, str], tmp_path: Path) -> None:
    assert_one_line(run(bare, tmp_path, "-m", "howard.app"), "nicegui", r"'howard-matting\[app\]'")


def test_scoring_says_what_to_install(bare: dict[str, str], tmp_path: Path) -> None:
    done = run(bare, tmp_path, "-m", "howard.evaluation", "predictions=mattes", "truth=truth")
    assert_one_line(done, "torchmetrics", r"'howard-matting\[train\]'")


@pytest.mark.slow
@pytest.mark.parametrize("form", ["onnx"])
def test_export_says_what_to_install(bare: dict[str, str], tmp_path: Path, form: str) -> None:
    arguments = ["height=64", "width=64", f"format={form}", "output=howard.onnx"]
    done = run(bare, tmp_path, "-m", "howard.matting.export", *arguments)
    assert_one_line(done, "onnx", r"'howard-matting\[export\]'")
    assert not (tmp_path / "howard.onnx").exists()


def test_conversion_says_what_to_install(bare: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "a.tflite").write_bytes(b"0000TFL3")
    done = run(bare, tmp_path, "-m", "howard.matting.convert", "tflite=a.tflite", "output=a.safetensors")
    assert_one_line(done, "tflite", "tflite")


@pytest.mark.slow
@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_say_what_to_install(bare: dict[str, str], tmp_path: Path, notebook: Path) -> None:
    done = run(bare, ROOT / "notebooks", "-c", NOTEBOOK, str(notebook))
    assert_one_line(done, "matplotlib", r"'howard-matting\[train\]'")


SAMPLE = str(ROOT / "data" / "sample")
# What is done with the sample: commands that render composites need kornia, all others do without extras.
DATA_COMMANDS = {
    "howard.evaluation.composites": [f"root={SAMPLE}", "size=64x64"],
    "howard.evaluation.suite": [f"root={SAMPLE}", "limit=1", "stills_only=true"],
    "howard.data prepare": [f"prepare={SAMPLE}", f"people={SAMPLE}/people", "output=prepared"],
    "howard.data pack": [f"pack={SAMPLE}", "output=pack", "size=64"],
    "howard.data check": [f"check={SAMPLE}/people"],
    "howard.keying": ["input=nowhere.mov", "output=keyed"],
    "howard.evaluation.benchmark": ["clips=nowhere"],
    "howard.evaluation": ["predictions=nowhere", "truth=nowhere"],
    "howard.align": ["explain", "shot=nowhere.mov", "plate=nowhere.mov", "frame=1", "output=why.png"],
    "howard.report": ["nowhere"],
    "howard": ["input=nowhere.mov", "plate=nowhere.mov"],
}


@pytest.mark.slow
@pytest.mark.parametrize("command", DATA_COMMANDS)
def test_every_other_command_works_or_says_it_in_one_line(bare: dict[str, str], tmp_path: Path, command: str) -> None:
    done = run(bare, tmp_path, "-m", command.split()[0], *DATA_COMMANDS[command])
    assert done.returncode in (0, 2), done.stderr
    assert "Traceback" not in done.stderr
    if done.returncode == 2:
        last = done.stderr.strip().splitlines()[-1]
        assert last.startswith("error: ")


def test_extras_are_those_of_the_project() -> None:
    """Every module's package, its name in the way of Python's, is in the extra that is named for it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for extra, modules in EXTRAS.items():
        listed = {
            re.split(r"[=<>\[]", package)[0].replace("-", "_") for package in project["optional-dependencies"][extra]
        }
        assert set(modules) <= listed
    core = {re.split(r"[=<>\[]", package)[0] for package in project["dependencies"]}
    assert not core & set(OPTIONAL)


def test_the_cause_of_an_exception_counts() -> None:
    missing = ModuleNotFoundError("No module named 'kornia.filters'", name="kornia.filters")
    wrapped = RuntimeError("cannot build it")
    wrapped.__cause__ = missing
    assert str(missing_package(wrapped, "training")) == (
        "training needs the package kornia, which is missing: pip install 'howard-matting[train]'"
    )
    assert missing_package(ModuleNotFoundError("No module named 'howard.x'", name="howard.x")) is None
    assert missing_package(ValueError("3")) is None


def test_a_module_that_is_there_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    assert require("json", "this").dumps([]) == "[]"
    monkeypatch.setitem(PACKAGES, "no_such_module", "no-such-package")
    with pytest.raises(MissingPackageError, match="x needs the package no_such_module, which is missing"):
        require("no_such_module", "x")
    with pytest.raises(ModuleNotFoundError):
        require("howard.no_such_module", "x")
