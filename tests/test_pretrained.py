"""The weights that ship do what their model card says."""

import tomllib
from pathlib import Path

import pytest

from howard.errors import WeightsError
from howard.evaluation.benchmark.clip_scores import score_clip
from howard.evaluation.true_clip import TrueClip
from howard.matting import load_matting
from howard.matting.weights import find_weights

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


@pytest.mark.slow
def test_the_film_road_is_at_least_twice_as_good_as_the_key() -> None:
    report = score_clip(TrueClip(ROOT / "data" / "sample"), load_matting("default", device="cpu"), frames="17-20")
    assert report.scores["film"]["mad"] <= 0.5 * report.scores["key"]["mad"]
