"""The wheel renders in an environment of its own, without the repository; dependencies are those of the tests."""

import hashlib
import json
import os
import shutil
import site
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.small_clips import small_clip

ROOT = Path(__file__).parents[1]
PROJECT_FILES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE")


class Installed(NamedTuple):
    """A built wheel, and the environment that holds it and nothing else of Howard."""

    wheel: Path
    programs: Path
    packages: Path


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    pytest.importorskip("setuptools")
    folder = tmp_path_factory.mktemp("wheel")
    # A copy, so that nothing is built within the repository, nor from what an earlier build left there.
    project = folder / "project"
    for name in ("src", "configs", "docs"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in PROJECT_FILES:
        shutil.copy(ROOT / name, project)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    build = [*pip, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(folder), str(project)]
    subprocess.run(build, check=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    shutil.rmtree(project)
    environment = folder / "environment"
    venv.create(environment, with_pip=False)
    programs = environment / ("Scripts" if os.name == "nt" else "bin")
    paths = sysconfig.get_paths(vars={"base": str(environment), "platbase": str(environment)})
    packages = Path(paths["purelib"])
    install = [*pip, "--python", str(programs / "python"), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, timeout=300)
    # Path files in these folders are not read: the tests' own, perhaps editable, Howard is not among the dependencies.
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()))
    return Installed(wheel, programs, packages)


def run(program: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [str(program), *arguments], cwd=folder, env=clean, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.slow
def test_the_wheel_holds_weights_licences_configs_and_documentation(installed: Installed) -> None:
    assert installed.wheel.name.startswith("howard_matting-")
    names = set(zipfile.ZipFile(installed.wheel).namelist())
    networks = (
        "alpha_fusion.safetensors",
        "people_refine.safetensors",
        "person_prior.safetensors",
        "refine_lite.safetensors",
    )
    shipped = ("NOTICE", "README.md", "SHA256SUMS", "person_prior.LICENSE.txt", "sbom.cdx.json", *networks)
    assert {f"howard/pretrained/{name}" for name in shipped} <= names
    licences = {Path(name).name for name in names if ".dist-info/licenses/" in name}
    assert licences == {"LICENSE", "NOTICE", "person_prior.LICENSE.txt"}
    configs = {path.relative_to(ROOT).as_posix() for path in (ROOT / "configs").rglob("*.yaml")}
    assert {f"howard/{name}" for name in configs} <= names
    assert {"howard/docs/masks.md", "howard/docs/images/app_viewers.webp"} <= names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"howard", "howard_matting"}


@pytest.mark.slow
def test_the_bill_of_materials_describes_the_files_in_the_wheel(installed: Installed) -> None:
    archive = zipfile.ZipFile(installed.wheel)
    described = {}
    for part in json.loads(archive.read("howard/pretrained/sbom.cdx.json"))["components"]:
        for file in (each["value"] for each in part.get("properties", []) if each["name"] == "howard:file"):
            described[file] = part["hashes"][0]["content"]
    weights = {name for name in archive.namelist() if name.endswith(".safetensors")}
    assert described == {name: hashlib.sha256(archive.read(name)).hexdigest() for name in weights}
    sums = archive.read("howard/pretrained/SHA256SUMS").decode()
    assert {f"howard/pretrained/{line.split()[1]}": line.split()[0] for line in sums.splitlines()} == described


@pytest.mark.slow
def test_the_wheel_says_its_version(installed: Installed, tmp_path: Path) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert installed.wheel.name.startswith(f"howard_matting-{version}-")
    assert run(installed.programs / "howard", "--version", folder=tmp_path).stdout == f"howard {version}\n"


@pytest.mark.slow
def test_the_wheel_renders_without_the_repository(installed: Installed, tmp_path: Path) -> None:
    where = run(installed.programs / "python", "-c", "import howard; print(howard.__file__)", folder=tmp_path)
    assert Path(where.stdout.strip()).is_relative_to(installed.packages)
    assert run(installed.programs / "howard", folder=tmp_path).stdout.startswith("usage: howard key=value")
    small_clip(tmp_path / "shot.mp4", 0, 2)
    small_clip(tmp_path / "plate.mp4", 30, 2, clip="plate.mp4")
    # A sweep, which reads the configs too.
    arguments = ("-m", "input=shot.mp4", "plate=plate.mp4", "output=out", "frames=1,2")
    rendered = run(installed.programs / "howard", *arguments, folder=tmp_path)
    assert rendered.returncode == 0, rendered.stderr
    assert {path.name for path in (tmp_path / "out").glob("*.png")} == {"shot.0001.png", "shot.0002.png"}


@pytest.mark.slow
def test_the_wheel_knows_the_experiments(installed: Installed, tmp_path: Path) -> None:
    listed = run(installed.programs / "howard-train", folder=tmp_path)
    assert listed.stdout.startswith("usage: howard-train experiment=NAME")
    assert all(path.stem in listed.stdout for path in (ROOT / "configs" / "experiment").glob("*.yaml"))
    slip = run(installed.programs / "howard-train", "experiment=smoke", "trainer.max_stps=1", folder=tmp_path)
    assert slip.stderr == "error: unknown setting 'trainer.max_stps'; did you mean 'trainer.max_steps'?\n"
