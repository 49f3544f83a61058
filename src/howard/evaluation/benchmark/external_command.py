"""Runs another method's program on a clip, and measures its time and memory."""

import math
import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import IO

from howard.errors import HowardError, OutputError, SettingsError, one_line, quoted
from howard.evaluation.true_clip import TrueClip
from howard.media.files import make_folder
from howard.operating_system import wait_with_peak_memory

PLACEHOLDERS = ("shot", "plate", "output")
_NEEDED = ("shot", "output")
# Lines and characters at the end of a failed program's error output that are shown.
_SHOWN_LINES = 2
_SHOWN_CHARACTERS = 240


class MethodFailedError(HowardError):
    """The program of another method could not be started or has failed."""


@dataclass(frozen=True)
class Usage:
    """Time and memory of a program.

    Attributes:
        seconds: from its start to its end.
        megabytes: peak resident memory of its largest process; NaN where unknown.
    """

    seconds: float
    megabytes: float


class ExternalCommand:
    """A command line with placeholders for a clip's files, started without a shell.

    Args:
        template: such as ``"python other.py --video {shot} --background {plate} --out {output}"``. It is split into
            words as in a shell, before the placeholders are replaced: paths with spaces need no quotes.

    Raises:
        SettingsError: quotes are not closed, {shot} or {output} is missing, or a placeholder is unknown.
    """

    def __init__(self, template: str) -> None:
        self.words = split_words(template)
        found = {name for word in self.words for name in _placeholders(word)}
        unknown = sorted(found - set(PLACEHOLDERS))
        if unknown:
            known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            raise SettingsError(
                f"command= has the placeholder {{{quoted(unknown[0])}}}, which is none of {known}; double other braces"
            )
        missing = [name for name in _NEEDED if name not in found]
        if missing:
            raise SettingsError(f"command= does not say where {{{missing[0]}}} goes; write it into the command")

    def run(self, clip: TrueClip, output: Path) -> Usage:
        """Run it on a clip, in the current folder; what it prints is not shown.

        Args:
            clip: whose shot and plate replace the placeholders, with absolute paths.
            output: folder for the mattes, which is created.

        Raises:
            OutputError: the folder is not empty or cannot be created.
            MethodFailedError: the program cannot be started or has failed; with the end of its error output.
        """
        make_folder(output)
        if any(output.iterdir()):
            raise OutputError(f"{output} is not empty; choose another output=, or score its mattes by mattes=")
        paths = {"shot": clip.shot, "plate": clip.plate, "output": output}
        absolute = {name: str(path.resolve()) for name, path in paths.items()}
        words = [word.format(**absolute) for word in self.words]
        with tempfile.TemporaryFile() as errors:
            start = time.perf_counter()
            code, peak = _run(words, errors, clip.folder.name)
            seconds = time.perf_counter() - start
            if code != 0:
                raise MethodFailedError(
                    f"the command failed on clip {clip.folder.name} with exit code {code}{_last_words(errors)}"
                )
        return Usage(seconds, math.nan if peak is None else peak / 2**20)


def split_words(template: str) -> list[str]:
    """The words of a command line; backslashes are separators of paths on Windows, and escape elsewhere.

    Raises:
        SettingsError: quotes are not closed, or there are no words.
    """
    lexer = shlex.shlex(template, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    if os.name == "nt":
        lexer.escape = ""
    try:
        words = list(lexer)
    except ValueError as error:
        raise SettingsError(f"command={quoted(template)} cannot be split into words: {error}; close quotes") from None
    if not words:
        raise SettingsError("command= is empty; write a program and its arguments")
    return words


def _placeholders(word: str) -> list[str]:
    try:
        return [name for _, name, _, _ in Formatter().parse(word) if name is not None]
    except ValueError as error:
        raise SettingsError(
            f"command= has the word {quoted(word)}: {error}; double braces that are none of a placeholder"
        ) from None


def _run(words: Sequence[str], errors: IO[bytes], clip: str) -> tuple[int, int | None]:
    """Exit code, and peak memory in bytes where it is known."""
    try:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
    except OSError as error:
        raise MethodFailedError(
            f"the command cannot be started on clip {clip}: {quoted(words[0])}: {error.strerror}; check its name"
        ) from None
    try:
        peak = wait_with_peak_memory(process)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process.returncode, peak


def _last_words(errors: IO[bytes]) -> str:
    """The end of the error output, on one line."""
    errors.seek(0, os.SEEK_END)
    errors.seek(max(0, errors.tell() - 2**16))
    text = errors.read().decode(errors="backslashreplace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return "; it printed no error"
    shown = one_line(" | ".join(lines[-_SHOWN_LINES:]))
    return f"; its error output ends: {'...' if len(shown) > _SHOWN_CHARACTERS else ''}{shown[-_SHOWN_CHARACTERS:]}"
