"""Errors shown to users: one line with the problem, the path or value, and the remedy."""

# Maximum length of a value quoted in an error line; longer values are shortened in the middle.
_LONGEST_VALUE = 120


class HowardError(Exception):
    """Base class of errors shown to users without a traceback; the text is one line.

    A command that fails with one exits with ``exit_code``.
    """

    exit_code = 2


class SettingsError(HowardError):
    """A setting is unknown, has the wrong type or an invalid value."""


class InputError(HowardError):
    """A file or folder to read is missing, unreadable or of the wrong kind."""


class OutputError(HowardError):
    """The output path cannot be written, or contains files of something else."""


class WeightsError(HowardError):
    """A weights file does not fit the network it is loaded into, or is not a weights file."""


class MissingPackageError(HowardError):
    """An optional package is not installed; the text says which, and how to install it."""


class UnusableResultError(HowardError):
    """The command was completed, but none of its results is usable."""

    exit_code = 3


def one_line(text: str) -> str:
    """``text`` with line breaks and other control characters escaped, as ``\\n``; file names may contain any."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def quoted(value: object) -> str:
    """A value for an error line: on one line, and shortened in the middle if it is very long."""
    text = one_line(str(value))
    if len(text) <= _LONGEST_VALUE:
        return text
    half = _LONGEST_VALUE // 2
    return f"{text[:half]}...{text[-half:]}"
