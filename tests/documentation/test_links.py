"""Links between the repository's pages: the files exist, and so do the headings that fragments name."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.documentation.pages import ROOT

FOLDERS = (
    "",
    "docs",
    "data",
    "data/sample",
    "data/bench_public",
    "data/bench_v2",
    "benchmarks",
    "src/howard/pretrained",
    "tests/reference",
)
PAGES = [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.md"))]
_FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_OUTSIDE = re.compile(r"[a-z]+:")


class Link(NamedTuple):
    """A relative link of a page; ``fragment`` is empty where the whole file is meant."""

    page: Path
    target: Path
    fragment: str


@cache
def read_text(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def relative_links(page: Path) -> list[Link]:
    """The links of a page that stay within the repository."""
    links = []
    for address in _LINK.findall(read_text(page)):
        if not _OUTSIDE.match(address):
            name, _, fragment = address.partition("#")
            links.append(Link(page, (page.parent / name).resolve() if name else page, fragment))
    return links


@cache
def anchors(page: Path) -> set[str]:
    """The fragments of a page's headings, as code hosts and MyST make them."""
    headings = re.findall(r"^#+ (.+?) *$", read_text(page), re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def broken(links: list[Link]) -> list[str]:
    """The links that lead nowhere, in words."""
    lost = []
    for link in links:
        if not link.target.exists():
            lost.append(f"{link.page.name}: {link.target} does not exist")
        elif link.fragment and link.fragment not in anchors(link.target):
            lost.append(f"{link.page.name}: {link.target.name} has no heading #{link.fragment}")
    return lost


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    assert broken(relative_links(page)) == []


def test_pages_link_to_one_another() -> None:
    """The patterns above find links at all: every page of docs/ can be reached from the README."""
    found, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        found.add(page)
        waiting += [link.target for link in relative_links(page) if link.target in PAGES and link.target not in found]
    included = {ROOT / "docs" / name for name in ("index.md", "data.md", "model-card.md")}
    assert set((ROOT / "docs").glob("*.md")) - included <= found


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A `b`, c\n\n[good](page.md#a-b-c) [lost](#a-b) [gone](other.md) [far](https://example.org)\n")
    assert broken(relative_links(page)) == [
        "page.md: page.md has no heading #a-b",
        f"page.md: {tmp_path / 'other.md'} does not exist",
    ]
