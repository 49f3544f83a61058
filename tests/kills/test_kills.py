"""Renders that are killed and given again come to the same frames: 12 kills, over all formats.

``python -m tests.kills`` does the same at greater length, and kills training runs.
"""

import multiprocessing

import pytest

from tests.kills.renders import FORMATS, Renders, plan_kills

KILLS = plan_kills(12, seed=23)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("forkserver" not in multiprocessing.get_all_start_methods(), reason="the system cannot fork"),
]


@pytest.fixture(scope="module")
def renders(tmp_path_factory: pytest.TempPathFactory) -> Renders:
    return Renders(tmp_path_factory.mktemp("kills"))


@pytest.mark.parametrize("number", range(len(KILLS)))
def test_a_killed_render_comes_to_the_same_frames(renders: Renders, number: int) -> None:
    assert renders.differences(KILLS[number], f"killed{number}") == []


def test_every_format_is_killed() -> None:
    assert {kill.format for kill in KILLS} == set(FORMATS)
