"""Where the Hydra configs lie: in the installed package, or at the root of the repository."""

from pathlib import Path

import howard


def config_folder() -> Path:
    """``howard/configs`` of an installed wheel, else ``configs/`` of the repository that this package is part of."""
    package = Path(howard.__file__).parent
    installed = package / "configs"
    return installed if installed.is_dir() else package.parents[1] / "configs"
