"""Where what was computed is kept from one run to the next."""

import os
import tempfile
from pathlib import Path


def cache_folder(name: str) -> Path:
    """``$XDG_CACHE_HOME/howard/NAME``, or ``~/.cache/howard/NAME``; it need not exist.

    Users without a home folder, as in some containers, have it among the temporary files.
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or _home() / ".cache") / "howard" / name


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        return Path(tempfile.gettempdir())
