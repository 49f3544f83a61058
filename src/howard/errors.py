"""What Howard says when something cannot be done: what went wrong, the path or value, and the cure."""


class HowardError(Exception):
    """Base of all errors meant for people; its text is one line, complete without a traceback."""


class SettingsError(HowardError):
    """A setting is unknown, has the wrong type or a value that cannot be used."""


class InputError(HowardError):
    """A file or folder to read is missing, unreadable or not what it should be."""


class OutputError(HowardError):
    """The place to write to cannot be used, or is not ours to write to."""


class WeightsError(HowardError):
    """A weights file does not fit the network it is loaded into, or is not a weights file."""
