"""The weights that ship do what their model card says."""

from pathlib import Path

import pytest

from howard.evaluation.clip import TrueClip
from howard.evaluation.roads import score_clip
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


@pytest.mark.slow
def test_the_film_road_is_at_least_twice_as_good_as_the_key() -> None:
    report = score_clip(TrueClip(ROOT / "data" / "sample"), load_matting("default", device="cpu"), frames="17-20")
    assert report.roads["film"]["mad"] <= 0.5 * report.roads["key"]["mad"]
