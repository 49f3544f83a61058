"""The page of a real render, of incomplete or damaged ones, and the tables of its sidecar."""

import base64
import json
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from howard.errors import InputError, OutputError
from howard.render_record import read_lines
from howard.report import write_report
from howard.report.finished_render import FinishedRender, FrameLine, Sample
from howard.report.report_page import render_facts
from howard.report.sampled_frames import choose_samples

VOID = {"meta", "img", "input", "br"}


class Page(HTMLParser):
    """Checks that elements are closed in their order; keeps start tags and text."""

    def __init__(self, path):
        super().__init__()
        self.open, self.tags, self.text, self.headings = [], [], "", []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text += data
        if self.open and self.open[-1] == "h1":
            self.headings.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def test_a_render_comes_with_its_page(finished):
    assert (finished / "report.html").read_text(encoding="utf-8") == write_report(finished).read_text(encoding="utf-8")


def test_the_page_refers_to_nothing_outside(finished):
    page = Page(finished / "report.html")
    assert page.all("img")
    assert all(image["src"].startswith("data:image/webp;base64,") for image in page.all("img"))
    assert not re.search(r"https?://|@import|url\(", page.source)
    assert not page.all("link") + page.all("iframe")
    assert all("src" not in script for script in page.all("script"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link["href"][1:] for link in page.all("a")} <= set(ids)


def test_every_image_has_an_alternative_text(finished):
    page = Page(finished / "report.html")
    assert all(image["alt"].strip() for image in page.all("img"))
    sliders = [each for each in page.all("input") if each["type"] == "range" and each["class"] == "seam"]
    assert len(sliders) == 4
    assert all("Frame" in slider["aria-label"] for slider in sliders)


def test_the_pictures_are_those_of_the_frames(finished):
    page = Page(finished / "report.html")
    shown = [image["src"].partition(",")[2] for image in page.all("img") if image["class"] == "cutout"]
    files = sorted(finished.glob("howard.samples/*/cutout.webp"))
    assert [base64.b64decode(each) for each in shown] == [file.read_bytes() for file in files]
    rgba = cv2.imdecode(np.frombuffer(base64.b64decode(shown[0]), np.uint8), cv2.IMREAD_UNCHANGED)
    written = cv2.imread(str(next(finished.glob("*.0001.png"))), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(rgba[..., 3], written[..., 3])


def test_the_summary_is_at_the_top(finished):
    text = " ".join(Page(finished / "report.html").text.split())
    lines = [facts for facts in read_lines(finished) if "number" in facts]
    weak, failed = (sum(line["status"] == status for line in lines) for status in ("weak", "failed"))
    lowest = min(lines, key=lambda line: line["coverage"])
    share = f"{lowest['coverage']:.1%}"
    summary = rf"4 frames ?{weak} weak ?{failed} failed ?{share} lowest coverage, frame {lowest['number']}"
    assert re.search(summary, text)
    assert weak + failed >= 1
    assert f"Frame 4 {lines[3]['status']}" in text
    assert "320 x 192 · 24 frames/s · plate plate · weights people_refine" in text


def test_names_that_look_like_markup_are_shown_as_they_are(finished):
    page = Page(finished / "report.html")
    name = json.loads((finished / "howard.json").read_text())["source"]["path"].rpartition("/")[2]
    assert page.headings == [name]
    assert "<script>alert" not in page.source


def test_names_that_are_not_unicode_are_replaced(written):
    folder = written([{"number": 1}], {"source": {"path": "clips/b\udcffd.mov"}})
    assert Page(write_report(folder)).headings == ["b?d.mov"]


@pytest.mark.parametrize(
    "sidecar",
    [
        {},
        {"source": None, "plate": [], "weights": "old", "outputs": {}},
        {"source": {"path": 3, "pixel_aspect": "x"}, "settings": {"a": {"b": [{"c": None}]}}},
        {"source": {"width": "wide", "height": 0, "pixel_aspect": "1"}},
    ],
)
def test_sidecars_of_any_version_are_accepted(written, sidecar):
    assert "Inputs and settings" in Page(write_report(written([{"number": 1, "status": "good"}], sidecar))).text


def test_a_render_without_frames_says_so(written):
    assert "No frame is finished yet." in Page(write_report(written([]))).text


def test_frames_without_pictures_still_have_curves(written):
    rows = [{"number": number, "status": "weak", "inliers": number} for number in range(1, 6)]
    page = Page(write_report(written(rows)))
    assert "No images of this render were saved." in page.text
    assert "Frames 1-5" in page.text
    assert len(page.all("svg")) == 1


def test_values_that_are_not_finite_are_left_out(written):
    rows = ['{"number": 1, "error_px": NaN, "coverage": Infinity}', {"number": 2, "error_px": 0.5, "coverage": 0.9}]
    text = " ".join(Page(write_report(written(rows))).text.split())
    assert "90.0% lowest coverage, frame 2" in text
    assert "0.50 (frame 2) to 0.50 px (frame 2)" in text
    assert "nan" not in text.lower()


def test_a_sample_with_pictures_missing_shows_the_rest(render):
    sample = render / "howard.samples" / "0001"
    for name in ("cutout", "alpha", "crop_coarse", "explanation", "thumbnail"):
        (sample / f"{name}.webp").unlink()
    (sample / "sample.json").write_text("{}")
    classes = [image["class"] for image in Page(write_report(render)).all("img") if "Frame 1" in image["alt"]]
    assert classes == ["plate", "residual", "coarse", "error", "refined"]


def test_pixels_that_are_not_square_are_stretched(render):
    facts = json.loads((render / "howard.json").read_text())
    assert "style" not in Page(write_report(render)).all("main")[0]
    facts["source"]["pixel_aspect"] = "4/3"
    (render / "howard.json").write_text(json.dumps(facts))
    assert Page(write_report(render)).all("main") == [{"class": "shaped", "style": f"--shape: {4 / 3 * 320 / 192:.4f}"}]


def test_a_long_bad_render_lists_a_limited_number_of_spans(written):
    rows = [{"number": number, "status": "weak" if number % 2 else "good"} for number in range(1, 20_001)]
    page = Page(write_report(written(rows)))
    assert len(page.source) < 1_000_000
    assert "and 9960 more, all listed" in page.text


def test_samples_shown_are_few_and_spread(tmp_path):
    lines = [FrameLine(number, "weak" if number % 10 == 5 else "good") for number in range(1, 161)]
    render = FinishedRender(tmp_path, {}, lines, [Sample(line, {}, {}) for line in lines])
    numbers = [sample.line.number for sample in choose_samples(render)]
    assert [number for number in numbers if number % 10 == 5] == [5, 25, 45, 65, 85, 105, 125, 145]
    assert len(numbers) == 16
    assert (numbers[0], numbers[-1]) == (1, 160)


def test_a_page_that_cannot_be_written_is_an_error_and_keeps_the_old_one(written):
    folder = written([{"number": 1}])
    (folder / "report.html").mkdir()
    with pytest.raises(OutputError, match=r"report\.html"):
        write_report(folder)
    assert not list(folder.glob(".*.part"))


def test_an_unreadable_image_is_an_error(render):
    (render / "howard.samples" / "0001" / "alpha.webp").unlink()
    (render / "howard.samples" / "0001" / "alpha.webp").mkdir()
    with pytest.raises(InputError, match=r"alpha\.webp"):
        write_report(render)


def rows(sidecar):
    return dict(re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td>', render_facts(sidecar)))


def test_every_value_has_its_row():
    shown = rows({"source": {"width": 1, "colour": {"matrix": "bt709"}, "timecode": None}, "mixing": "linear"})
    assert shown == {"Width": "1", "Colour, matrix": "bt709", "Timecode": "-", "Mixing": "linear"}


def test_values_are_written_for_people():
    shown = rows({"settings": {"on": True, "off": False, "share": 0.1, "list": [1, 2.5], "none": [], "one": 1}})
    assert shown == {"On": "yes", "Off": "no", "Share": "0.1", "List": "1, 2.5", "None": "none", "One": "1"}


def test_times_are_dates():
    shown = rows({"source": {"fingerprint": {"modified_ns": 0}, "modified_ns": 10**40}})
    assert shown == {"Fingerprint, modified ns": "1970-01-01 00:00:00 UTC", "Modified ns": str(10**40)}


def test_one_output_needs_no_number_and_two_do():
    assert rows({"outputs": [{"codec": "png"}]}) == {"Codec": "png"}
    assert rows({"outputs": [{"codec": "png"}, {"codec": "h264"}]}) == {"1, codec": "png", "2, codec": "h264"}


def test_an_empty_sidecar_makes_no_table():
    assert "<table" not in render_facts({})
