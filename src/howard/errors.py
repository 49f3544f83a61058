"""What Howard says when something cannot be done: what went wrong, the path or value, and the cure."""

# Characters of a value that an error line quotes; longer ones lose their middle.
_LONGEST_VALUE = 120


class HowardError(Exception):
    """Base of all errors meant for people; its text is one line, complete without a traceback.

    A command that ends with one exits with ``exit_code``.
    """

    exit_code = 2


class SettingsError(HowardError):
    """A setting is unknown, has the wrong type or a value that cannot be used."""


class InputError(HowardError):
    """A file or folder to read is missing, unreadable or not what it should be."""


class OutputError(HowardError):
    """The place to write to cannot be used, or is not ours to write to."""


class WeightsError(HowardError):
    """A weights file does not fit the network it is loaded into, or is not a weights file."""


class MissingPackageError(HowardError):
    """An optional package is not installed; the line says which, and how to install it."""


class UnusableResultError(HowardError):
    """The work was done, but nothing of what came out can be used."""

    exit_code = 3


def one_line(text: str) -> str:
    """``text`` with line breaks and other control characters escaped, as ``\\n``; file names may hold any."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def quoted(value: object) -> str:
    """A value as an error line quotes it: on one line, shortened in the middle where it is very long."""
    text = one_line(str(value))
    if len(text) <= _LONGEST_VALUE:
        return text
    half = _LONGEST_VALUE // 2
    return f"{text[:half]}...{text[-half:]}"
