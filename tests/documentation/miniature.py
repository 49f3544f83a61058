"""A documented command made small: which of its words are replaced, and what it must leave behind."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from tests.documentation.folders import LayOut, nothing
from tests.documentation.warm import split


class Miniature(NamedTuple):
    """How a command is run in a test.

    Attributes:
        change: words of the command by what replaces them; empty text leaves a word out.
        more: words at the end.
        leaves: files below the working folder, as patterns with at least one match each.
        says: part of what it prints, to either output.
        code: its exit code.
        after: documented commands that are run before it, in this order.
        moves: whether what those leave still holds in another folder, so that it is made once for all that need it.
        prepare: changes the working folder after those.
        folder: lays the working folder out.
        slow: whether it renders, trains or measures.
        cold: whether it starts processes that import its main module again, which a fork of a warm process is not.
        needs: packages without which it cannot run.
    """

    change: Mapping[str, str] = MappingProxyType({})
    more: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    says: str = ""
    code: int = 0
    after: tuple[str, ...] = ()
    moves: bool = True
    prepare: Callable[[Path], None] = nothing
    folder: LayOut = nothing
    slow: bool = True
    cold: bool = False
    needs: tuple[str, ...] = ()

    def words(self, command: str, folder: Path) -> list[str]:
        """The words of the small command; DATE is that of the newest run and ``$PWD`` the working folder."""
        words = split(command)
        unknown = set(self.change) - set(words)
        assert not unknown, f"{command} has no {sorted(unknown)}"
        words = [self.change.get(word, word) for word in words]
        return [_fill_in(word, folder) for word in [*words, *self.more] if word]


class Elsewhere(NamedTuple):
    """A command that cannot run here as it stands; ``test`` runs it, or what of it can be run."""

    test: str
    why: str


Table = Mapping[str, Miniature | Elsewhere]


def _fill_in(word: str, folder: Path) -> str:
    word = word.replace("$PWD", str(folder))
    start, found, rest = word.partition("/DATE")
    if not found:
        return word
    runs = sorted((folder / start.rpartition("=")[2]).iterdir())
    return f"{start}/{runs[-1].name}{rest}"
