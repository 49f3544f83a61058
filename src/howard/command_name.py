"""The command line by which the running program was started, for messages that name the next command."""

import sys
from pathlib import Path
from typing import NamedTuple


class Command(NamedTuple):
    """A command in its three forms: script in the repository, module of the package, installed console script."""

    script: str
    module: str
    installed: str

    def typed(self) -> str:
        """The form in which the program was started; inside other programs, the script."""
        program = Path(sys.argv[0])
        if program.stem == self.installed:
            return self.installed
        if program.parts[-2:] == (self.module.rpartition(".")[2], "__main__.py"):
            return f"python -m {self.module}"
        return f"python {self.script}"


INFER = Command("infer.py", "howard", "howard")
TRAIN = Command("train.py", "howard.training", "howard-train")
