"""Files, folders, modules and functions that the pages name in code spans exist."""

import re
from pathlib import Path

import pytest

from tests.documentation.pages import PAGES, ROOT, read_page

_SPAN = re.compile(r"(?<!`)`([^`\s]+)`(?!`)")
# Folders whose contents are part of the repository; `data` also has folders of the user.
_PATH = re.compile(r"(src|configs|tests|benchmarks|docs|notebooks|data/(sample|bench_public|bench_v2))(/[\w.*-]+)*/?")
_NAME = re.compile(r"howard(\.\w+)+")
# Files of renders and exports, which begin like a module.
_FILE = re.compile(r".*\.(json|jsonl|onnx|pt2)")


def spans(page: str) -> set[str]:
    return set(_SPAN.findall(read_page(page)))


def exists(name: str) -> bool:
    """Whether a dotted name is a module, or a name in the file of the module that precedes it."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        module = ROOT / "src" / Path(*parts[:length])
        files = [file for file in (module / "__init__.py", module.with_suffix(".py")) if file.is_file()]
        if files:
            text = files[0].read_text(encoding="utf-8")
            return length == len(parts) or re.search(rf"\b{parts[length]}\b", text) is not None
    return False


@pytest.mark.parametrize("page", PAGES)
def test_paths_exist(page: str) -> None:
    paths = {span for span in spans(page) if _PATH.fullmatch(span)}
    assert {path for path in paths if not list(ROOT.glob(path.rstrip("/")))} == set()


@pytest.mark.parametrize("page", PAGES)
def test_modules_and_their_names_exist(page: str) -> None:
    names = {span for span in spans(page) if _NAME.fullmatch(span) and not _FILE.fullmatch(span)}
    assert {name for name in names if not exists(name)} == set()


def test_missing_names_are_found() -> None:
    assert exists("howard.align.PlateAligner")
    assert not exists("howard.align.Nothing")
    assert not exists("howard_other.align")
