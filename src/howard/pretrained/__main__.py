"""``python -m howard.pretrained``: checks the weights that ship, or ``update=true`` describes changed ones."""

import sys
from dataclasses import dataclass

from howard import cli
from howard.errors import InputError
from howard.fields import setting
from howard.pretrained.bill_of_materials import CHECKSUMS, FOLDER, MATERIALS, checksums, materials_json

COMMAND = "python -m howard.pretrained"
PURPOSE = f"Checks the weights that ship with Howard against {CHECKSUMS} and {MATERIALS}."


@dataclass
class PretrainedSettings:
    """Settings of the command."""

    update: bool = setting(False, "write both files anew, after weights or the version have changed")


@cli.friendly
def main(arguments: list[str]) -> None:
    """Compare or write the two files."""
    if arguments and cli.wants_help(arguments):
        print(cli.help_page(COMMAND, PURPOSE, PretrainedSettings, (COMMAND, f"{COMMAND} update=true")))
        return
    settings = cli.read_settings(PretrainedSettings, arguments)
    for name, text in {CHECKSUMS: checksums(), MATERIALS: materials_json()}.items():
        path = FOLDER / name
        if settings.update:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            raise InputError(f"{path} does not describe the files beside it; if they were meant to change: update=true")
    print(checksums(), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
