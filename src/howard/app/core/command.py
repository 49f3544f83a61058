"""A pair as the command that renders it: the same settings, typed out."""

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


class MaskFiles(NamedTuple):
    """Where a pair's painted masks are written, as ``garbage=`` and ``holdout=`` take them; None where there is none.

    Frames' files are called by a pattern with ``%04d``; a mask for all frames is one still.
    """

    garbage: Path | None = None
    holdout: Path | None = None


def mask_files(project: Project, pair: Pair) -> MaskFiles:
    """The masks that a pair's strokes become, with the pair's own masks in them; written by `write_masks`."""
    folder = project.folder / "masks" / pair.id
    is_alike = all(stroke.number is None and stroke.anchor is None for stroke in pair.strokes)

    def named(name: str, kind: str) -> Path | None:
        painted = [stroke for stroke in pair.strokes if stroke.kind == kind and not stroke.erase]
        if not painted:
            return None
        # The pair's own mask, which goes into the painted one, may be a sequence.
        is_still = is_alike and name not in pair.options
        return folder / (f"{name}.png" if is_still else f"{name}.%04d.png")

    return MaskFiles(named("garbage", "remove"), named("holdout", "keep"))


def render_job(project: Project, pair: Pair, *, clips: ClipCache | None = None, restart: bool = False) -> RenderJob:
    """All that the command is told to render a pair.

    Args:
        project: the pair's.
        pair: with strokes, its masks must have been written.
        clips: opens the shot where only one of the marks is set; one of its own if left out.
        restart: whether a render with other settings in the same folder is begun anew.

    Raises:
        HowardError: settings that do not fit, or a shot that cannot be read.
    """
    options = dict(pair.options)
    options |= {name: str(path) for name, path in mask_files(project, pair)._asdict().items() if path is not None}
    return RenderJob(
        input=str(pair.shot),
        plate=pair.plate_text,
        output=str(project.output_folder(pair)),
        frames=_choose_frames(pair, clips),
        restart=restart,
        **options,
    )


def _choose_frames(pair: Pair, clips: ClipCache | None) -> str | None:
    """The marks as ``frames=`` takes them; None where neither is set."""
    if pair.first is None and pair.last is None:
        return None
    first, last = pair.first, pair.last
    if first is None or last is None:
        shot = (clips or ClipCache()).open(pair.shot, pair.render_options())
        first = shot.first_number if first is None else first
        last = shot.last_number if last is None else last
    return f"{first}-{last}"


def arguments(job: RenderJob) -> list[str]:
    """The ``key=value`` arguments that make a job: what differs from the defaults, in the order of the help page."""
    return [
        f"{each.name}={_typed(each, getattr(job, each.name))}"
        for each in list_settings(RenderJob)
        if each.is_required or getattr(job, each.name) != each.default
    ]


def command_line(project: Project, pair: Pair, *, clips: ClipCache | None = None) -> str:
    """The command that renders a pair, quoted for a POSIX shell; arguments and errors as :func:`render_job`."""
    return shlex.join([*_PROGRAM, *arguments(render_job(project, pair, clips=clips))])


def farm_job(project: Project, pair: Pair, folder: Path, *, clips: ClipCache | None = None) -> RenderJob:
    """The same job as :func:`render_job`, to be written as a bundle for a render farm by `howard.write_job`."""
    return replace(render_job(project, pair, clips=clips), job=str(folder))


def _typed(each: Setting, value: Any) -> str:
    """A value as it is typed, so that `Setting.parse` gives it back."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if each.is_list and isinstance(value, str | Sequence):
        return join_list(split_list(value))
    return str(value)
