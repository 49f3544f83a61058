"""Several formats in one render: the same files as single renders, by one run of the network."""

import json
from dataclasses import replace

import pytest

from howard.cli import read_settings
from howard.errors import OutputError, SettingsError
from howard.options import RenderJob, RenderOptions
from howard.pipeline import plan_render, write_job
from howard.render_record import find_journals


def files(folder):
    """The rendered files in a folder with their bytes."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith("howard.")}


@pytest.mark.parametrize("written", ["[prores, exr,png]", ["png", "prores", "exr"]])
def test_every_file_is_that_of_a_single_render(render, tmp_path, key, written):
    assert render(format=written, frames="2-4", output=tmp_path / "all").rendered == 3
    # Frames 1 and 5 are matted as neighbours.
    assert len(key.plates) == 5
    expected = {}
    for name in ("png", "prores", "exr"):
        render(format=name, frames="2-4", output=tmp_path / name)
        expected |= files(tmp_path / name)
    assert files(tmp_path / "all") == expected
    assert {path.rpartition(".")[2] for path in expected} == {"png", "mov", "exr"}


def test_composites_and_mattes_lie_beside_the_cut_outs(render, tmp_path):
    render(format=["png", "matte", "composite"], background="green", frames="1-2")
    names = {f"{name}.000{number}.png" for name in ("shot", "shot_comp") for number in (1, 2)}
    assert files(tmp_path / "out").keys() == names | {"shot_matte.mp4", "shot_comp.mp4"}


def test_the_sidecar_lists_the_formats_and_their_files(render, tmp_path):
    render(format=["webm", "png16"], frames="1")
    sidecar = json.loads((tmp_path / "out" / "howard.json").read_text())
    assert sidecar["format"] == ["png16", "webm"]
    assert [entry["files"] for entry in sidecar["outputs"]] == ["shot.%04d.png", "shot.webm"]
    assert [entry["bits"] for entry in sidecar["outputs"]] == [16, 8]


def test_an_interrupted_render_goes_on_with_all_formats(render, tmp_path, key):
    formats = {"format": ["png", "ffv1"]}
    render(**formats, output=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        render(**formats, predictor=replace(key, stop_after=4, plates=[]))
    # The segment of the movie was not closed, so that no frame is finished.
    assert render(**formats).rendered == 6
    assert files(tmp_path / "out") == files(tmp_path / "whole")
    assert render(format="[ffv1,png]").skipped == 6


@pytest.mark.parametrize("lost", ["shot.0002.png", "shot_comp.0002.png", "shot.0002.exr"])
def test_a_frame_that_lacks_one_of_its_files_is_made_again(render, tmp_path, lost):
    formats = {"format": ["png", "exr"], "background": "green", "frames": "1-3"}
    render(**formats)
    before = files(tmp_path / "out")
    (tmp_path / "out" / lost).unlink()
    assert render(**formats).rendered == 1
    assert files(tmp_path / "out") == before


def test_other_formats_are_refused_by_name(render, tmp_path):
    render(format=["png", "exr"], frames="1")
    with pytest.raises(OutputError, match="holds a PNG and EXR render, and this one is PNG; choose another"):
        render(frames="1")
    assert len(find_journals(tmp_path / "out")) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "[png,exr,png]"}, r"format=\[png,exr,png\] has png twice; give it once"),
        ({"format": ["png", "gif"]}, "format=gif is not known; choose png, png16"),
        ({"format": []}, r"format=\[\] names nothing; choose png, png16"),
        ({"format": ["png", 7]}, "is not a text"),
        ({"format": ["png16", "png"]}, "the files of format=png or png16 have the same names; choose one of these"),
        ({"format": ["prores", "webm"], "background": "green"}, "background= needs format=png"),
        ({"format": ["prores", "composite"]}, "format=composite needs background="),
        ({"format": ["prores", "png"], "output_colour": "acescg"}, "output_colour=acescg needs format=exr"),
        ({"format": ["prores", "webm"], "alpha_mode": "straight"}, "alpha_mode=straight needs format=png"),
    ],
)
def test_impossible_lists_are_refused_in_one_line(render, tmp_path, options, message):
    with pytest.raises(SettingsError, match=message) as caught:
        render(**options)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_options_that_fit_one_of_the_formats_are_taken(render, tmp_path):
    options = {"format": ["exr", "png", "prores"], "output_colour": "acescg", "alpha_mode": "straight"}
    render(**options, background="green", frames="1")
    entries = json.loads((tmp_path / "out" / "howard.json").read_text())["outputs"]
    assert [entry["container"] for entry in entries] == ["png", "png", "exr", "mov"]
    assert "ACEScg" in entries[2]["colour_space"]


def test_formats_are_in_one_order_however_they_are_typed():
    for written in ("[prores,png]", "[ prores, png ]", ("prores", "png"), ["png", "prores"]):
        assert RenderOptions(format=written).formats == ("png", "prores")
    assert RenderOptions(format="exr").formats == ("exr",)
    assert RenderOptions(format="[exr]").formats == ("exr",)


def test_a_dry_run_counts_all_formats(clips, render, tmp_path, key):
    formats = ["png", "ffv1"]
    plan = plan_render(clips.shot, clips.plate, tmp_path / "out", predictor=key, format=formats, progress=False)
    assert f"{tmp_path}/out/shot.0001.png to shot.0006.png, {tmp_path}/out/shot.mkv" in plan.lines()[2]
    render(format=formats)
    written = files(tmp_path / "out")
    assert {file.name for file in plan.files} == written.keys()
    assert 0.7 * sum(map(len, written.values())) < plan.bytes < 1.5 * sum(map(len, written.values()))
    assert json.loads(json.dumps(plan.facts()))["files"] == [str(file) for file in plan.files]


def test_a_farm_renders_several_formats(clips, tmp_path):
    output, bundle = str(tmp_path / "out"), str(tmp_path / "bundle")
    clip = {"input": str(clips.shot), "plate": str(clips.plate)}
    job = RenderJob(**clip, output=output, job=bundle, format=["exr", "png"])
    template = (write_job(job, progress=False).path / "template.yaml").read_text()
    assert "default: '[exr,png]'" in template
    assert read_settings(RenderJob, [*(f"{name}={path}" for name, path in clip.items()), "format=[exr,png]"]).formats
    with pytest.raises(SettingsError, match="format=prores is one file, which cannot be made in chunks"):
        write_job(replace(job, format=["exr", "prores"]), progress=False)
