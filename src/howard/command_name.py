"""How the program that is running was started, for messages that name the command to type next."""

import sys
from pathlib import Path
from typing import NamedTuple


class Command(NamedTuple):
    """A command's three forms: a script of the repository, a module of the package, an installed console script."""

    script: str
    module: str
    installed: str

    def typed(self) -> str:
        """The form in which it was started; inside another program, the script of the repository."""
        program = Path(sys.argv[0])
        if program.stem == self.installed:
            return self.installed
        if program.parts[-2:] == (self.module.rpartition(".")[2], "__main__.py"):
            return f"python -m {self.module}"
        return f"python {self.script}"


INFER = Command("infer.py", "howard", "howard")
TRAIN = Command("train.py", "howard.training", "howard-train")
