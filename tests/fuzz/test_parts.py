"""Two hundred damaged files, each at the function that reads it: a value, or one line; no hang, inputs untouched."""

from pathlib import Path

import pytest

from howard.errors import HowardError
from tests.fuzz.corpus import Corpus, make_corpus
from tests.fuzz.reader_cases import READERS, run_reader

CASES = 25
SEED = 22


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return make_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.mark.parametrize("kind", READERS)
def test_damage_ends_in_a_value_or_in_one_line(corpus: Corpus, tmp_path: Path, kind: str):
    outcomes = [run_reader(READERS[kind], corpus, tmp_path / str(number), number, SEED) for number in range(CASES)]
    assert [f"case {number}: {each.problem}" for number, each in enumerate(outcomes) if each.problem] == []
    assert sum(bool(each.message) for each in outcomes) >= CASES // 10


def test_a_bad_end_of_a_reader_is_noticed(corpus: Corpus, tmp_path: Path):
    def end_with(error: Exception):
        def read(corpus: Corpus, folder: Path, random) -> None:
            raise error

        return read

    ends = {"plain": HowardError("a.png is damaged"), "bug": KeyError("x"), "long": HowardError("x" * 5000)}
    ends |= {"lines": HowardError("a\nb"), "empty": HowardError("")}
    problems = {
        name: run_reader(end_with(error), corpus, tmp_path / name, 0, SEED).problem for name, error in ends.items()
    }
    assert [name for name, problem in problems.items() if problem] == ["bug", "long", "lines", "empty"]
