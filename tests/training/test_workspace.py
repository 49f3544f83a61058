"""The W&B workspace: what is built, by W&B's own package and by a fake that nothing is sent by, and what is said."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from howard.errors import MissingPackageError
from howard.training.workspace import __main__ as command
from howard.training.workspace.__main__ import TrackerError, WorkspaceCommand, make_workspace
from howard.training.workspace.dashboard import DASHBOARD, build_workspace, dashboard_keys, expand


class Made(SimpleNamespace):
    """Stands in for any class of the package: keeps what it is told."""

    saved = 0
    url = "https://wandb.test/view"

    def save(self) -> None:
        type(self).saved += 1


class RefusedError(Exception):
    """Stands in for wandb.errors.Error."""


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Modules in the places of wandb and wandb-workspaces; somebody is logged in."""
    package: Any = ModuleType("wandb")
    package.login = lambda prompt: True
    package.errors = SimpleNamespace(Error=RefusedError)
    package.Api = lambda: SimpleNamespace(default_entity="me")
    names = ("Workspace", "Section", "WorkspaceSettings", "RunsetSettings")
    panels = ("LinePlot", "BarPlot", "MediaBrowser", "WeavePanelSummaryTable")
    workspaces: Any = ModuleType("wandb_workspaces.workspaces")
    reports: Any = ModuleType("wandb_workspaces.reports.v2")
    for module, classes in ((workspaces, names), (reports, panels)):
        for name in classes:
            setattr(module, name, type(name, (Made,), {}))
    workspaces.Metric = lambda name: f"metric {name}"
    for name, module in {
        "wandb": package,
        "wandb_workspaces": ModuleType("wandb_workspaces"),
        workspaces.__name__: workspaces,
        reports.__name__: reports,
    }.items():
        monkeypatch.setitem(sys.modules, name, module)
    return package


@pytest.mark.usefixtures("online")
def test_every_panel_of_the_dashboard_is_in_its_section() -> None:
    made = build_workspace("me", "howard", "mine", ["hair", "low_light"])
    assert [section.name for section in made.sections] == [section.title for section in DASHBOARD]
    for section, spec in zip(made.sections, DASHBOARD, strict=True):
        assert len(section.panels) == len(spec.panels)
    panels = {type(panel).__name__ for section in made.sections for panel in section.panels}
    assert panels == {"LinePlot", "BarPlot", "MediaBrowser", "WeavePanelSummaryTable"}
    bars = [panel.metrics for section in made.sections for panel in section.panels if hasattr(panel, "metrics")]
    assert ["suite/hair/mad", "suite/low_light/mad"] in bars
    assert made.runset_settings.groupby == ["metric Group"]


@pytest.mark.usefixtures("online")
def test_the_command_saves_it_and_prints_its_address(capsys: pytest.CaptureFixture[str]) -> None:
    command.main(["project=mine"])
    assert capsys.readouterr().out == "workspace: https://wandb.test/view\n"
    assert sys.modules["wandb_workspaces.workspaces"].Workspace.saved == 1


def test_whoever_is_not_logged_in_is_told(online: Any) -> None:
    online.login = lambda prompt: False
    with pytest.raises(TrackerError, match="not logged in to W&B: run wandb login"):
        make_workspace(WorkspaceCommand())


def test_a_refusal_is_one_line(online: Any) -> None:
    def refuse() -> None:
        raise RefusedError("no\nsuch project")

    online.Api = refuse
    with pytest.raises(TrackerError) as caught:
        make_workspace(WorkspaceCommand())
    assert str(caught.value) == r"W&B refused: no\nsuch project"


@pytest.mark.usefixtures("online")
def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb_workspaces", None)
    with pytest.raises(MissingPackageError, match="wandb_workspaces, which is missing: pip install wandb-workspaces"):
        make_workspace(WorkspaceCommand())


def test_the_package_itself_takes_the_workspace() -> None:
    pytest.importorskip("wandb_workspaces")
    made = build_workspace("me", "howard", "mine", ["hair"])
    smooth = made.sections[1].panels[0]
    assert (smooth.title, smooth.smoothing_factor) == ("Loss", 0.9)
    keys = [str(key) for section in made.sections for panel in section.panels for key in getattr(panel, "y", []) or []]
    assert any("gradient/norm" in key for key in keys)


def test_a_placeholder_stands_for_every_phenomenon() -> None:
    assert expand("suite/PHENOMENON/mad", ["a", "b"]) == ["suite/a/mad", "suite/b/mad"]
    assert expand("val/mad", ["a", "b"]) == ["val/mad"]
    assert len(dashboard_keys()) == len(set(dashboard_keys()))
