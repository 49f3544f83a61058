"""The page: pairs and renders on the left, viewers and timeline in the middle, settings and painting on the right."""

from importlib.resources import files

from nicegui import ui

from howard.app.core.views import VIEWS
from howard.app.ui import texts
from howard.app.ui.display_state import LAYOUTS
from howard.app.ui.elements import ErrorLine, FocusNames, icon_button, label_element, set_pressed
from howard.app.ui.help_pages import show_help
from howard.app.ui.paint_panel import PaintPanel
from howard.app.ui.painter import Painter
from howard.app.ui.project_bar import ProjectBar
from howard.app.ui.queue_panel import QueuePanel
from howard.app.ui.render_monitor import RenderMonitor
from howard.app.ui.scrubber import Scrubber, Transport
from howard.app.ui.settings_panel import SettingsPanel
from howard.app.ui.shortcuts import Shortcuts, frame_keys, paint_keys, view_keys, viewer_keys
from howard.app.ui.viewer import Viewer
from howard.app.ui.workspace import Workspace

_LAYOUT_ICONS = {"side": "view_column", "wipe": "compare", "single": "crop_landscape"}


def build_page(workspace: Workspace, monitor: RenderMonitor, painter: Painter) -> None:
    """Build the page for one browser tab."""
    ui.add_css((files("howard.app.ui") / "app.css").read_text(encoding="utf-8"))
    ui.colors(primary="#56b4e9", secondary="#3a3f44", accent="#e69f00", negative="#d55e00", positive="#009e73")
    with ui.element("div").classes("howard-screen"):
        errors = ErrorLine()
        with ui.element("aside").classes("howard-left"):
            ProjectBar(workspace, errors)
            with ui.element("section").classes("howard-queue"):
                queue = QueuePanel(workspace, monitor, errors)
        with ui.element("main").classes("howard-middle"):
            with ui.row().classes("howard-bar"):
                ViewBar(workspace, "a", texts.LEFT_VIEWER)
                ViewBar(workspace, "b", texts.RIGHT_VIEWER)
                ui.space()
                LayoutButtons(workspace)
                icon_button("fit_screen", texts.FIT, lambda: viewer.run_method("fit"))
                actual = ui.button(texts.ACTUAL_SIZE_LABEL, on_click=lambda: viewer.run_method("actualSize"))
                label_element(actual.props("flat dense size=sm"), texts.ACTUAL_SIZE)
                icon_button("help_outline", texts.HELP, lambda: show_help("keys"))
            viewer = Viewer(workspace, painter)
            transport = Transport(workspace)
            Scrubber(workspace, monitor, transport)
        with ui.element("aside").classes("howard-right"):
            with ui.tabs().props("dense no-caps align=justify") as tabs:
                settings = ui.tab(texts.SETTINGS)
                paint = ui.tab(texts.PAINT)
            with ui.tab_panels(tabs, value=settings, animated=False).classes("howard-panels"):
                with ui.tab_panel(settings):
                    SettingsPanel(workspace, errors)
                with ui.tab_panel(paint):
                    PaintPanel(workspace, painter, errors)
    other_keys = {
        "space": transport.toggle,
        "i": lambda: transport.mark("first"),
        "o": lambda: transport.mark("last"),
        "ctrl+enter": queue.render,
        "?": lambda: show_help("keys"),
    }
    keys = view_keys(workspace) | frame_keys(workspace) | viewer_keys(workspace, viewer) | paint_keys(painter)
    Shortcuts(keys | other_keys, errors)
    FocusNames()


class ViewBar:
    """The select of a viewer's view."""

    def __init__(self, workspace: Workspace, pane: str, name: str) -> None:
        self._workspace, self._pane = workspace, pane
        labels = {view: f"{digit}  {texts.VIEWS[view]}" for digit, view in enumerate(VIEWS, start=1)}
        self._select = ui.select(labels, value=getattr(workspace.display, pane), on_change=self._choose)
        self._select.props("dense outlined options-dense").classes("howard-view")
        label_element(self._select, name)
        workspace.display_changed.subscribe(self._refresh)

    def _choose(self) -> None:
        self._workspace.show(**{self._pane: self._select.value})

    def _refresh(self) -> None:
        self._select.set_value(getattr(self._workspace.display, self._pane))
        self._select.set_visibility(self._pane in self._workspace.display.panes)


class LayoutButtons:
    """Buttons for the layouts: two viewers, a wipe, or one viewer."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._buttons = {
            layout: icon_button(
                _LAYOUT_ICONS[layout], texts.LAYOUTS[layout], lambda layout=layout: workspace.show(layout=layout)
            )
            for layout in LAYOUTS
        }
        workspace.display_changed.subscribe(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        for layout, button in self._buttons.items():
            set_pressed(button, layout == self._workspace.display.layout)
