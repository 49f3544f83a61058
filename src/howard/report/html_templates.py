"""Renders the HTML templates in ``templates/`` with jinja2; all values are escaped unless they are `Markup`."""

import functools
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from jinja2 import Environment


def render_template(name: str, **values: Any) -> Markup:
    """The HTML of ``templates/NAME`` with these values; a value that the template lacks is an error."""
    return Markup(environment().get_template(name).render(values))


@functools.cache
def environment() -> "Environment":
    """The jinja2 environment of the report."""
    # Not before a report is written: a render's first message must not wait for jinja2.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("howard.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
