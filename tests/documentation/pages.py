"""What the documentation's pages tell the reader to type: shell commands, and blocks of Python."""

import re
import shlex
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))),
    "data/README.md",
    "benchmarks/README.md",
)
PROGRAMS = (
    *("python", "pip", "make", "howard", "howard-train", "openjd", "deadline", "deadlinecommand"),
    *("srun", "sbatch", "torchrun", "wandb", "source", "git", "export"),
)
_FENCE = re.compile(r"^ *```(\w*|\{[\w-]+\}[^\n]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`([^`]+)`(?!`)")


class Block(NamedTuple):
    """A fenced block of a page; ``language`` is empty where none is given, and "{NAME} ARGUMENT" of a directive."""

    page: str
    language: str
    text: str

    @property
    def is_directive(self) -> bool:
        """Whether Sphinx replaces the block, by an included page or by docstrings."""
        return self.language.startswith("{")


class Command(NamedTuple):
    """A shell command on one line, without its comment; continued lines are joined."""

    page: str
    text: str


@cache
def read_page(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    """All fenced blocks of a page, in order."""
    return [Block(page, match[1], match[2]) for match in _FENCE.finditer(read_page(page))]


def is_command(line: str) -> bool:
    """Whether a line starts with one of the programs that the documentation uses."""
    return line.split(" ", 1)[0] in PROGRAMS


def block_commands(block: Block) -> list[str]:
    """The commands of a block, one a line; a Deadline job's ``Arguments=`` are those of ``howard``."""
    if block.language == "python" or block.is_directive:
        return []
    lines = re.sub(r" *\\\n *", " ", block.text).splitlines()
    lines = [line.removeprefix("$ ").replace("Arguments=", "howard ", 1) for line in lines]
    return [_without_comment(line) for line in lines if is_command(line)]


def _without_comment(line: str) -> str:
    return re.sub(r"\s+#\s.*$", "", line).strip()


def inline_commands(page: str) -> list[str]:
    """Commands within sentences: code spans of a program and at least one argument."""
    spans = (" ".join(match[1].split()) for match in _INLINE.finditer(_FENCE.sub("", read_page(page))))
    return [span for span in spans if is_command(span) and len(shlex.split(span)) > 1]


def documented_commands() -> list[Command]:
    """Every command of every page, each once, where it is first found."""
    found: dict[str, Command] = {}
    for page in PAGES:
        for text in [*(each for block in blocks(page) for each in block_commands(block)), *inline_commands(page)]:
            found.setdefault(text, Command(page, text))
    return list(found.values())


def documented_python(page: str) -> list[str]:
    """The blocks of Python on a page."""
    return [block.text for block in blocks(page) if block.language == "python"]
