"""Command lines of ``key=value`` arguments: any file name works, typing errors get a hint, errors fit on one line.

Plain commands (:func:`read_settings`) need nothing but the dataclass of their settings. Those with sweeps and config
groups (:func:`hydra_arguments`) are checked against the composed config and handed on, quoted for Hydra's grammar;
Hydra is loaded only then. No torch here.
"""

from typing import TYPE_CHECKING, Any

from howard.cli.entry import friendly, is_sweep, wants_help
from howard.cli.page import help_page, settings_table
from howard.cli.plain import read_settings

if TYPE_CHECKING:
    from howard.cli.arguments import as_settings, hydra_arguments, quote
    from howard.cli.composing import register_settings

__all__ = [
    "as_settings",
    "friendly",
    "help_page",
    "hydra_arguments",
    "is_sweep",
    "quote",
    "read_settings",
    "register_settings",
    "settings_table",
    "wants_help",
]


def __getattr__(name: str) -> Any:
    # A third of a second that help pages and plain commands do not have to wait.
    if name in ("as_settings", "hydra_arguments", "quote"):
        from howard.cli import arguments

        return getattr(arguments, name)
    if name == "register_settings":
        from howard.cli.composing import register_settings

        return register_settings
    raise AttributeError(f"module 'howard.cli' has no attribute {name!r}")
