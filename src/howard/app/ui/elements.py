"""Small parts that the panels share: buttons and fields with names for screen readers, and the page's error line."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from nicegui import ui

from howard.app.ui import texts
from howard.app.ui.help_pages import find_topic, show_help
from howard.errors import HowardError

AnyElement = TypeVar("AnyElement", bound=ui.element)


def named(element: AnyElement, name: str) -> AnyElement:
    """Give an element its name for screen readers, which a tooltip shows to all others."""
    element.props["aria-label"] = name
    with element:
        ui.tooltip(name).props("delay=600")
    return element


def icon_button(icon: str, name: str, act: Callable[..., Any]) -> ui.button:
    """A flat button with an icon and a name."""
    return named(ui.button(icon=icon, on_click=act).props("flat dense size=sm"), name)


def text_button(text: str, act: Callable[..., Any], icon: str | None = None) -> ui.button:
    """An outlined button with a text."""
    return ui.button(text, icon=icon, on_click=act).props("outline dense no-caps size=sm")


class FocusNames(ui.element, component="focus_names.js"):
    """Sees to it that screen readers read the names of sliders and selections; one a page."""


class ErrorLine:
    """The line at the top of the page that shows the latest error, as the command line would, and leads to help."""

    def __init__(self) -> None:
        self._message = ""
        with ui.row().classes("howard-error").props("role=alert") as self._row:
            self._label = ui.label().classes("howard-error-text")
            ui.button(texts.WHAT_NOW, on_click=lambda: show_help(find_topic(self._message))).props("flat dense no-caps")
            icon_button("close", texts.CLOSE, self.clear)
        self._row.set_visibility(False)

    def show(self, message: str) -> None:
        """Show an error's one line."""
        self._message = message
        self._label.set_text(message)
        self._row.set_visibility(True)

    def clear(self) -> None:
        """Take the line away."""
        self._row.set_visibility(False)

    def guard(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a handler, plain or a coroutine: errors meant for people are shown."""
        parameters = inspect.signature(act).parameters.values()
        takes_event = any(each.default is each.empty for each in parameters)

        async def guarded(event: Any = None) -> None:
            try:
                result = act(event) if takes_event else act()
                if inspect.isawaitable(result):
                    await result
            except (HowardError, OSError) as error:
                self.show(str(error))
            else:
                self.clear()

        return guarded
