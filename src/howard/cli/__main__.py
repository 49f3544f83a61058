"""``python -m howard.cli PAGE``: writes the tables of ``infer.py``'s settings into a documentation page.

The text between the page's two markers is replaced.
"""

import sys
from pathlib import Path

from howard.choices import GROUPS
from howard.cli.entry import friendly
from howard.cli.help_page import settings_table
from howard.errors import InputError, SettingsError
from howard.options import RenderJob

BEGIN, END = "<!-- settings -->", "<!-- end of the settings -->"


def fill_page(page: str) -> str:
    """The page with up-to-date tables; raises InputError where it lacks a marker."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise InputError(f"the page does not say where the settings go; mark the place by {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{settings_table(RenderJob, GROUPS)}\n{END}{after}"


@friendly
def main(arguments: list[str]) -> None:
    """Write the tables into the page."""
    if len(arguments) != 1:
        raise SettingsError("name the page: python -m howard.cli docs/settings.md")
    page = Path(arguments[0])
    page.write_text(fill_page(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
