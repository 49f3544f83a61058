"""Adds configs and documentation to the wheel: they lie at the repository's root, outside the package."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FOLDERS = ("configs", "docs")


class BuildWithFolders(build_py):
    """Copy the folders into the built package; an editable install reads them where they are."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for folder in FOLDERS:
                target = Path(self.build_lib) / "howard" / folder
                shutil.rmtree(target, ignore_errors=True)
                shutil.copytree(folder, target, ignore=shutil.ignore_patterns("*.py"))


setup(cmdclass={"build_py": BuildWithFolders})
