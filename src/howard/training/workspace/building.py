"""The dashboard as a workspace of W&B's public API, the package wandb-workspaces."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from howard.requirements import require
from howard.training.workspace.dashboard import DASHBOARD, PanelKind, PanelSpec

STEP = "trainer/global_step"
_PHENOMENON = "PHENOMENON"
_PURPOSE = "making the workspace"
_MOST_RUNS = 100  # lines a chart; W&B shows 10 unless told otherwise, fewer than a sweep has


def build_workspace(entity: str, project: str, name: str, phenomena: Sequence[str]) -> Any:
    """The workspace, not yet saved: runs grouped by their group, with a section for each of the dashboard's.

    Args:
        entity: user or team in W&B.
        project: in W&B.
        name: of the saved view.
        phenomena: names that take the place of ``PHENOMENON`` in keys.

    Raises:
        MissingPackageError: wandb-workspaces is not installed.
    """
    workspaces = require("wandb_workspaces.workspaces", _PURPOSE)
    reports = require("wandb_workspaces.reports.v2", _PURPOSE)
    sections = [
        workspaces.Section(
            name=section.title,
            panels=[build_panel(panel, phenomena, reports) for panel in section.panels],
            is_open=True,
        )
        for section in DASHBOARD
    ]
    return workspaces.Workspace(
        entity=entity,
        project=project,
        name=name,
        sections=sections,
        settings=workspaces.WorkspaceSettings(x_axis=STEP, max_runs=_MOST_RUNS),
        runset_settings=workspaces.RunsetSettings(groupby=[workspaces.Metric("Group")]),
    )


def build_panel(panel: PanelSpec, phenomena: Sequence[str], reports: ModuleType) -> Any:
    """A panel of the dashboard as one of W&B's; ``reports`` is its module of panels."""
    keys = [each for key in panel.keys for each in expand(key, phenomena)]
    if panel.kind == PanelKind.LINES:
        smoothing = {"smoothing_type": "exponential", "smoothing_factor": panel.smoothing} if panel.smoothing else {}
        return reports.LinePlot(title=panel.title, x=STEP, y=keys, max_runs_to_show=_MOST_RUNS, **smoothing)
    if panel.kind == PanelKind.BARS:
        return reports.BarPlot(title=panel.title, metrics=keys)
    if panel.kind == PanelKind.PICTURES:
        return reports.MediaBrowser(title=panel.title, media_keys=keys)
    [table] = keys
    return reports.WeavePanelSummaryTable(table_name=table)


def expand(key: str, phenomena: Sequence[str]) -> list[str]:
    """The keys that a key with a placeholder stands for; the key itself where it has none."""
    return [key.replace(_PHENOMENON, name) for name in phenomena] if _PHENOMENON in key else [key]
