"""Sphinx settings of the documentation's site, which `python run.py docs` builds."""

import os
import re
import sys
import tomllib
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
# The pages describe this checkout, whatever is installed.
sys.path.insert(0, str(ROOT / "src"))

project = "Howard"
author = "Howard developers"
release = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence"]
# Headings down to ### are link targets, under the names that code hosts give them.
myst_heading_anchors = 3
default_role = "code"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
# Of the extra `train`, which the site does not need otherwise.
autodoc_mock_imports = ["torchmetrics"]
html_theme = "furo"
html_title = f"Howard {release}"
html_show_copyright = False

# Pages of the repository outside docs/ that the site shows, by the page that includes them.
INCLUDED = {"README.md": "index.md", "data/README.md": "data.md", "src/howard/pretrained/README.md": "model-card.md"}
_LINK = re.compile(r"\[([^][]*)\]\(([^)#:\s]+\.md)(#[^)]*)?\)")


def link_within_site(text: str, folder: Path) -> str:
    """Point Markdown links between the repository's pages, relative to `folder`, to the site's pages.

    A link to a page that the site does not have becomes its text.
    """

    def replace(link: re.Match[str]) -> str:
        path = os.path.relpath(folder / link[2], ROOT).replace(os.sep, "/")
        page = path.removeprefix("docs/") if path.startswith("docs/") else INCLUDED.get(path)
        return f"[{link[1]}]({page}{link[3] or ''})" if page else link[1]

    return _LINK.sub(replace, text)


def setup(app) -> None:
    """Adjust the links of every page and of every file that a page includes; shorten docstrings."""

    def adjust_page(app, name: str, content: list[str]) -> None:
        content[0] = link_within_site(content[0], DOCS)

    def adjust_included(app, path: Path, page: str, content: list[str]) -> None:
        content[0] = link_within_site(content[0], (DOCS / path).parent)

    def leave_options_out(app, kind: str, name: str, value, options, lines: list[str]) -> None:
        # The settings page has them; `accept_options` adds them to several docstrings.
        if "Options:" in lines:
            del lines[lines.index("Options:") :]

    app.connect("source-read", adjust_page)
    app.connect("include-read", adjust_included)
    # Before napoleon, whose priority is 500, makes sections of the lines.
    app.connect("autodoc-process-docstring", leave_options_out, priority=400)
