"""The weights that ship do what their model card says."""

import hashlib
import json
import shutil
import tomllib
from pathlib import Path

import pytest
from safetensors import safe_open

from howard.errors import InputError, WeightsError
from howard.evaluation.benchmark.clip_scores import score_clip
from howard.evaluation.true_clip import TrueClip
from howard.matting import load_matting
from howard.matting.weights import find_weights
from howard.pretrained import __main__ as command
from howard.pretrained import bill_of_materials
from howard.pretrained.bill_of_materials import CHECKSUMS, FOLDER, MATERIALS, checksums, materials_json

ROOT = Path(__file__).parents[1]


def test_the_file_is_small_and_says_what_it_is() -> None:
    assert find_weights("default").stat().st_size <= 20e6
    metadata = load_matting("default", device="cpu").metadata
    assert metadata.encoder == "efficientnet_lite0"
    assert metadata.extra_inputs == ("coverage",)
    assert metadata.mixing == "linear"
    assert metadata.licence == "MIT"
    assert "people_real" in metadata.data


def test_the_default_weights_use_the_person_prior_and_the_former_ones_are_found_by_name() -> None:
    assert find_weights("default") == find_weights("people_refine")
    assert load_matting("default", device="cpu").metadata.person_prior
    former = load_matting("refine_lite", device="cpu").metadata
    assert (former.person_prior, former.licence) == (False, "MIT")


def test_the_person_prior_ships_with_its_licence() -> None:
    folder = "src/howard/pretrained/"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for name in ("person_prior.LICENSE.txt", "NOTICE"):
        assert "Apache License" in (ROOT / folder / name).read_text()
        assert folder + name in project["project"]["license-files"]
        assert f"pretrained/{name}" in project["tool"]["setuptools"]["package-data"]["howard"]
    with pytest.raises(WeightsError, match="refine_lite"):
        find_weights("person_prior")


def test_the_checksums_and_the_bill_of_materials_describe_what_ships() -> None:
    for line in (FOLDER / CHECKSUMS).read_text().splitlines():
        digest, name = line.split("  ")
        assert digest == hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
    assert (FOLDER / CHECKSUMS).read_text() == checksums()
    assert (FOLDER / MATERIALS).read_text(encoding="utf-8") == materials_json()
    materials = json.loads(materials_json())
    licences = {
        each["name"]: each["licenses"][0]["license"]["id"]
        for each in materials["components"]
        if each["type"] == "machine-learning-model"
    }
    assert set(licences) == {path.stem for path in FOLDER.glob("*.safetensors")}
    for name, licence in licences.items():
        with safe_open(FOLDER / f"{name}.safetensors", framework="np") as file:
            assert f'"licence": "{licence}"' in next(iter(file.metadata().values()))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    package = materials["metadata"]["component"]
    assert (package["name"], package["version"]) == (project["name"], project["version"])
    assert package["licenses"] == [{"expression": project["license"]}]


def test_changed_weights_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in FOLDER.glob("*"):
        if path.is_file():
            shutil.copy(path, tmp_path)
    for module in (bill_of_materials, command):
        monkeypatch.setattr(module, "FOLDER", tmp_path)
    command.main([])
    (tmp_path / "refine_lite.safetensors").write_bytes(b"other")
    with pytest.raises(SystemExit):
        command.main([])
    command.main(["update=true"])
    command.main([])
    assert hashlib.sha256(b"other").hexdigest() in (tmp_path / MATERIALS).read_text()
    (tmp_path / "unknown.safetensors").touch()
    with pytest.raises(InputError, match="has no origin"):
        checksums()


@pytest.mark.slow
def test_the_film_road_is_at_least_twice_as_good_as_the_key() -> None:
    report = score_clip(TrueClip(ROOT / "data" / "sample"), load_matting("default", device="cpu"), frames="17-20")
    assert report.scores["film"]["mad"] <= 0.5 * report.scores["key"]["mad"]
