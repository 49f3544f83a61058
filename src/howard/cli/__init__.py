"""Makes Hydra pleasant for people: any file name works, typing errors are met with a hint, trouble fits on one line.

Every command takes ``key=value`` arguments. They are checked against the composed config, which knows each key and its
type, and only then handed on, quoted for Hydra's grammar. No torch here.
"""

from howard.cli.arguments import as_settings, hydra_arguments, is_sweep, quote, read_settings
from howard.cli.entry import friendly, help_page, wants_help

__all__ = [
    "as_settings",
    "friendly",
    "help_page",
    "hydra_arguments",
    "is_sweep",
    "quote",
    "read_settings",
    "wants_help",
]
