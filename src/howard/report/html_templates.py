"""Renders the HTML templates in ``templates/`` with jinja2; all values are escaped unless they are `Markup`."""

import functools
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def render_template(name: str, **values: Any) -> Markup:
    """The HTML of ``templates/NAME`` with these values; a value that the template lacks is an error."""
    return Markup(environment().get_template(name).render(values))


@functools.cache
def environment() -> Environment:
    """The jinja2 environment of the report."""
    return Environment(
        loader=PackageLoader("howard.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
