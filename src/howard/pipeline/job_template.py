"""An Open Job Description job template (revision 2023-09) that renders a shot in chunks of frames.

The schema is that of https://github.com/OpenJobDescription/openjd-specifications, with the extension TASK_CHUNKING
(RFC 0001): each task gets a contiguous range of frames, such as "1-50".
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from howard.errors import one_line
from howard.fields import Setting, join_list, list_settings, split_list
from howard.media.movie_formats import MOVIE_FORMATS
from howard.options import RenderJob

# Frames of a task. Loading the network and indexing the plate take as long as some frames: a few per cent of this many.
# AWS Deadline Cloud allows 150.
_FRAMES_PER_CHUNK = 50
# Seconds between the request to stop and the kill. Frames are whole at any time; this lets those in work be finished.
_STOP_SECONDS = 30
# Settings that have parameters of another name or form, or that the template fixes.
_PARAMETER_NAMES = {"input": "Shot", "plate": "Plate", "output": "Output"}
_LEFT_OUT = ("frames", "preview", "restart", "overwrite", "dry_run", "progress", "job")
_CLIP = {"type": "PATH", "objectType": "FILE", "dataFlow": "IN"}


def make_template(job: RenderJob, frames: range, clips: Collection[Path]) -> dict[str, Any]:
    """The template of ``job``, with a parameter for every setting; its defaults are the job's own settings.

    Args:
        job: what is rendered.
        frames: numbers of the frames, without gaps.
        clips: paths that the job reads, as its settings name them. Their settings are parameters of type PATH, which
            farms map to each machine's own paths; such parameters have no defaults (see :func:`parameter_values`).
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


def parameter_values(job: RenderJob, clips: Collection[Path]) -> dict[str, str]:
    """The absolute paths of the parameters of type PATH, by name; templates cannot have these as defaults."""
    return {
        _name(each): str(Path(getattr(job, each.name)).absolute())
        for each in _parameters(job)
        if _is_path(each, getattr(job, each.name), clips)
    }


def _parameters(job: RenderJob) -> list[Setting]:
    """The settings that are parameters; of masks and the like, which are paths or nothing, those that are used."""
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
            *(f"{each.name}={{{{Param.{_name(each)}}}}}" for each in settings),
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
    described = {"name": _name(setting), "description": f"{setting.name}= of howard: {setting.doc.rstrip('.')}."}
    if setting.name == "output":
        return described | {"type": "PATH", "objectType": "DIRECTORY", "dataFlow": "OUT"}
    if _is_path(setting, value, clips):
        path = Path(value)
        # Of a pattern (shot.%04d.exr) no file exists; its files are among the bundle's asset references.
        form = {"objectType": "DIRECTORY"} if path.is_dir() else {} if path.exists() else {"dataFlow": "NONE"}
        return described | _CLIP | form
    text = _typed(setting, value)
    choices = list(setting.choices) or (["true", "false"] if bool in setting.types else [])
    if setting.name == "format":
        choices = [each for each in choices if each not in MOVIE_FORMATS]
    if setting.is_list and choices and text not in choices:
        # There are too many lists to name: besides single names the job's own value can be chosen.
        choices.append(text)
    return described | {"type": "STRING", "default": text} | ({"allowedValues": choices} if choices else {})


def _typed(setting: Setting, value: Any) -> str:
    """A value as it is typed on a command line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return join_list(split_list(value)) if setting.is_list else str(value)


def _is_path(setting: Setting, value: Any, clips: Collection[Path]) -> bool:
    """Whether the value names files, not a colour or the name of weights."""
    if not setting.is_path or value is None:
        return False
    return setting.name == "output" or Path(value) in clips or Path(value).is_file()


def _name(setting: Setting) -> str:
    """The parameter of a setting: ``exr_compression`` is ExrCompression."""
    words = setting.name.split("_")
    return _PARAMETER_NAMES.get(setting.name) or "".join(word.capitalize() for word in words)
