"""Where what was computed is kept from one run to the next."""

import os
from pathlib import Path


def cache_folder(name: str) -> Path:
    """``$XDG_CACHE_HOME/howard/NAME``, or ``~/.cache/howard/NAME``; it need not exist."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "howard" / name
