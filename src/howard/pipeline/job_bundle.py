"""Writing a render as an Open Job Description bundle, which render farms take as a job."""

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from howard.errors import OutputError, SettingsError
from howard.media.files import make_folder, write_whole
from howard.media.movie_formats import MOVIE_FORMATS
from howard.options import RenderJob
from howard.pipeline.job_template import make_template, parameter_values
from howard.pipeline.opened_render import OpenedRender, open_render
from howard.progress import Progress, ProgressCallback, open_progress

_TEMPLATE = "template.yaml"
# Of the parameters that have no defaults: as the command of AWS Deadline Cloud reads them from a bundle, and as
# ``openjd run -p file://...`` does.
_DEADLINE_VALUES = "parameter_values.yaml"
_OPENJD_VALUES = "parameters.yaml"
# Files that AWS Deadline Cloud is to upload beside those that parameters name.
_ASSETS = "asset_references.yaml"
_FILES = {_TEMPLATE, _DEADLINE_VALUES, _OPENJD_VALUES, _ASSETS}


@dataclass(frozen=True)
class JobBundle:
    """A bundle that was written: its folder, and the numbers of the frames that the job renders."""

    path: Path
    frames: range

    def lines(self) -> list[str]:
        """The bundle for people."""
        run = ["openjd", "run", str(self.path / _TEMPLATE), "-p", f"file://{self.path / _OPENJD_VALUES}"]
        return [
            f"wrote the job of {len(self.frames)} frames: {self.path}",
            f"to submit it to AWS Deadline Cloud: {shlex.join(['deadline', 'bundle', 'submit', str(self.path)])}",
            f"to run it on this machine: {shlex.join(run)}",
        ]

    def facts(self) -> dict[str, Any]:
        """The bundle for programs, of what JSON can hold."""
        return {"bundle": str(self.path), "frames": len(self.frames)}


def write_job(job: RenderJob, *, progress: Progress | ProgressCallback | bool | str = True) -> JobBundle:
    """Write the bundle of ``job`` into the folder ``job.job``; nothing is rendered.

    Raises:
        SettingsError: the job is a preview, or writes a movie, which cannot be made in chunks.
        OutputError: the folder holds other files, or cannot be written.
        HowardError: where the render itself would be refused.
    """
    if job.job is None:
        raise SettingsError("job= is missing: the folder that the bundle is written to")
    movie = next((name for name in job.formats if name in MOVIE_FORMATS), None)
    if movie is not None:
        raise SettingsError(f"format={movie} is one file, which cannot be made in chunks; use png, png16 or exr")
    if job.preview is not None:
        raise SettingsError("preview= renders one frame here and goes without job=; a farm takes frames=")
    bundle = Path(job.job)
    _refuse_foreign(bundle)
    with open_progress(progress) as told, open_render(job.input, job.plate, job.output, job, told) as opened:
        frames = range(opened.numbers[0], opened.numbers[-1] + 1)
        clips = {clip.path for clip in opened.inputs.clips}
        chosen = replace(job, output=str(opened.folder.path))
        values = parameter_values(chosen, clips)
        contents = {
            _TEMPLATE: make_template(chosen, frames, clips),
            _DEADLINE_VALUES: {"parameterValues": [{"name": name, "value": value} for name, value in values.items()]},
            _OPENJD_VALUES: values,
            _ASSETS: _asset_references(opened),
        }
        make_folder(bundle)
        for name, content in contents.items():
            write_whole(bundle / name, yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode())
    return JobBundle(bundle, frames)


def _asset_references(opened: OpenedRender) -> dict[str, Any]:
    """The files of image sequences, which the parameters name by a pattern or folder."""
    sequences = [clip.files for clip in opened.inputs.clips if len(clip.files) > 1]
    files = sorted({str(file.absolute()) for sequence in sequences for file in sequence})
    return {"assetReferences": {"inputs": {"filenames": files}}}


def _refuse_foreign(bundle: Path) -> None:
    if bundle.exists() and not bundle.is_dir():
        raise OutputError(f"{bundle} is a file; give a folder for the bundle with job=")
    if bundle.is_dir() and any(entry.name not in _FILES for entry in bundle.iterdir()):
        raise OutputError(f"{bundle} holds files that are not of a bundle; choose another folder with job=")
