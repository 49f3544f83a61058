"""A job bundle is a valid Open Job Description template whose tasks are complete commands."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from howard.cli import read_settings
from howard.errors import OutputError, SettingsError
from howard.options import RenderJob
from howard.pipeline import write_job


@pytest.fixture
def job(clips, tmp_path) -> RenderJob:
    output, bundle = str(tmp_path / "out"), str(tmp_path / "bundle")
    return RenderJob(input=str(clips.shot), plate=str(clips.plate), output=output, job=bundle)


def read(job: RenderJob, name: str) -> Any:
    assert job.job is not None
    return yaml.safe_load((Path(job.job) / name).read_text(encoding="utf-8"))


def defaults(template: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each.get("default") for each in template["parameterDefinitions"]}


def test_the_bundle_is_written_and_nothing_else(job, tmp_path):
    bundle = write_job(job, progress=False)
    assert bundle.frames == range(1, 7)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    files = {"asset_references.yaml", "parameter_values.yaml", "parameters.yaml", "template.yaml"}
    assert {path.name for path in bundle.path.iterdir()} == files
    assert write_job(replace(job, frames="2-5"), progress=False).frames == range(2, 6)
    assert defaults(read(job, "template.yaml"))["Frames"] == "2-5"


def test_tasks_are_commands_of_the_same_settings(job, clips, tmp_path):
    cv2.imwrite(str(tmp_path / "crew.png"), np.zeros((240, 320), np.uint8))
    chosen = replace(job, quality="fast", format="exr", exr_compression="piz", report=False, threads=3)
    chosen = replace(chosen, garbage=str(tmp_path / "crew.png"), frame_rate="24000/1001")
    write_job(chosen, progress=False)
    template = read(job, "template.yaml")
    values = defaults(template) | read(job, "parameters.yaml")
    arguments = template["steps"][0]["script"]["actions"]["onRun"]["args"]
    for name, value in values.items():
        arguments = [each.replace(f"{{{{Param.{name}}}}}", str(value)) for each in arguments]
    arguments = [each.replace("{{Task.Param.Frame}}", "3-4") for each in arguments]
    task = read_settings(RenderJob, arguments)
    assert task == replace(chosen, job=None, frames="3-4", progress="openjd")


def test_paths_are_parameters_that_farms_map(job, tmp_path):
    write_job(replace(job, background="green"), progress=False)
    kinds = {each["name"]: each["type"] for each in read(job, "template.yaml")["parameterDefinitions"]}
    paths = {name for name, kind in kinds.items() if kind == "PATH"}
    assert paths == {"Shot", "Plate", "Output"}
    values = read(job, "parameters.yaml")
    assert values.keys() == paths
    assert all(Path(value).is_absolute() for value in values.values())
    listed = {each["name"]: each["value"] for each in read(job, "parameter_values.yaml")["parameterValues"]}
    assert listed == values


def test_the_files_of_a_sequence_are_among_the_assets(job, tmp_path):
    pattern = tmp_path / "shot.%04d.png"
    rng = np.random.default_rng(0)
    for number in (7, 8):
        cv2.imwrite(str(pattern) % number, rng.integers(0, 255, (90, 120, 3), dtype=np.uint8))
    write_job(replace(job, input=str(pattern)), progress=False)
    shot = next(each for each in read(job, "template.yaml")["parameterDefinitions"] if each["name"] == "Shot")
    assert (shot["type"], shot["dataFlow"]) == ("PATH", "NONE")
    assert defaults(read(job, "template.yaml"))["Frames"] == "7-8"
    files = read(job, "asset_references.yaml")["assetReferences"]["inputs"]["filenames"]
    assert files == [str(pattern) % 7, str(pattern) % 8]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "prores"}, "format=prores is one file"),
        ({"preview": 3}, "preview= renders one frame on this machine"),
        ({"frames": "5-9"}, "outside"),
        ({"job": None}, "job= is missing"),
    ],
)
def test_what_a_farm_cannot_render_is_refused(job, tmp_path, changes, message):
    with pytest.raises(SettingsError, match=message):
        write_job(replace(job, **changes), progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_files_is_left_alone(job, tmp_path):
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="not of a bundle"):
        write_job(job, progress=False)
    assert [path.name for path in (tmp_path / "bundle").iterdir()] == ["thesis.txt"]
    with pytest.raises(OutputError, match="is a file"):
        write_job(replace(job, job=str(tmp_path / "bundle" / "thesis.txt")), progress=False)


@pytest.mark.parametrize("changes", [{}, {"frames": "4"}, {"background": "#204060", "input_colour": "bt709"}])
def test_the_template_is_valid(job, changes):
    model = pytest.importorskip("openjd.model")
    write_job(replace(job, **changes), progress=False)
    template = model.decode_job_template(template=read(job, "template.yaml"), supported_extensions=["TASK_CHUNKING"])
    values = model.preprocess_job_parameters(
        job_template=template,
        job_parameter_values=read(job, "parameters.yaml"),
        job_template_dir=Path(job.job).absolute(),
        current_working_dir=Path.cwd(),
    )
    created = model.create_job(job_template=template, job_parameter_values=values)
    [step] = created.steps
    tasks = [each["Frame"].value for each in model.StepParameterSpaceIterator(space=step.parameterSpace)]
    assert tasks == ["4-4" if "frames" in changes else "1-6"]
