"""docs/formats.md names every format, every colour and every kind of still that the code knows, and no other."""

import re
from pathlib import Path

import pytest

from howard.choices import FORMATS
from howard.media import COLOUR_NAMES
from howard.media.colours.output_colour import OUTPUT_COLOURS
from howard.media.still import STILL_SUFFIXES

PAGE = (Path(__file__).parent.parent / "docs" / "formats.md").read_text(encoding="utf-8")
# Other spellings of suffixes that the page has.
SPELLINGS = {".jpeg", ".jpe", ".tiff", ".sxr", ".hif", ".j2k", ".j2c", ".jpx"}


def rows(heading: str) -> str:
    """The table under a heading."""
    part = PAGE.split(f"{heading}\n")[1].split("\n#")[0]
    return "\n".join(line for line in part.splitlines() if line.startswith("| "))


def quoted(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


@pytest.mark.parametrize("name", COLOUR_NAMES)
def test_colours_that_are_read(name):
    assert name in quoted(rows("### Colour"))


def test_no_other_colours():
    assert quoted(rows("### Colour")) - set(COLOUR_NAMES) == {"ocio:NAME", "bt709-full", "$OCIO"}


def test_formats_that_are_written():
    first = {line.split("|")[1].strip().strip("`") for line in rows("## What is written").splitlines()}
    assert first == {"format=", "---", *FORMATS}


def test_colours_that_are_written():
    assert set(OUTPUT_COLOURS) <= {name.removeprefix("output_colour=") for name in quoted(rows("## What is written"))}


def test_stills():
    line = next(each for each in rows("## What is read").splitlines() if each.startswith("| stills"))
    assert {name for name in quoted(line) if name.startswith(".")} == STILL_SUFFIXES - SPELLINGS
