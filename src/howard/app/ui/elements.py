"""Elements shared by the panels: buttons and fields with accessible names, and the page's error line."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from nicegui import ui

from howard.app.ui import texts
from howard.app.ui.help_pages import find_topic, show_help
from howard.errors import HowardError

AnyElement = TypeVar("AnyElement", bound=ui.element)


def label_element(element: AnyElement, name: str) -> AnyElement:
    """Set an element's accessible name, which is also its tooltip, and return the element."""
    element.props["aria-label"] = name
    with element:
        ui.tooltip(name).props("delay=600")
    return element


def icon_button(icon: str, name: str, handler: Callable[..., Any]) -> ui.button:
    """A flat button with an icon and an accessible name."""
    return label_element(ui.button(icon=icon, on_click=handler).props("flat dense size=sm"), name)


def text_button(text: str, handler: Callable[..., Any], icon: str | None = None) -> ui.button:
    """An outlined button with a text label."""
    return ui.button(text, icon=icon, on_click=handler).props("outline dense no-caps size=sm")


def set_pressed(button: ui.button, is_pressed: bool) -> None:
    """Show a toggle button as pressed or not, also to screen readers."""
    button.props["aria-pressed"] = str(is_pressed).lower()
    button.classes(**{"add" if is_pressed else "remove": "howard-pressed"})


class FocusNames(ui.element, component="focus_names.js"):
    """Copies accessible names of sliders and selects to the elements that get the focus; one per page."""


class ErrorLine:
    """The line at the top of the page with the latest error in the words of the command line, and a help button."""

    def __init__(self) -> None:
        self._message = ""
        with ui.row().classes("howard-error").props("role=alert") as self._row:
            self._label = ui.label().classes("howard-error-text")
            help_button = ui.button(texts.HELP_WITH_MESSAGE, on_click=lambda: show_help(find_topic(self._message)))
            help_button.props("flat dense no-caps")
            icon_button("close", texts.CLOSE, self.clear)
        self._row.set_visibility(False)

    def show(self, message: str) -> None:
        """Show an error message."""
        self._message = message
        self._label.set_text(message)
        self._row.set_visibility(True)

    def clear(self) -> None:
        """Hide the line."""
        self._row.set_visibility(False)

    def catch(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap an event handler (function or coroutine function) so that a HowardError or OSError is shown."""
        parameters = inspect.signature(handler).parameters.values()
        accepts_event = any(each.default is each.empty for each in parameters)

        async def wrapped(event: Any = None) -> None:
            try:
                result = handler(event) if accepts_event else handler()
                if inspect.isawaitable(result):
                    await result
            except (HowardError, OSError) as error:
                self.show(str(error))
            else:
                self.clear()

        return wrapped
