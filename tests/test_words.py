"""Names and docstrings use the field's standard terms: words that hide a meaning are refused."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "howard"
FILES = sorted(SOURCE.rglob("*.py"))
# Parts of identifiers, split at underscores and capitals.
WORDS = """
film films road roads shoot shoots take takes stage stages actor actors furniture believe believes look looks reach
reaches land lands deliver delivers tell tells told partner partners beside admit admits share shares rates way ways
held bell sometimes astray warmth sitting dice draw draws
"""
REFUSED = frozenset(WORDS.split())
# Where such a word is the field's own, as whole identifiers or as regular expressions of them.
ALLOWED = (
    r"(?i)_*(film|bmd_film\w*)",  # Blackmagic's film curves
    r"(?i)\w*stages?(_\w+)?|\w*Stages?(Node|Module)?",  # of a training, and of published networks
    r"(?i)\w*(frame|sample|bit|learning|ntsc|standard|update)_?rates(_?node)?",
    r"(?i)\w*held_(out|object)\w*",  # data left out of training; an object in a person's hand
    r"tell",  # of Python's file protocol
)
PHRASES = (
    "film road",
    "training road",
    "what is no number",
    "stand still",
    "stands still",
    "which of those each of these",
    "filmed longest",
    "how far the source may be from",
    "or as they",
    "work ahead",
    "work_ahead",
)


def identifiers(tree: ast.AST) -> Iterator[str]:
    """Names that a module defines: functions, classes, arguments, variables and attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case ast.alias(asname=str(name)):
                yield name


def refused_words(name: str) -> set[str]:
    if any(re.fullmatch(pattern, name) for pattern in ALLOWED):
        return set()
    return {part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)} & REFUSED


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("draw_plate", {"draw"}),
        ("isAstray", {"astray"}),
        ("_LEAST_SHARE", {"share"}),
        ("FilmRoad", {"film", "road"}),
        ("training_stage", set()),
        ("learning_rates", set()),
        ("drawing", set()),
    ],
)
def test_words_are_found_by_part(name: str, words: set[str]) -> None:
    assert refused_words(name) == words


@pytest.mark.parametrize("package", sorted({path.relative_to(SOURCE).parts[0] for path in FILES}))
def test_identifiers_use_standard_terms(package: str) -> None:
    found = []
    for path in FILES:
        if path.relative_to(SOURCE).parts[0] != package:
            continue
        names = {path.stem, *identifiers(ast.parse(path.read_text(encoding="utf-8")))}
        found += [f"{path.relative_to(SOURCE)}: {name}" for name in sorted(names) if refused_words(name)]
    assert not found


def docstrings(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield " ".join(text.lower().split())


def test_docstrings_avoid_riddles() -> None:
    found = [
        f"{path.relative_to(SOURCE)}: {phrase}"
        for path in FILES
        for text in docstrings(ast.parse(path.read_text(encoding="utf-8")))
        for phrase in PHRASES
        if phrase in text
    ]
    assert not found
