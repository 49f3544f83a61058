"""The ``infer.py`` command, or farm job, that renders a pair."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from howard.app.core.clips import ClipCache
from howard.app.core.pair import Pair
from howard.app.core.project import Project
from howard.fields import Setting, join_list, list_settings, split_list
from howard.options import RenderJob

_PROGRAM = ("python", "infer.py")


class MaskPaths(NamedTuple):
    """Paths of a pair's painted masks for ``garbage=`` and ``holdout=``; None for a kind without strokes.

    A mask that differs between frames is a sequence with ``%04d`` in its path; otherwise it is one still.
    """

    garbage: Path | None = None
    holdout: Path | None = None


def mask_paths(project: Project, pair: Pair) -> MaskPaths:
    """Paths of the masks that `write_masks` writes from a pair's strokes and mask files."""
    folder = project.folder / "masks" / pair.id
    is_same_for_all = all(stroke.number is None and stroke.anchor is None for stroke in pair.strokes)

    def mask_path(name: str, kind: str) -> Path | None:
        painted = [stroke for stroke in pair.strokes if stroke.kind == kind and not stroke.erase]
        if not painted:
            return None
        # The painted mask includes the mask file of the options, which may be a sequence.
        is_still = is_same_for_all and name not in pair.options
        return folder / (f"{name}.png" if is_still else f"{name}.%04d.png")

    return MaskPaths(mask_path("garbage", "remove"), mask_path("holdout", "keep"))


def render_job(project: Project, pair: Pair, *, clips: ClipCache | None = None, restart: bool = False) -> RenderJob:
    """The settings of a pair's render.

    Args:
        project: project of the pair.
        pair: pair to render; if it has strokes, its masks must have been written.
        clips: cache for opening the shot, which is needed if only one mark is set; a new one if left out.
        restart: whether to overwrite a render with different settings in the same folder.

    Raises:
        HowardError: invalid settings, or a shot that cannot be read.
    """
    options = dict(pair.options)
    options |= {name: str(path) for name, path in mask_paths(project, pair)._asdict().items() if path is not None}
    return RenderJob(
        input=str(pair.shot),
        plate=pair.plate_text,
        output=str(project.output_folder(pair)),
        frames=_choose_frames(pair, clips),
        restart=restart,
        **options,
    )


def _choose_frames(pair: Pair, clips: ClipCache | None) -> str | None:
    """The in and out mark as a value of ``frames=``; None if neither is set."""
    if pair.first is None and pair.last is None:
        return None
    first, last = pair.first, pair.last
    if first is None or last is None:
        shot = (clips or ClipCache()).open(pair.shot, pair.render_options())
        first = shot.first_number if first is None else first
        last = shot.last_number if last is None else last
    return f"{first}-{last}"


def job_arguments(job: RenderJob) -> list[str]:
    """The ``key=value`` arguments of a job that differ from the defaults, in the order of the help page."""
    return [
        f"{each.name}={_format_value(each, getattr(job, each.name))}"
        for each in list_settings(RenderJob)
        if each.is_required or getattr(job, each.name) != each.default
    ]


def command_line(project: Project, pair: Pair, *, clips: ClipCache | None = None) -> str:
    """The command that renders a pair, quoted for a POSIX shell; errors as in :func:`render_job`."""
    return shlex.join([*_PROGRAM, *job_arguments(render_job(project, pair, clips=clips))])


def farm_job(project: Project, pair: Pair, folder: Path, *, clips: ClipCache | None = None) -> RenderJob:
    """The settings of :func:`render_job` for `howard.write_job`, which writes a render farm bundle to ``folder``."""
    return replace(render_job(project, pair, clips=clips), job=str(folder))


def _format_value(each: Setting, value: Any) -> str:
    """Format a value as text that `Setting.parse` converts back to it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if each.is_list and isinstance(value, str | Sequence):
        return join_list(split_list(value))
    return str(value)
