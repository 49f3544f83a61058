"""Help pages, one Markdown file per topic, and the choice of the topic for an error message."""

import functools
import re
from importlib.resources import files

from nicegui import ui

from howard.app.ui import texts
from howard.app.ui.doc_pages import doc_address

# Patterns of error messages and their topics; the first match wins.
_TOPICS = (
    (r"garbage=|holdout=|mask|stroke", "masks"),
    (r"colour=|transfer|primaries|log curve|ocio", "colour"),
    (r"output=|format=|disk|folder|overwrite|restart|layers=|background=", "outputs"),
    (r"plate|align|parallax|coverage", "plate"),
)
_FALLBACK = "start"


def find_topic(message: str) -> str:
    """The topic, one of ``texts.HELP_TOPICS``, for an error message."""
    matches = (topic for pattern, topic in _TOPICS if re.search(pattern, message, re.IGNORECASE))
    return next(matches, _FALLBACK)


def show_help(topic: str) -> None:
    """Open a dialog with a topic's page, its page of the documentation, and buttons for the other topics."""

    def show(name: str) -> None:
        page.set_content(read_help(name))
        address = doc_address(name)
        link.set_visibility(address is not None)
        link.props["href"] = address or ""
        link.update()

    with ui.dialog(value=True) as dialog, ui.card().classes("howard-help"):
        with ui.row():
            for name, title in texts.HELP_TOPICS.items():
                ui.button(title, on_click=functools.partial(show, name)).props("flat dense no-caps")
        page = ui.markdown()
        link = ui.link(texts.FULL_PAGE, "", new_tab=True)
        show(topic)
        ui.button(texts.CLOSE, on_click=dialog.close).props("flat no-caps")
    dialog.on("hide", dialog.delete)


def read_help(topic: str) -> str:
    """The Markdown text of a topic's page."""
    return (files("howard.app.ui") / "help" / f"{topic}.md").read_text(encoding="utf-8")
