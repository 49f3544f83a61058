"""The pages of the documentation, which help topics link to; each opens in a tab of its own."""

import re
from pathlib import Path

from fastapi.responses import Response
from nicegui import app as pages
from nicegui import ui

from howard.app.ui import texts

# The page of each help topic, with the heading that it opens at.
DOC_PAGES = {
    "start": "app.md",
    "plate": "filming-a-plate.md",
    "masks": "masks.md",
    "colour": "formats.md#colour",
    "outputs": "formats.md#what-is-written",
    "keys": "app.md#keys",
}
_MARKDOWN_EXTRAS = ["fenced-code-blocks", "tables", "header-ids"]
_STYLE = "max-width: 860px; margin: 0 auto; line-height: 1.5"
# Links to files outside the folder of the documentation, such as [data](../data/README.md).
_OUTSIDE_LINK = re.compile(r"(?<!!)\[([^][]*)\]\(\.\./[^)\s]*\)")


def docs_folder() -> Path:
    """The folder of the documentation: ``howard/docs`` of an installed wheel, else ``docs/`` of the repository."""
    package = Path(__file__).parents[2]
    installed = package / "docs"
    return installed if installed.is_dir() else package.parents[1] / "docs"


def doc_address(topic: str) -> str | None:
    """Path of the page of a help topic on the app's server; None if the documentation is not installed."""
    page = DOC_PAGES[topic]
    return f"/docs/{page}" if page.partition("#")[0] in _page_names() else None


def read_doc(name: str) -> str | None:
    """The Markdown text of a page by its file name, without links that lead out of the documentation.

    None if there is no such page.
    """
    if name not in _page_names():
        return None
    return _OUTSIDE_LINK.sub(r"\1", (docs_folder() / name).read_text(encoding="utf-8"))


def add_doc_pages() -> None:
    """Add the route of the pages, and that of their pictures."""
    pictures = docs_folder() / "images"
    if pictures.is_dir():
        pages.add_static_files("/docs/images", pictures)

    @ui.page("/docs/{name}", title=texts.TITLE, dark=True)
    def page(name: str) -> Response | None:
        text = read_doc(name)
        if text is None:
            return Response("not found\n", 404, media_type="text/plain")
        ui.markdown(text, extras=_MARKDOWN_EXTRAS).style(_STYLE)
        # The browser looks for the address's heading before the page has been rendered.
        ui.run_javascript("document.getElementById(location.hash.slice(1))?.scrollIntoView()")
        return None


def _page_names() -> set[str]:
    """File names of the pages; a request is compared with these, so that no other file can be read."""
    return {path.name for path in docs_folder().glob("*.md")}
