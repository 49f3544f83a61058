"""Every notebook runs from top to bottom, and is kept without its outputs."""

import json
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def cells(notebook: Path) -> Iterator[dict]:
    """The code cells, in order."""
    yield from (cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code")


def show_nothing(value: object) -> None:
    """The kernel's ``display``, which makes the HTML of what has one."""
    assert value._repr_html_().startswith("<img src=")  # type: ignore[attr-defined]


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_stripped(notebook: Path) -> None:
    for cell in cells(notebook):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
def test_a_notebook_runs(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its own folder and one name space, as a kernel would run it."""
    monkeypatch.chdir(notebook.parent)
    matplotlib.use("Agg")
    names: dict = {"__name__": "__main__", "display": show_nothing}
    for number, cell in enumerate(cells(notebook)):
        exec(compile("".join(cell["source"]), f"{notebook.name}, cell {number}", "exec"), names)
    names["plt"].close("all")
