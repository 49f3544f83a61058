"""Nothing gets into the page unescaped."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from howard.report.markup import Markup, element, join

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
    reader = Reader(element("p", {"title": attribute}, text))
    assert reader.tags == [("p", {"title": attribute})]
    assert reader.text == text


def test_markup_is_not_escaped_twice():
    assert element("p", None, element("b", None, "1 < 2"), " & ") == "<p><b>1 &lt; 2</b> &amp; </p>"
    assert join(["<", Markup("<br>")]) == "&lt;<br>"


def test_attributes_may_be_bare_or_left_out():
    assert element("input", {"checked": True, "disabled": False, "id": None, "min": 0}) == '<input checked min="0">'
