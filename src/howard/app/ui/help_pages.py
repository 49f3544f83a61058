"""Help pages, one Markdown file per topic, and the choice of the topic for an error message."""

import functools
import re
from importlib.resources import files

from nicegui import ui

from howard.app.ui import texts

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
    """Open a dialog with a topic's page and buttons for the other topics."""
    with ui.dialog(value=True) as dialog, ui.card().classes("howard-help"):
        with ui.row():
            for name, title in texts.HELP_TOPICS.items():
                open_page = functools.partial(lambda name: page.set_content(read_help(name)), name)
                ui.button(title, on_click=open_page).props("flat dense no-caps")
        page = ui.markdown(read_help(topic))
        ui.button(texts.CLOSE, on_click=dialog.close).props("flat no-caps")
    dialog.on("hide", dialog.delete)


def read_help(topic: str) -> str:
    """The Markdown text of a topic's page."""
    return (files("howard.app.ui") / "help" / f"{topic}.md").read_text(encoding="utf-8")
