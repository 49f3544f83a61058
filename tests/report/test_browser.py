"""The page in a real browser: no errors in the console, and working controls."""

import json
import re
import shutil
import subprocess
from html import unescape

import pytest

from howard.render_record import read_lines
from howard.report import write_report

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PROBE = """<script>
  const found = {};
  const move = (input, value) => {
    input.value = value;
    input.dispatchEvent(new Event("input"));
  };
  const isShown = (id) => getComputedStyle(document.getElementById(id)).display !== "none";
  window.addEventListener("hashchange", () => {
    found.second = [isShown("frame-1"), isShown("frame-2")];
    document.body.dataset.found = JSON.stringify(found);
  });
  window.addEventListener("load", () => {
    const compare = document.querySelector(".compare");
    const seam = () => getComputedStyle(compare.querySelector(".over")).clipPath;
    found.before = seam();
    move(compare.querySelector(".seam"), 20);
    found.after = seam();
    found.backdrop = getComputedStyle(compare.querySelector(".over")).backgroundColor;
    document.getElementById("backdrop-green").click();
    found.green = getComputedStyle(compare.querySelector(".over")).backgroundColor;
    move(document.querySelector(".cursor"), 3);
    found.read = [...document.querySelectorAll(".curve output")].map((output) => output.textContent);
    found.first = [isShown("frame-1"), isShown("frame-2")];
    found.natural = [...document.images].map((image) => image.complete && image.naturalWidth);
    document.querySelector(".zoom").click();
    found.pressed = document.querySelector(".zoom").getAttribute("aria-pressed");
    found.overflow = document.documentElement.scrollWidth - innerWidth;
    location.hash = "frame-2";
  });
</script>"""


@pytest.fixture(scope="session")
def browse(tmp_path_factory):
    """``browse(page, width)``: the page's DOM once it is quiet, and what the console said."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("no Chromium here")
    profile = tmp_path_factory.mktemp("profile")

    def run(page, width=1280):
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={profile}"]
        flags += [f"--window-size={width},900", "--virtual-time-budget=4000", "--enable-logging=stderr"]
        done = subprocess.run([browser, *flags, "--dump-dom", page.as_uri()], capture_output=True, timeout=120)
        said = [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]
        return done.stdout.decode(), said

    return run


def probed(folder, extra=""):
    page = write_report(folder)
    page.write_text(page.read_text(encoding="utf-8").replace("</body>", f"{PROBE}{extra}</body>"), encoding="utf-8")
    return page


@pytest.mark.parametrize("width", [1280, 500])
def test_the_page_works_in_a_browser(browse, render, width):
    dom, said = browse(probed(render), width)
    found = json.loads(unescape(re.search(r'data-found="([^"]*)"', dom)[1]))
    assert said == []
    assert (found["before"], found["after"]) == ("inset(0px 0px 0px 50%)", "inset(0px 0px 0px 20%)")
    assert found["backdrop"] != found["green"] == "rgb(0, 177, 64)"
    assert (found["first"], found["second"]) == ([True, False], [False, True])
    assert all(found["natural"])
    assert found["pressed"] == "true"
    assert found["overflow"] <= 0
    row = next(facts for facts in read_lines(render) if facts.get("number") == 3)
    read = [float(text.split()[0]) for text in found["read"]]
    expected = [row["error_px"], row["inliers"], 100 * row["coverage"], row["recomposition_error"]]
    assert read == pytest.approx(expected, abs=0.1)


def test_script_errors_are_noticed(browse, render):
    _, said = browse(probed(render, extra="<script>nothing.of.this.is.there</script>"))
    assert said


def test_a_page_may_load_nothing(browse, render):
    _, said = browse(probed(render, extra='<img src="file:///etc/hostname" alt="">'))
    assert any("Content Security Policy" in line for line in said)


def test_an_empty_render_logs_nothing(browse, written):
    _, said = browse(write_report(written([])))
    assert said == []
