"""The film road from end to end, with a difference key in the network's place."""

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from howard.errors import InputError, OutputError, SettingsError
from howard.media import open_reader
from howard.pipeline import cut_out_frames
from howard.render_record import find_journals, read_lines
from tests.pipeline.conftest import Nobody


def _rgba(path):
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)


def _lines(folder):
    return [facts for facts in read_lines(folder) if "number" in facts]


def test_every_frame_is_written_with_its_line(render, tmp_path):
    summary = render()
    assert (summary.rendered, summary.skipped, summary.failed) == (6, 0, ())
    # The key's matte of the first frame runs along the whole border, and so encloses everything.
    assert summary.reasons == {"holes": (1,)}
    names = {path.name for path in (tmp_path / "out").iterdir()}
    (journal,) = find_journals(tmp_path / "out")
    assert names == {f"shot.{n:04d}.png" for n in range(1, 7)} | {"howard.json", journal.name}
    lines = _lines(tmp_path / "out")
    assert [line["number"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert [line["status"] for line in lines] == ["weak", *["good"] * 5]
    assert all(line["coverage"] > 0.9 and line["residual"] < 3 for line in lines)


@pytest.mark.parametrize("edges", ["solved", "network"])
def test_the_sidecar_says_how_edges_were_made(render, tmp_path, edges):
    render(frames="1", edges=edges)
    assert json.loads((tmp_path / "out" / "howard.json").read_text())["settings"]["edges"] == edges


def test_edges_are_solved_unless_the_network_s_are_asked_for(render, tmp_path):
    render(frames="2", output=tmp_path / "solved")
    render(frames="2", output=tmp_path / "network", edges="network")
    solved, network = (_rgba(tmp_path / name / "shot.0002.png") for name in ("solved", "network"))
    sure = np.isin(network[..., 3], (0, 255))
    assert not np.array_equal(solved, network)
    assert (solved[..., 3] == network[..., 3])[sure].mean() > 0.99


def test_opaque_pixels_are_the_source_and_empty_ones_are_black(render, tmp_path, clips):
    render(frames="2", edges="network")
    rgba, source = _rgba(tmp_path / "out" / "shot.0002.png"), open_reader(clips.shot)[1].image
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
def test_a_range_counts_as_the_files_do(render, tmp_path, frames, numbers):
    assert render(frames=frames).rendered == len(numbers)
    assert [line["number"] for line in _lines(tmp_path / "out")] == numbers


def test_frames_of_a_range_are_those_of_a_whole_render(render, tmp_path):
    render(output=tmp_path / "whole")
    render(output=tmp_path / "part", frames="4-5")
    for name in ("shot.0004.png", "shot.0005.png"):
        assert (tmp_path / "part" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize("frames", ["0-3", "5-9", "7", "4-2", "two", "1-", "-3"])
def test_impossible_ranges_name_what_there_is(render, tmp_path, frames):
    with pytest.raises(SettingsError, match=r"1-6|2-4"):
        render(frames=frames)
    assert not (tmp_path / "out").exists()


def test_a_composite_is_written_beside_the_cut_out(render, tmp_path):
    render(frames="1", background="#204060")
    laid_over = cv2.cvtColor(cv2.imread(str(tmp_path / "out" / "shot_comp.0001.png")), cv2.COLOR_BGR2RGB)
    rgba = _rgba(tmp_path / "out" / "shot.0001.png")
    assert (laid_over[rgba[..., 3] == 0] == (0x20, 0x40, 0x60)).all()
    np.testing.assert_array_equal(laid_over[rgba[..., 3] == 255], rgba[rgba[..., 3] == 255][:, :3])


def test_the_sidecar_says_what_was_made_from_what(render, tmp_path, clips):
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


def test_an_interrupted_render_goes_on_where_it_stopped(render, tmp_path, key):
    with pytest.raises(KeyboardInterrupt):
        render(predictor=replace(key, stop_after=2, plates=[]))
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.png")}
    assert len(kept) == 2
    summary = render()
    assert (summary.rendered, summary.skipped) == (4, 2)
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
    assert [line["number"] for line in _lines(tmp_path / "out")] == [1, 2, 3, 4, 5, 6]
    assert render().rendered == 0


def test_a_line_cut_short_is_made_again(render, tmp_path):
    render(frames="1-3")
    (journal,) = find_journals(tmp_path / "out")
    journal.write_text(journal.read_text()[:-40])
    assert render(frames="1-3").rendered == 1
    assert [line["number"] for line in _lines(tmp_path / "out")] == [1, 2, 3]


def test_a_missing_file_is_made_again(render, tmp_path):
    render(frames="1-2")
    (tmp_path / "out" / "shot.0002.png").unlink()
    assert render(frames="1-2").rendered == 1


def test_other_settings_are_refused_by_name_and_overwrite_starts_over(render):
    render(frames="1")
    with pytest.raises(OutputError, match="it has quality=standard, and this one quality=fast"):
        render(frames="1", quality="fast")
    assert render(frames="1", quality="fast", overwrite=True).rendered == 1


def test_other_inputs_are_refused_by_name(render, clips):
    render(frames="1")
    with pytest.raises(OutputError, match="the plate was another one, or was changed since"):
        render(frames="1", plate=clips.shot, plate_frames="1-3")


def test_other_weights_are_refused_by_name(render, key):
    render(frames="1")
    with pytest.raises(OutputError, match="version was 1, is 2"):
        render(frames="1", predictor=replace(key, metadata=replace(key.metadata, version="2")))


def test_weights_of_the_same_name_and_other_content_are_refused(render, key):
    render(frames="1", predictor=replace(key, digests={"network": "12ab"}))
    with pytest.raises(OutputError, match=r"another content.*sha256\.network was 12ab, is 34cd"):
        render(frames="1", predictor=replace(key, digests={"network": "34cd"}))
    assert render(frames="1", predictor=replace(key, digests={"network": "12ab"})).skipped == 1


@pytest.mark.parametrize("damage", [lambda data: data[:-5], lambda data: bytes(len(data)), lambda data: data + b"0"])
def test_a_file_that_is_not_whole_any_more_is_made_again(render, tmp_path, damage):
    render(frames="1-3")
    victim = tmp_path / "out" / "shot.0002.png"
    whole = victim.read_bytes()
    victim.write_bytes(damage(whole))
    assert render(frames="1-3").rendered == 1
    assert victim.read_bytes() == whole


@pytest.mark.parametrize("output_format", ["exr", "ffv1"])
def test_other_formats_files_are_checked_too(render, tmp_path, output_format):
    render(format=output_format)
    victim = sorted(path for path in (tmp_path / "out").iterdir() if path.name.startswith("shot."))[0]
    whole = victim.read_bytes()
    victim.write_bytes(whole[: len(whole) // 2])
    assert render(format=output_format).rendered == (1 if output_format == "exr" else 6)
    assert victim.stat().st_size == len(whole)


def test_what_systems_put_into_a_folder_does_not_make_it_foreign(render, tmp_path):
    (tmp_path / "out" / "@eaDir").mkdir(parents=True)
    for name in (".DS_Store", "Thumbs.db", "._shot.0001.png"):
        (tmp_path / "out" / name).write_text("")
    assert render(frames="1").rendered == 1


def test_leftovers_of_a_killed_render_are_cleared(render, tmp_path):
    render(frames="1", report=True)
    left = [
        tmp_path / "out" / ".shot.0002.png.0a1b2c.part",
        tmp_path / "out" / ".howard.json.0a1b2c.part",
        tmp_path / "out" / "howard.samples" / "0002" / ".source.webp.0a1b2c.part",
    ]
    left[2].parent.mkdir()
    for path in left:
        path.write_text("half")
    render(frames="2", report=True)
    assert [path for path in (tmp_path / "out").rglob("*.part")] == []


def test_lines_of_any_kind_are_passed_over_and_their_frames_made_again(render, tmp_path):
    render(frames="1-3")
    (journal,) = find_journals(tmp_path / "out")
    rows = journal.read_bytes().splitlines()
    second = next(position for position, row in enumerate(rows) if b'"number": 2' in row)
    rows[second] = rows[second].replace(b'"plate_damaged": []', b'"plate_damaged": 5')
    journal.write_bytes(b"\n".join([b"\xff\0{", *rows, b"[" * 9999]))
    assert render(frames="1-3").rendered == 1


def test_a_folder_of_somebody_else_is_left_alone(render, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match=r"overwrite=true"):
        render()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.txt"]
    render(frames="1", overwrite=True)
    assert (tmp_path / "out" / "thesis.txt").read_text() == "years of work"


def test_a_file_is_no_folder(render, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        render()


def test_a_useless_plate_is_said_and_rendered_nevertheless(render, tmp_path, key):
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((50, 60, 3), np.uint8))
    summary = render(plate=tmp_path / "black.png", frames="3-4")
    assert summary.failed == (3, 4)
    line = _lines(tmp_path / "out")[0]
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


def test_progress_is_told_after_every_frame(render):
    events = []
    render(frames="3-4", progress=events.append)
    assert [(event.number, event.done, event.total, event.status) for event in events] == [
        (3, 1, 2, "good"),
        (4, 2, 2, "good"),
    ]


def test_steps_are_lines_without_a_terminal(render, capfd, clips):
    render(frames="1", progress=True)
    assert capfd.readouterr() == (
        f"reading {clips.shot}: 6 frames of 320x240\n"
        f"reading {clips.plate}: 3 frames of 320x240\n"
        "indexing the plate: 3 frames\n",
        "",
    )


def test_a_listener_hears_every_step(render):
    class Listener:
        def __init__(self):
            self.heard = []

        def step(self, name, text, **facts):
            self.heard.append((name, facts.get("frames")))

        def advance(self, done, total):
            self.heard.append((done, total))

        def frame(self, event):
            self.heard.append(event.number)

    listener = Listener()
    render(frames="2", progress=listener)
    assert listener.heard == [("shot", 6), ("plate", 3), ("plate_index", 3), (1, 3), (2, 3), (3, 3), 2]


def test_bad_inputs_are_found_without_loading_torch():
    code = (
        "import sys; from howard.errors import InputError; from howard.pipeline import remove_background\n"
        "try: remove_background('nowhere.mp4', 'nowhere.mp4', 'out')\n"
        "except InputError: sys.exit('torch' in sys.modules)\n"
        "sys.exit(2)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_frames_for_those_who_go_on_with_the_pixels(render, clips, key, tmp_path):
    render(frames="2-4")
    made = list(cut_out_frames(clips.shot, clips.plate, predictor=key, frames="2-4"))
    assert [each.source.number for each in made] == [2, 3, 4]
    for each in made:
        np.testing.assert_array_equal(each.rgba, _rgba(tmp_path / "out" / f"shot.{each.source.number:04d}.png"))
    assert all(each.plate.status == "good" for each in made)


def test_frames_that_nobody_asks_for_any_more_are_given_up(clips, key):
    frames = cut_out_frames(clips.shot, clips.plate, predictor=key)
    next(frames)
    frames.close()
    assert not any(thread.name.startswith(("ahead", "align")) for thread in threading.enumerate())


def test_many_workers_make_the_same_frames(render, tmp_path):
    for workers in (1, 3):
        render(output=tmp_path / str(workers), workers=workers)
    # The plates' measures first: where they differ it is the alignment that does.
    assert _lines(tmp_path / "1") == _lines(tmp_path / "3")
    for number in range(1, 7):
        one, many = (tmp_path / workers / f"shot.{number:04d}.png" for workers in ("1", "3"))
        np.testing.assert_array_equal(_rgba(one), _rgba(many), err_msg=one.name)
        assert one.read_bytes() == many.read_bytes(), f"{one.name}: the same picture in other bytes"


def test_a_report_and_its_samples(render, tmp_path):
    summary = render(report=True)
    assert summary.report == tmp_path / "out" / "report.html"
    page = summary.report.read_text()
    assert "shot.mp4" in page
    assert sorted(path.name for path in (tmp_path / "out" / "howard.samples").iterdir()) == [
        f"{number:04d}" for number in range(1, 7)
    ]


def test_a_restart_goes_over_its_own_render_only(render, tmp_path):
    render(frames="2", restart=True, report=True)
    assert render(frames="3", quality="fast", restart=True, report=True).rendered == 1
    assert [line["number"] for line in _lines(tmp_path / "out")] == [3]
    assert [path.name for path in (tmp_path / "out" / "howard.samples").iterdir()] == ["0003"]
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="overwrite=true"):
        render(output=tmp_path / "foreign", restart=True)


def test_another_format_is_refused_in_its_user_s_words_before_the_network_is_loaded(render, clips, tmp_path):
    render(frames="1")
    for changes, message in (
        ({"format": "exr"}, r"out holds a PNG render, and this one is EXR; choose another folder with output="),
        ({"format": "prores"}, "holds a PNG render, and this one is ProRes"),
        ({"quality": "best"}, "quality=standard, and this one quality=best"),
        ({"alpha_mode": "premultiplied"}, "alpha was straight, is premultiplied"),
    ):
        with pytest.raises(OutputError, match=message):
            # Weights that there are not would be refused when they are loaded.
            render(frames="1", predictor=None, weights="nowhere", **changes)


def test_without_an_output_the_folder_is_called_after_the_clip(render, tmp_path, monkeypatch, key):
    monkeypatch.chdir(tmp_path)
    for number in (86400, 86401):
        cv2.imwrite(f"A001_C003.{number:07d}.png", np.full((64, 96, 3), 90, np.uint8))
    cv2.imwrite("plate.png", np.full((64, 96, 3), 80, np.uint8))
    shot = {"source": "A001_C003.%07d.png", "plate": "plate.png", "output": None}
    assert render(**shot).output == Path("renders/A001_C003")
    assert Path("renders/A001_C003/A001_C003.0086401.png").is_file()
    assert render(**shot, format="exr").output == Path("renders/A001_C003_exr")
    assert Path("renders/A001_C003_exr/A001_C003.0086400.exr").is_file()
    assert render(**shot).skipped == 2
    assert render(**shot, format="exr").skipped == 2
    assert render(**shot, preview=86401).output == Path("renders/A001_C003_preview")


def test_several_machines_share_a_render(render, tmp_path, key):
    with ThreadPoolExecutor() as pool:
        predictors = [replace(key, plates=[]) for _ in range(3)]
        ranges = [
            pool.submit(render, frames=frames, predictor=predictor)
            for frames, predictor in zip(("1-2", "3-4", "5-6"), predictors, strict=True)
        ]
    assert [each.result().rendered for each in ranges] == [2, 2, 2]
    assert sorted(line["number"] for line in _lines(tmp_path / "out")) == [1, 2, 3, 4, 5, 6]
    assert render().rendered == 0


@pytest.mark.parametrize("setting", ["quality", "edges"])
def test_choices_that_there_are_not(render, tmp_path, setting):
    with pytest.raises(SettingsError, match=f"{setting}=perfect is not known; choose"):
        render(**{setting: "perfect"})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("quality", ["standard", "best"])
def test_only_the_best_quality_takes_the_mean_of_several_mattes(monkeypatch, clips, key, quality):
    asked = []

    def load(weights, device, precision, *, augmented):
        asked.append(augmented)
        return key

    monkeypatch.setattr("howard.matting.load_matting", load)
    monkeypatch.setattr(key, "find_person", lambda source, plate, coverage: np.zeros(source.shape[:2]), raising=False)
    (made,) = cut_out_frames(clips.shot, clips.plate, frames="2", quality=quality)
    assert made.rgba.shape == (240, 320, 4)
    assert asked == [quality == "best"]


def test_the_network_knows_of_people_unless_anything_may_be_the_subject(render, key):
    nobody = Nobody()
    key.find_people = lambda source, mask: nobody
    render(frames="1")
    render(frames="2", subject="anything", restart=True)
    assert key.people == [nobody, None]
