"""``python -m howard.training.workspace``: makes the W&B workspace of the dashboard, through W&B's public API."""

import sys
from dataclasses import dataclass

from howard import cli
from howard.errors import HowardError, one_line
from howard.fields import setting
from howard.requirements import require
from howard.training.workspace.building import build_workspace

COMMAND = "python -m howard.training.workspace"
EXAMPLES = (f"{COMMAND} project=howard", f"{COMMAND} entity=my-team project=howard name=stages")


@dataclass
class WorkspaceCommand:
    """What the command can be told."""

    entity: str | None = setting(None, "user or team in W&B; whoever is logged in if left out")
    project: str = setting("howard", "project in W&B, that of logger.wandb.project")
    name: str = setting("howard", "what the saved view is called")


class TrackerError(HowardError):
    """W&B could not be reached, or refused."""


@cli.friendly
def main(arguments: list[str]) -> None:
    """Make the workspace and print its address."""
    if cli.wants_help(arguments):
        print(cli.help_page(COMMAND, "Makes the workspace of docs/wandb.md in W&B.", WorkspaceCommand, EXAMPLES))
        return
    settings = cli.read_settings(WorkspaceCommand, arguments)
    print(f"workspace: {make_workspace(settings)}")


def make_workspace(settings: WorkspaceCommand) -> str:
    """Save the workspace as a new view, and return its address.

    Raises:
        MissingPackageError: wandb or wandb-workspaces is not installed.
        TrackerError: nobody is logged in, or W&B could not be reached or refused.
    """
    wandb = require("wandb", "making the workspace")
    require("wandb_workspaces", "making the workspace")
    # Only now: it takes a second, and the packages may be missing.
    from howard.evaluation.suite.frozen_recipe import load_recipe

    try:
        if not wandb.login(prompt=False):
            raise TrackerError("nobody is logged in to W&B: run wandb login, or set WANDB_API_KEY")
        entity = settings.entity or wandb.Api().default_entity
        phenomena = list(load_recipe().phenomena)
        workspace = build_workspace(entity, settings.project, settings.name, phenomena)
        workspace.save()
    except wandb.errors.Error as error:
        raise TrackerError(f"W&B refused: {one_line(str(error))}") from error
    return workspace.url


if __name__ == "__main__":
    main(sys.argv[1:])
