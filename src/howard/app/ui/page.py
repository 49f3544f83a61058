"""The one screen: pairs and renders at the left, viewers and timeline in the middle, settings and paint right."""

from importlib.resources import files

from nicegui import ui

from howard.app.core.views import VIEWS
from howard.app.ui import texts
from howard.app.ui.elements import ErrorLine, FocusNames, icon_button, named
from howard.app.ui.help_pages import show_help
from howard.app.ui.keys import Shortcuts, frame_keys, paint_keys, view_keys, viewer_keys
from howard.app.ui.paint_panel import PaintPanel
from howard.app.ui.painter import Painter
from howard.app.ui.project_bar import ProjectBar
from howard.app.ui.queue_panel import QueuePanel
from howard.app.ui.rendering import Renders
from howard.app.ui.scrubber import Scrubber, Transport
from howard.app.ui.settings_panel import SettingsPanel
from howard.app.ui.shown import LAYOUTS
from howard.app.ui.viewer import Viewer
from howard.app.ui.workspace import Workspace

_LAYOUT_ICONS = {"side": "view_column", "wipe": "compare", "single": "crop_landscape"}


def build_page(workspace: Workspace, renders: Renders, painter: Painter) -> None:
    """Build the screen for one tab."""
    ui.add_css((files("howard.app.ui") / "page.css").read_text(encoding="utf-8"))
    ui.colors(primary="#56b4e9", secondary="#3a3f44", accent="#e69f00", negative="#d55e00", positive="#009e73")
    with ui.element("div").classes("howard-screen"):
        errors = ErrorLine()
        with ui.element("aside").classes("howard-left"):
            ProjectBar(workspace, errors)
            with ui.element("section").classes("howard-queue"):
                queue = QueuePanel(workspace, renders, errors)
        with ui.element("main").classes("howard-middle"):
            with ui.row().classes("howard-bar"):
                ViewBar(workspace, "a", texts.LEFT_VIEWER)
                ViewBar(workspace, "b", texts.RIGHT_VIEWER)
                ui.space()
                LayoutButtons(workspace)
                icon_button("fit_screen", texts.FIT, lambda: viewer.run_method("fit"))
                actual = ui.button(texts.ACTUAL_SIZE_LABEL, on_click=lambda: viewer.run_method("actualSize"))
                named(actual.props("flat dense size=sm"), texts.ACTUAL_SIZE)
                icon_button("help_outline", texts.HELP, lambda: show_help("keys"))
            viewer = Viewer(workspace, painter)
            transport = Transport(workspace)
            Scrubber(workspace, renders)
        with ui.element("aside").classes("howard-right"):
            with ui.tabs().props("dense no-caps align=justify") as tabs:
                settings = ui.tab(texts.SETTINGS)
                paint = ui.tab(texts.PAINT)
            with ui.tab_panels(tabs, value=settings, animated=False).classes("howard-panels"):
                with ui.tab_panel(settings):
                    SettingsPanel(workspace, errors)
                with ui.tab_panel(paint):
                    PaintPanel(workspace, painter, errors)
    others = {
        "space": transport.toggle,
        "i": lambda: transport.mark("first"),
        "o": lambda: transport.mark("last"),
        "ctrl+enter": queue.render,
        "?": lambda: show_help("keys"),
    }
    keys = view_keys(workspace) | frame_keys(workspace) | viewer_keys(workspace, viewer) | paint_keys(painter) | others
    Shortcuts(keys, errors)
    FocusNames()


class ViewBar:
    """The choice of a viewer's view."""

    def __init__(self, workspace: Workspace, pane: str, name: str) -> None:
        self._workspace, self._pane = workspace, pane
        labels = {view: f"{digit}  {texts.VIEWS[view]}" for digit, view in enumerate(VIEWS, start=1)}
        self._select = ui.select(labels, value=getattr(workspace.shown, pane), on_change=self._choose)
        self._select.props("dense outlined options-dense").classes("howard-view")
        named(self._select, name)
        workspace.shown_changed.subscribe(self._refresh)

    def _choose(self) -> None:
        self._workspace.show(**{self._pane: self._select.value})

    def _refresh(self) -> None:
        self._select.set_value(getattr(self._workspace.shown, self._pane))
        self._select.set_visibility(self._pane in self._workspace.shown.panes)


class LayoutButtons:
    """Two viewers, a wipe, or one viewer."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._buttons = {
            layout: icon_button(
                _LAYOUT_ICONS[layout], texts.LAYOUTS[layout], lambda layout=layout: workspace.show(layout=layout)
            )
            for layout in LAYOUTS
        }
        workspace.shown_changed.subscribe(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        for layout, button in self._buttons.items():
            is_chosen = layout == self._workspace.shown.layout
            button.props["aria-pressed"] = str(is_chosen).lower()
            button.classes(**{"add" if is_chosen else "remove": "howard-pressed"})
