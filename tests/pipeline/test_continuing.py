"""A render that was stopped, or whose files were damaged, is continued; one with other settings is refused."""

from dataclasses import replace

import pytest

from howard.errors import OutputError
from howard.render_record import find_journals
from tests.pipeline.rendered_files import frame_lines


def test_an_interrupted_render_is_continued(render, tmp_path, key):
    with pytest.raises(KeyboardInterrupt):
        render(predictor=replace(key, stop_after=3, plates=[]))
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.png")}
    assert len(kept) == 2
    summary = render()
    assert (summary.rendered, summary.skipped) == (4, 2)
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
    assert [line["number"] for line in frame_lines(tmp_path / "out")] == [1, 2, 3, 4, 5, 6]
    assert render().rendered == 0


def test_a_frame_with_a_truncated_line_is_rendered_again(render, tmp_path):
    render(frames="1-3")
    (journal,) = find_journals(tmp_path / "out")
    journal.write_text(journal.read_text()[:-40])
    assert render(frames="1-3").rendered == 1
    assert [line["number"] for line in frame_lines(tmp_path / "out")] == [1, 2, 3]


def test_a_frame_with_a_missing_file_is_rendered_again(render, tmp_path):
    render(frames="1-2")
    (tmp_path / "out" / "shot.0002.png").unlink()
    assert render(frames="1-2").rendered == 1


@pytest.mark.parametrize("damage", [lambda data: data[:-5], lambda data: bytes(len(data)), lambda data: data + b"0"])
def test_a_frame_with_a_truncated_file_is_rendered_again(render, tmp_path, damage):
    render(frames="1-3")
    victim = tmp_path / "out" / "shot.0002.png"
    whole = victim.read_bytes()
    victim.write_bytes(damage(whole))
    assert render(frames="1-3").rendered == 1
    assert victim.read_bytes() == whole


@pytest.mark.parametrize("output_format", ["exr", "ffv1"])
def test_files_of_other_formats_are_checked_too(render, tmp_path, output_format):
    render(format=output_format)
    victim = sorted(path for path in (tmp_path / "out").iterdir() if path.name.startswith("shot."))[0]
    whole = victim.read_bytes()
    victim.write_bytes(whole[: len(whole) // 2])
    assert render(format=output_format).rendered == (1 if output_format == "exr" else 6)
    assert victim.stat().st_size == len(whole)


def test_invalid_lines_are_ignored_and_their_frames_rendered_again(render, tmp_path):
    render(frames="1-3")
    (journal,) = find_journals(tmp_path / "out")
    rows = journal.read_bytes().splitlines()
    second = next(position for position, row in enumerate(rows) if b'"number": 2' in row)
    rows[second] = rows[second].replace(b'"plate_damaged": []', b'"plate_damaged": 5')
    journal.write_bytes(b"\n".join([b"\xff\0{", *rows, b"[" * 9999]))
    assert render(frames="1-3").rendered == 1


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


def test_another_format_is_refused_before_the_network_is_loaded(render, clips, tmp_path):
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


def test_restart_replaces_only_howards_own_render(render, tmp_path):
    render(frames="2", restart=True, report=True)
    assert render(frames="3", quality="fast", restart=True, report=True).rendered == 1
    assert [line["number"] for line in frame_lines(tmp_path / "out")] == [3]
    assert [path.name for path in (tmp_path / "out" / "howard.samples").iterdir()] == ["0003"]
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="overwrite=true"):
        render(output=tmp_path / "foreign", restart=True)
