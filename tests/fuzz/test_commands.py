"""Two hundred whole commands over damaged files and odd settings: each ends in a render or in one line."""

import sys
from pathlib import Path

import pytest

from tests.fuzz.command_cases import KINDS, make_case
from tests.fuzz.corpus import Corpus, make_corpus
from tests.fuzz.judging import judge, run_case
from tests.fuzz.server import Outcome, Server, start_server

CASES = 200
SEED = 22

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks and /proc are Linux's"),
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return make_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with start_server(tmp_path_factory.mktemp("server")) as started:
        yield started


@pytest.mark.parametrize("kind", KINDS)
def test_every_command_ends_in_a_render_or_in_one_line(server: Server, corpus: Corpus, tmp_path: Path, kind: str):
    numbers = [number for number in range(CASES) if list(KINDS)[number % len(KINDS)] == kind]
    problems = []
    for number in numbers:
        problems += run_case(server, make_case(corpus, tmp_path / str(number), number, SEED))
    assert problems == []


def test_a_bad_end_is_noticed():
    whole = Outcome(0, "3 frames rendered", "", 1.0, 300.0)
    assert judge(whole) == []
    assert judge(whole._replace(code=2, errors="error: a.mp4 is empty\n")) == []
    assert judge(whole._replace(code=1, errors="Traceback ...\nValueError\n"))
    assert judge(whole._replace(code=-9))
    assert judge(whole._replace(code=2))
    assert judge(whole._replace(errors="chatter\n" * 4))
    four = whole._replace(code=2, errors="error: a.mp4 is empty\n" * 4)
    assert judge(four)
    assert judge(four, jobs=4) == []
    assert judge(whole._replace(output=""))
    assert judge(whole._replace(megabytes=10_000.0))
