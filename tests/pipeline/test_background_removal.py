"""The inference pipeline from clips to files, with a difference key instead of the network."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from howard.errors import InputError, SettingsError
from howard.media import open_reader
from howard.render_record import find_journals
from tests.pipeline.conftest import Nobody
from tests.pipeline.rendered_files import frame_lines, read_rgba


def test_every_frame_is_written_and_recorded(render, tmp_path):
    summary = render(window=0)
    assert (summary.rendered, summary.skipped, summary.failed) == (6, 0, ())
    # The key's matte of the first frame runs along the whole border, and so encloses everything.
    assert summary.reasons == {"holes": (1,)}
    names = {path.name for path in (tmp_path / "out").iterdir()}
    (journal,) = find_journals(tmp_path / "out")
    assert names == {f"shot.{n:04d}.png" for n in range(1, 7)} | {"howard.json", journal.name}
    lines = frame_lines(tmp_path / "out")
    assert [line["number"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert [line["status"] for line in lines] == ["weak", *["good"] * 5]
    assert all(line["coverage"] > 0.9 and line["residual"] < 3 for line in lines)


@pytest.mark.parametrize("edges", ["solved", "network"])
def test_the_sidecar_records_the_edges_setting(render, tmp_path, edges):
    render(frames="1", edges=edges)
    assert json.loads((tmp_path / "out" / "howard.json").read_text())["settings"]["edges"] == edges


def test_edges_are_solved_by_default(render, tmp_path):
    render(frames="2", output=tmp_path / "solved")
    render(frames="2", output=tmp_path / "network", edges="network")
    solved, network = (read_rgba(tmp_path / name / "shot.0002.png") for name in ("solved", "network"))
    sure = np.isin(network[..., 3], (0, 255))
    assert not np.array_equal(solved, network)
    assert (solved[..., 3] == network[..., 3])[sure].mean() > 0.99


def test_opaque_pixels_are_the_source_and_empty_ones_are_black(render, tmp_path, clips):
    render(frames="2", edges="network")
    rgba, source = read_rgba(tmp_path / "out" / "shot.0002.png"), open_reader(clips.shot)[1].image
    opaque, empty = rgba[..., 3] == 255, rgba[..., 3] == 0
    soft = ~opaque & ~empty
    assert opaque.mean() > 0.1
    assert empty.mean() > 0.3
    np.testing.assert_array_equal(rgba[opaque][:, :3], source[opaque])
    assert not rgba[empty].any()
    # Colours went to linear light and back.
    np.testing.assert_allclose(rgba[soft][:, :3], source[soft] * 0.9, atol=0.501)


def test_uncovered_pixels_of_the_plate_are_never_the_source(render, key):
    render(frames="6")
    uncovered = (key.plates[0] == 0).all(axis=2)
    assert uncovered.any()
    assert uncovered[:, 0].all()


@pytest.mark.parametrize(("frames", "numbers"), [("2-4", [2, 3, 4]), ("6", [6]), (" 1 - 1 ", [1])])
def test_a_range_uses_the_files_frame_numbers(render, tmp_path, frames, numbers):
    assert render(frames=frames).rendered == len(numbers)
    assert [line["number"] for line in frame_lines(tmp_path / "out")] == numbers


def test_frames_of_a_range_are_those_of_a_whole_render(render, tmp_path):
    render(output=tmp_path / "whole")
    render(output=tmp_path / "part", frames="4-5")
    for name in ("shot.0004.png", "shot.0005.png"):
        assert (tmp_path / "part" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize("frames", ["0-3", "5-9", "7", "4-2", "two", "1-", "-3"])
def test_impossible_ranges_are_refused_with_the_clips_range(render, tmp_path, frames):
    with pytest.raises(SettingsError, match=r"1-6|2-4"):
        render(frames=frames)
    assert not (tmp_path / "out").exists()


def test_a_composite_is_written_beside_the_cut_out(render, tmp_path):
    render(frames="1", background="#204060")
    laid_over = cv2.cvtColor(cv2.imread(str(tmp_path / "out" / "shot_comp.0001.png")), cv2.COLOR_BGR2RGB)
    rgba = read_rgba(tmp_path / "out" / "shot.0001.png")
    assert (laid_over[rgba[..., 3] == 0] == (0x20, 0x40, 0x60)).all()
    np.testing.assert_array_equal(laid_over[rgba[..., 3] == 255], rgba[rgba[..., 3] == 255][:, :3])


def test_the_sidecar_records_inputs_settings_and_runtime(render, tmp_path, clips):
    render(frames="1")
    sidecar = json.loads((tmp_path / "out" / "howard.json").read_text())
    assert sidecar["source"]["fingerprint"]["size"] == clips.shot.stat().st_size
    assert (sidecar["plate"]["frame_count"], sidecar["source"]["frame_rate"]) == (3, "24")
    assert sidecar["weights"]["name"] == "difference key"
    assert sidecar["mixing"] == "linear"
    assert sidecar["outputs"] == [
        {
            "files": "shot.%04d.png",
            "container": "png",
            "codec": "png",
            "bits": 8,
            "alpha": "straight",
            "colour_space": "sRGB",
            "frame_rate": "24",
            "pixel_aspect": "1",
            "not_carried": [],
        }
    ]
    assert {"python", "numpy", "av", "device"} <= sidecar["runtime"].keys()


def test_a_plate_that_matches_nothing_is_reported_and_still_rendered(render, tmp_path, key):
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((50, 60, 3), np.uint8))
    summary = render(plate=tmp_path / "black.png", frames="3-4")
    assert summary.failed == (3, 4)
    line = frame_lines(tmp_path / "out")[0]
    assert (line["status"], line["coverage"], line["residual"], line["error_px"]) == ("failed", 0, None, None)
    assert not key.plates[0].any()


@pytest.mark.parametrize(
    ("keywords", "error"),
    [
        ({"source": "nowhere.mp4"}, InputError),
        ({"plate": "nowhere.mp4"}, InputError),
        ({"background": "octarine"}, SettingsError),
    ],
)
def test_inputs_are_checked_before_anything_is_written(render, tmp_path, keywords, error):
    with pytest.raises(error):
        render(**keywords)
    assert not (tmp_path / "out").exists()


def test_bad_inputs_are_found_without_loading_torch():
    code = (
        "import sys; from howard.errors import InputError; from howard.pipeline import remove_background\n"
        "try: remove_background('nowhere.mp4', 'nowhere.mp4', 'out')\n"
        "except InputError: sys.exit('torch' in sys.modules)\n"
        "sys.exit(2)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_number_of_workers_does_not_change_the_frames(render, tmp_path):
    for workers in (1, 3):
        render(output=tmp_path / str(workers), workers=workers)
    # The plates' measures first: where they differ it is the alignment that does.
    assert frame_lines(tmp_path / "1") == frame_lines(tmp_path / "3")
    for number in range(1, 7):
        one, many = (tmp_path / workers / f"shot.{number:04d}.png" for workers in ("1", "3"))
        np.testing.assert_array_equal(read_rgba(one), read_rgba(many), err_msg=one.name)
        assert one.read_bytes() == many.read_bytes(), f"{one.name}: the same picture in other bytes"


def test_a_report_and_its_samples(render, tmp_path):
    summary = render(report=True)
    assert summary.report == tmp_path / "out" / "report.html"
    page = summary.report.read_text()
    assert "shot.mp4" in page
    assert sorted(path.name for path in (tmp_path / "out" / "howard.samples").iterdir()) == [
        f"{number:04d}" for number in range(1, 7)
    ]


@pytest.mark.parametrize("setting", ["quality", "edges"])
def test_unknown_choices_are_refused(render, tmp_path, setting):
    with pytest.raises(SettingsError, match=f"{setting}=perfect is not known; choose"):
        render(**{setting: "perfect"})
    assert not (tmp_path / "out").exists()


def test_the_network_gets_the_person_prior_unless_subject_is_anything(render, key):
    nobody = Nobody()
    key.find_people = lambda source, mask: nobody
    render(frames="1", window=0)
    render(frames="2", window=0, subject="anything", restart=True)
    assert key.people == [nobody, None]
