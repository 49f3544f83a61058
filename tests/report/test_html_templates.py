"""Values are escaped in the page, whatever they are."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markupsafe import Markup

from howard.report.html_templates import environment, render_template

# HTML itself reads carriage returns as line ends and has no NUL.
texts = st.text(st.characters(exclude_characters="\r\0", exclude_categories=("Cs",)))


class Reader(HTMLParser):
    """Collects start tags with their attributes, and text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@given(texts, texts)
def test_any_text_arrives_unchanged(attribute, text):
    template = environment().from_string('<p title="{{ attribute }}">{{ text }}</p>')
    reader = Reader(template.render(attribute=attribute, text=text))
    assert reader.tags == [("p", {"title": attribute})]
    assert reader.text == text


def test_markup_is_not_escaped_twice():
    template = environment().from_string("<p>{{ inner }}{{ text }}</p>")
    page = template.render(inner=Markup("<b>1 &lt; 2</b>"), text=" & ")
    assert page == "<p><b>1 &lt; 2</b> &amp; </p>"


def test_values_are_escaped_and_the_template_is_not():
    page = render_template("facts.html", tables=[{"title": "<br>", "rows": [("a & b", "<i>")]}])
    assert isinstance(page, Markup)
    assert "<caption>&lt;br&gt;</caption>" in page
    assert '<th scope="row">a &amp; b</th><td>&lt;i&gt;</td>' in page


def test_a_value_that_is_missing_is_an_error():
    with pytest.raises(UndefinedError):
        render_template("facts.html")
