"""Command lines of ``key=value`` arguments: any file name works, typing errors get a hint, errors are one line.

Simple commands (:func:`read_settings`) need only their settings dataclass. Commands with sweeps and config groups
(:func:`hydra_arguments`) have their arguments checked against the composed config and quoted for Hydra's grammar; Hydra
is imported only then. Nothing here imports torch.
"""

from typing import TYPE_CHECKING, Any

from howard.cli.entry import config_folder, friendly, is_sweep, wants_help
from howard.cli.help_page import help_page, settings_table
from howard.cli.plain import read_settings

if TYPE_CHECKING:
    from howard.cli.arguments import hydra_arguments
    from howard.cli.composing import as_settings, register_settings
    from howard.cli.config_keys import quote

__all__ = [
    "as_settings",
    "config_folder",
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
    # Importing Hydra takes a third of a second, which help pages and simple commands can save.
    if name == "hydra_arguments":
        from howard.cli.arguments import hydra_arguments

        return hydra_arguments
    if name in ("as_settings", "register_settings"):
        from howard.cli import composing

        return getattr(composing, name)
    if name == "quote":
        from howard.cli.config_keys import quote

        return quote
    raise AttributeError(f"module 'howard.cli' has no attribute {name!r}")
