"""The W&B dashboard: its sections and panels, and the workspace built from them with the package wandb-workspaces.

A metric's key may contain the placeholder ``PHENOMENON``: ``suite/PHENOMENON/mad`` stands for the metric of every
phenomenon. ``docs/wandb.md`` describes every panel; a test compares the two. Does not import torch.
"""

from collections.abc import Sequence
from enum import StrEnum
from types import ModuleType
from typing import Any, NamedTuple

from howard.requirements import require

STEP = "trainer/global_step"
_PHENOMENON = "PHENOMENON"
_PURPOSE = "making the workspace"
_MOST_RUNS = 100  # lines per chart; W&B's default of 10 is fewer than a sweep has


class PanelKind(StrEnum):
    """Type of a panel."""

    LINES = "lines"  # values over the steps
    BARS = "bars"  # last values, a bar per run
    PICTURES = "pictures"  # with a slider over the steps
    TABLE = "table"  # a logged table, with the rows of all runs


class PanelSpec(NamedTuple):
    """A panel of the dashboard; ``smoothing`` in [0, 1) is the exponential smoothing of lines."""

    title: str
    keys: tuple[str, ...]
    kind: PanelKind = PanelKind.LINES
    smoothing: float = 0.0


class SectionSpec(NamedTuple):
    """Panels under a heading."""

    title: str
    panels: tuple[PanelSpec, ...]


# Smoothing of training curves, which vary from batch to batch; validation curves are not smoothed.
_SMOOTHING = 0.9
_PARTS = ("encoder", "aspp", "decoder", "refiner", "person", "segmentation")
_SCORES = {
    "Error of alpha": "val/mad",
    "Edges": "val/grad",
    "Loose pieces": "val/conn",
    "Soft edges": "val/band_mad",
    "Foreground colour": "val/foreground_mad",
    "Validation loss": "val/loss",
}

DASHBOARD = (
    SectionSpec("Validation", tuple(PanelSpec(title, (key,)) for title, key in _SCORES.items())),
    SectionSpec(
        "Training",
        (
            PanelSpec("Loss", ("train/loss",), smoothing=_SMOOTHING),
            PanelSpec("Loss terms", ("train/alpha", "train/alpha_gradient", "train/foreground"), smoothing=_SMOOTHING),
            PanelSpec("Learning rates", tuple(f"lr-Adam/{part}" for part in _PARTS)),
            PanelSpec("Gradient norm", ("gradient/norm",), smoothing=_SMOOTHING),
            PanelSpec("Decay of the weights' average", ("ema/decay",)),
        ),
    ),
    SectionSpec(
        "Error map",
        (
            PanelSpec("Error map and true error", ("train/error_map", "train/true_error"), smoothing=_SMOOTHING),
            PanelSpec("Ratio to the true error", ("train/error_map_share",), smoothing=_SMOOTHING),
            PanelSpec("Loss of the error map", ("train/error",), smoothing=_SMOOTHING),
        ),
    ),
    SectionSpec(
        "Speed",
        (
            PanelSpec("Samples a second", ("train/samples_per_second",)),
            PanelSpec("Fraction of time spent waiting for data", ("train/data_wait_share",)),
            PanelSpec("GPU memory, GiB", ("device/memory_gb", "device/peak_memory_gb")),
            PanelSpec("GPU utilisation, %", ("device/utilisation",)),
        ),
    ),
    SectionSpec(
        "Pictures",
        (
            PanelSpec("Validation samples", ("panel",), PanelKind.PICTURES),
            PanelSpec("Validation samples at the end", ("samples",), PanelKind.TABLE),
        ),
    ),
    SectionSpec(
        "Validation suite",
        (
            PanelSpec("Error of alpha by phenomenon", ("suite/PHENOMENON/mad",), PanelKind.BARS),
            PanelSpec("Lost subject, % by phenomenon", ("suite/PHENOMENON/lost",), PanelKind.BARS),
            PanelSpec("Kept background, % by phenomenon", ("suite/PHENOMENON/background_kept",), PanelKind.BARS),
            PanelSpec("Kept objects, % by phenomenon", ("suite/PHENOMENON/kept",), PanelKind.BARS),
            PanelSpec("Error of alpha during training", ("suite_curves/PHENOMENON/mad",)),
        ),
    ),
    SectionSpec(
        "Benchmark clips",
        (
            PanelSpec("Mean over the clips", ("bench/mean/mad", "bench/mean/band_mad"), PanelKind.BARS),
            PanelSpec("Flicker", ("bench/mean/dtssd",), PanelKind.BARS),
            PanelSpec("Clips", ("bench_clips",), PanelKind.TABLE),
        ),
    ),
)


def dashboard_keys() -> list[str]:
    """Every metric key of the dashboard, in order."""
    return [key for section in DASHBOARD for panel in section.panels for key in panel.keys]


def build_workspace(entity: str, project: str, name: str, phenomena: Sequence[str]) -> Any:
    """The dashboard as an unsaved W&B workspace, in which runs are grouped by their group.

    Args:
        entity: user or team in W&B.
        project: in W&B.
        name: of the saved view.
        phenomena: names that replace ``PHENOMENON`` in keys.

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
    """A panel of the dashboard as a W&B panel; ``reports`` is the module of W&B's panel classes."""
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
    """The keys that a key with the placeholder stands for; a key without it as it is."""
    return [key.replace(_PHENOMENON, name) for name in phenomena] if _PHENOMENON in key else [key]
