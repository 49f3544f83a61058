"""A render as an Open Job Description bundle for render farms: a job template (revision 2023-09) and its parameters.

The schema is that of https://github.com/OpenJobDescription/openjd-specifications, with the extension TASK_CHUNKING
(RFC 0001): each task gets a contiguous range of frames, such as "1-50".
"""

import shlex
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from howard.errors import OutputError, SettingsError, one_line
from howard.fields import Setting, join_list, list_settings, split_list
from howard.media.files import make_folder, write_atomically
from howard.media.movie_formats import MOVIE_FORMATS
from howard.options import RenderJob
from howard.pipeline.opened_render import OpenedRender, open_render
from howard.progress import Progress, ProgressCallback, open_progress

_TEMPLATE = "template.yaml"
# Values of the parameters without defaults, as the AWS Deadline Cloud command reads them from a bundle.
_DEADLINE_VALUES = "parameter_values.yaml"
# The same, as ``openjd run -p file://...`` reads them.
_OPENJD_VALUES = "parameters.yaml"
# Files for AWS Deadline Cloud to upload, besides those that parameters name.
_ASSETS = "asset_references.yaml"
_FILES = {_TEMPLATE, _DEADLINE_VALUES, _OPENJD_VALUES, _ASSETS}

# Frames per task. Chosen so that loading the network and indexing the plate take a few per cent of a task's time.
# AWS Deadline Cloud allows 150.
_FRAMES_PER_CHUNK = 50
# Seconds between the request to stop and the kill, for frames in progress to be finished.
_STOP_SECONDS = 30
# Parameters whose names are not those of their settings.
_PARAMETER_NAMES = {"input": "Shot", "plate": "Plate", "output": "Output"}
# Settings without a parameter: the template sets them, or they do not apply on a farm.
_LEFT_OUT = ("frames", "preview", "restart", "overwrite", "dry_run", "progress", "job")
_CLIP = {"type": "PATH", "objectType": "FILE", "dataFlow": "IN"}


@dataclass(frozen=True)
class JobBundle:
    """A bundle that has been written: its folder, and the numbers of the frames that the job renders."""

    path: Path
    frames: range

    def lines(self) -> list[str]:
        """How to submit or run the bundle, as text."""
        run = ["openjd", "run", str(self.path / _TEMPLATE), "-p", f"file://{self.path / _OPENJD_VALUES}"]
        return [
            f"wrote the job of {len(self.frames)} frames: {self.path}",
            f"to submit it to AWS Deadline Cloud: {shlex.join(['deadline', 'bundle', 'submit', str(self.path)])}",
            f"to run it on this machine: {shlex.join(run)}",
        ]

    def facts(self) -> dict[str, Any]:
        """The bundle as values that JSON can hold."""
        return {"bundle": str(self.path), "frames": len(self.frames)}


def write_job(job: RenderJob, *, progress: Progress | ProgressCallback | bool | str = True) -> JobBundle:
    """Write the bundle of ``job`` into the folder ``job.job``, without rendering anything.

    Raises:
        SettingsError: the job is a preview, or writes a movie, which cannot be made in chunks.
        OutputError: the folder holds other files, or cannot be written.
        HowardError: if the render itself would be refused.
    """
    if job.job is None:
        raise SettingsError("job= is missing: the folder that the bundle is written to")
    movie = next((name for name in job.formats if name in MOVIE_FORMATS), None)
    if movie is not None:
        raise SettingsError(f"format={movie} is one file, which cannot be made in chunks; use png, png16 or exr")
    if job.preview is not None:
        raise SettingsError("preview= renders one frame on this machine and cannot be combined with job=; use frames=")
    bundle = Path(job.job)
    _refuse_foreign(bundle)
    with open_progress(progress) as reporter, open_render(job.input, job.plate, job.output, job, reporter) as opened:
        frames = range(opened.numbers[0], opened.numbers[-1] + 1)
        clips = {clip.path for clip in opened.inputs.clips}
        chosen = replace(job, output=str(opened.folder.path))
        values = _parameter_values(chosen, clips)
        contents = {
            _TEMPLATE: _make_template(chosen, frames, clips),
            _DEADLINE_VALUES: {"parameterValues": [{"name": name, "value": value} for name, value in values.items()]},
            _OPENJD_VALUES: values,
            _ASSETS: _asset_references(opened),
        }
        make_folder(bundle)
        for name, content in contents.items():
            write_atomically(bundle / name, yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode())
    return JobBundle(bundle, frames)


def _asset_references(opened: OpenedRender) -> dict[str, Any]:
    """The files of image sequences, which parameters name only by a pattern or folder."""
    sequences = [clip.files for clip in opened.inputs.clips if len(clip.files) > 1]
    files = sorted({str(file.absolute()) for sequence in sequences for file in sequence})
    return {"assetReferences": {"inputs": {"filenames": files}}}


def _refuse_foreign(bundle: Path) -> None:
    if bundle.exists() and not bundle.is_dir():
        raise OutputError(f"{bundle} is a file; give a folder for the bundle with job=")
    if bundle.is_dir() and any(entry.name not in _FILES for entry in bundle.iterdir()):
        raise OutputError(f"{bundle} holds files that are not of a bundle; choose another folder with job=")


def _make_template(job: RenderJob, frames: range, clips: Collection[Path]) -> dict[str, Any]:
    """The template of ``job``, with a parameter for every setting whose default is the job's value.

    Args:
        job: the render.
        frames: numbers of the frames.
        clips: paths that the job reads, as its settings name them. Their parameters have type PATH, so that farms map
            them to each machine's paths; such parameters have no defaults (see :func:`_parameter_values`).
    """
    settings = _parameters(job)
    definitions = [_define(each, getattr(job, each.name), clips) for each in settings]
    return {
        "specificationVersion": "jobtemplate-2023-09",
        "extensions": ["TASK_CHUNKING"],
        "name": "{{Param.JobName}}",
        "parameterDefinitions": [
            {"name": "JobName", "type": "STRING", "default": f"Howard {one_line(Path(job.input).stem)[:50]}"},
            {
                "name": "Frames",
                "type": "STRING",
                "default": f"{frames.start}-{frames[-1]}",
                "description": "Frames to render.",
            },
            {
                "name": "FramesPerChunk",
                "type": "INT",
                "default": min(_FRAMES_PER_CHUNK, len(frames)),
                "minValue": 1,
                "description": "Frames of a task.",
            },
            {
                "name": "Command",
                "type": "STRING",
                "default": "howard",
                "description": "The program howard on the farm's machines: its name, or its path.",
            },
            *definitions,
        ],
        "steps": [_step(settings)],
    }


def _parameter_values(job: RenderJob, clips: Collection[Path]) -> dict[str, str]:
    """The absolute paths of parameters of type PATH, by name; a template cannot have them as defaults."""
    return {
        _parameter_name(each): str(Path(getattr(job, each.name)).absolute())
        for each in _parameters(job)
        if _is_path(each, getattr(job, each.name), clips)
    }


def _parameters(job: RenderJob) -> list[Setting]:
    """The settings that become parameters; optional paths only if they are set."""
    return [
        each
        for each in list_settings(RenderJob)
        if each.name not in _LEFT_OUT and not (each.is_path and getattr(job, each.name) is None)
    ]


def _step(settings: list[Setting]) -> dict[str, Any]:
    chunks = {"defaultTaskCount": "{{Param.FramesPerChunk}}", "rangeConstraint": "CONTIGUOUS"}
    frames = {"name": "Frame", "type": "CHUNK[INT]", "range": "{{Param.Frames}}", "chunks": chunks}
    run = {
        "command": "{{Param.Command}}",
        "args": [
            *(f"{each.name}={{{{Param.{_parameter_name(each)}}}}}" for each in settings),
            "frames={{Task.Param.Frame}}",
            "progress=openjd",
        ],
        "cancelation": {"mode": "NOTIFY_THEN_TERMINATE", "notifyPeriodInSeconds": _STOP_SECONDS},
    }
    return {
        "name": "Render",
        "parameterSpace": {"taskParameterDefinitions": [frames]},
        "script": {"actions": {"onRun": run}},
    }


def _define(setting: Setting, value: Any, clips: Collection[Path]) -> dict[str, Any]:
    described = {
        "name": _parameter_name(setting),
        "description": f"{setting.name}= of howard: {setting.doc.rstrip('.')}.",
    }
    if setting.name == "output":
        return described | {"type": "PATH", "objectType": "DIRECTORY", "dataFlow": "OUT"}
    if _is_path(setting, value, clips):
        path = Path(value)
        # A pattern (shot.%04d.exr) is not an existing file; its files are in the asset references.
        form = {"objectType": "DIRECTORY"} if path.is_dir() else {} if path.exists() else {"dataFlow": "NONE"}
        return described | _CLIP | form
    text = _as_typed(setting, value)
    choices = list(setting.choices) or (["true", "false"] if bool in setting.types else [])
    if setting.name == "format":
        choices = [each for each in choices if each not in MOVIE_FORMATS]
    if setting.is_list and choices and text not in choices:
        # Not every possible list can be enumerated: allow the job's own value besides single names.
        choices.append(text)
    return described | {"type": "STRING", "default": text} | ({"allowedValues": choices} if choices else {})


def _as_typed(setting: Setting, value: Any) -> str:
    """A value as it is written on the command line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return join_list(split_list(value)) if setting.is_list else str(value)


def _is_path(setting: Setting, value: Any, clips: Collection[Path]) -> bool:
    """Whether the value is a path, not a colour or the name of weights."""
    if not setting.is_path or value is None:
        return False
    return setting.name == "output" or Path(value) in clips or Path(value).is_file()


def _parameter_name(setting: Setting) -> str:
    """The name of a setting's parameter: ExrCompression for ``exr_compression``."""
    words = setting.name.split("_")
    return _PARAMETER_NAMES.get(setting.name) or "".join(word.capitalize() for word in words)
