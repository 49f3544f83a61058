"""``python -m howard.report FOLDER``: writes the report of a finished render again."""

import sys
from dataclasses import dataclass

from howard import cli
from howard.fields import REQUIRED, setting
from howard.report.report_page import write_report

COMMAND = "python -m howard.report"
EXAMPLES = (f"{COMMAND} renders/shot", f'{COMMAND} "folder=renders/take=2"')


@dataclass
class ReportSettings:
    """The command's settings."""

    folder: str = setting(REQUIRED, "of a render: where infer.py wrote howard.json", is_path=True)


@cli.friendly
def main(arguments: list[str]) -> None:
    """Write the page and print its path."""
    if cli.wants_help(arguments):
        print(cli.help_page(COMMAND, "Writes the report of a finished render again.", ReportSettings, EXAMPLES))
        return
    # The only setting may be given without its name.
    named = [each if "=" in each or each.startswith("-") else f"folder={each}" for each in arguments]
    settings = cli.read_settings(ReportSettings, named)
    print(f"see {write_report(settings.folder)}")


if __name__ == "__main__":
    main(sys.argv[1:])
