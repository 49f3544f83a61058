"""Outputs that are refused before anything is written, and inputs that are never overwritten."""

import pytest

from howard.errors import OutputError, SettingsError
from tests.pipeline.rendered_files import frame_numbers


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"format": "gif"}, "format=gif is not known; choose png, png16, exr"),
        ({"format": "composite"}, "format=composite needs background="),
        ({"format": "exr", "background": "green"}, "background= needs format=png"),
        ({"format": "exr", "exr_compression": "rar"}, "exr_compression=rar is not known"),
        ({"frame_rate": "fast"}, "frame_rate=fast is not a frame rate"),
        ({"output_colour": "acescg"}, "output_colour=acescg needs format=exr"),
        ({"format": "exr", "output_colour": "ocio:nothing like it"}, "nothing like it"),
    ],
)
def test_settings_that_do_not_go_together_are_refused_before_anything_is_written(render, tmp_path, keywords, message):
    with pytest.raises(SettingsError, match=message):
        render(**keywords)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("output_format", ["prores", "png"])
def test_inputs_are_never_overwritten(render, speaking_shot, deep_shot, tmp_path, output_format):
    source = speaking_shot if output_format == "prores" else deep_shot
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    folder = source if source.is_dir() else source.parent
    first = 1 if output_format == "prores" else 1001
    with pytest.raises(OutputError, match="is read and would be overwritten; choose another folder"):
        render(source=source, plate=source, plate_frames=first, output=folder, format=output_format, overwrite=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_writer_s_error_stops_the_render_with_its_message(write, tmp_path):
    (tmp_path / "out" / "shot.0002.png" / "in the way").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"shot\.0002\.png cannot be written \(Is a directory\)"):
        write("png", 1, 6, overwrite=True)
    assert frame_numbers(tmp_path / "out") == [1]
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.endswith(".part")]


def test_a_render_killed_before_its_sidecar_is_still_ours(write, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "howard.frames.jsonl").write_text("")
    (tmp_path / "out" / ".howard.json.99.part").write_text("{")
    assert write("png") == 2
