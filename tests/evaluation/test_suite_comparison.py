"""Comparing two results of the suite, and the command."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from howard.errors import InputError
from howard.evaluation.suite import __main__ as command
from howard.evaluation.suite.results import SuiteResults, results_table
from howard.evaluation.suite.suite_comparison import compare_results, ratios_table

ABOUT = {"suite": {"digest": "a"}, "data": {"digest": "b"}}


def results(**values: list[float]) -> SuiteResults:
    return SuiteResults(ABOUT, {name: {"stills": {"mad": list(each)}} for name, each in values.items()})


def shown(table) -> str:
    console = Console(width=180, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**16), ratio=st.floats(0.1, 3))
def test_a_known_ratio_is_recovered_with_certainty(seed: int, ratio: float) -> None:
    before = np.random.default_rng(seed).uniform(1, 100, 40)
    found = compare_results(results(hair=before), results(hair=ratio * before))
    for name in ("hair", "mean"):
        assert found[name]["mad"] == pytest.approx((ratio,) * 3)


def test_the_interval_holds_what_chance_can_do_and_narrows_with_more_composites() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for count in (10, 1000):
        before = rng.uniform(1, 10, count)
        after = before * rng.uniform(0.5, 1.5, count)
        ratio = compare_results(results(hair=before), results(hair=after))["hair"]["mad"]
        assert ratio.low < 1 < ratio.high
        assert not ratio.is_significant
        assert ratio.ratio == pytest.approx(after.mean() / before.mean())
        widths.append(ratio.high - ratio.low)
    assert widths[1] < widths[0] / 4


def test_composites_without_a_value_and_those_that_one_lacks_do_not_count() -> None:
    found = compare_results(results(hair=[1, np.nan, 3, 100]), results(hair=[2, 50, 6]))
    assert found["hair"]["mad"].ratio == 2
    assert "lost" not in found["hair"]


def test_what_cannot_be_compared_is_refused() -> None:
    other = SuiteResults(ABOUT | {"data": {"digest": "c"}}, results(hair=[1]).rows)
    with pytest.raises(InputError, match=r"different data \(b and c\)"):
        compare_results(results(hair=[1]), other)
    with pytest.raises(InputError, match="share no phenomenon"):
        compare_results(results(hair=[1]), results(ordinary=[1]))


def test_tables_show_every_phenomenon_and_what_was_measured() -> None:
    text = shown(results_table(results(hair=[1, 2], ordinary=[5, 6])))
    assert "MAD" in text
    assert "Conn" not in text
    assert [line.split() for line in text.splitlines() if "hair" in line or "mean" in line] == [
        ["hair", "1.50"],
        ["mean", "3.50"],
    ]
    text = shown(ratios_table(compare_results(results(hair=[1, 2]), results(hair=[2, 4]))))
    assert "2.00-2.00" in text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("root=nowhere", "error: no data folder nowhere; give one with root=FOLDER (see data/README.md)"),
        ("quality=fast", "error: quality=fast is not known; choose standard or best"),
        ("limit=0", "error: limit=0 is too few; at least one is needed"),
        ("compare=[a.json]", "error: compare= takes two files, not 1: compare=[before.json,after.json]"),
        ("compare=[a.json,b.json]", "error: a.json cannot be read (No such file or directory); give a results.json"),
    ],
)
def test_the_command_says_trouble_in_one_line(
    given: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        command.main([given])
    assert left.value.code == 2
    said_so = capsys.readouterr().err
    assert said_so.startswith(said)
    assert said_so.count("\n") == 1
