"""``python -m howard.training.workspace``: creates the dashboard as a W&B workspace, with W&B's public API."""

import sys
from dataclasses import dataclass

from howard import cli
from howard.errors import HowardError, one_line
from howard.fields import setting
from howard.requirements import require
from howard.training.workspace.dashboard import build_workspace

COMMAND = "python -m howard.training.workspace"
EXAMPLES = (f"{COMMAND} project=howard", f"{COMMAND} entity=my-team project=howard name=stages")


@dataclass
class WorkspaceCommand:
    """Settings of the command."""

    entity: str | None = setting(None, "user or team in W&B; if left out, of the current login")
    project: str = setting("howard", "project in W&B, as logger.wandb.project")
    name: str = setting("howard", "name of the saved view")


class TrackerError(HowardError):
    """W&B could not be reached or refused the request."""


@cli.friendly
def main(arguments: list[str]) -> None:
    """Create the workspace and print its URL."""
    if cli.wants_help(arguments):
        print(cli.help_page(COMMAND, "Creates the W&B workspace of docs/wandb.md.", WorkspaceCommand, EXAMPLES))
        return
    settings = cli.read_settings(WorkspaceCommand, arguments)
    print(f"workspace: {make_workspace(settings)}")


def make_workspace(settings: WorkspaceCommand) -> str:
    """Save the workspace as a new view, and return its URL.

    Raises:
        MissingPackageError: wandb or wandb-workspaces is not installed.
        TrackerError: there is no login, or W&B could not be reached or refused the request.
    """
    wandb = require("wandb", "making the workspace")
    require("wandb_workspaces", "making the workspace")
    # Imported late: it takes a second, and a missing package is reported before.
    from howard.evaluation.suite.frozen_recipe import load_recipe

    try:
        if not wandb.login(prompt=False):
            raise TrackerError("not logged in to W&B: run wandb login, or set WANDB_API_KEY")
        entity = settings.entity or wandb.Api().default_entity
        phenomena = list(load_recipe().phenomena)
        workspace = build_workspace(entity, settings.project, settings.name, phenomena)
        workspace.save()
    except wandb.errors.Error as error:
        raise TrackerError(f"W&B refused: {one_line(str(error))}") from error
    return workspace.url


if __name__ == "__main__":
    main(sys.argv[1:])
