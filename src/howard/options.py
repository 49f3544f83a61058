"""The settings of a render, for ``infer.py``, the Python functions and the app.

Standard library only, so that help pages and errors about settings are shown at once.
"""

import csv
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from howard.choices import (
    ALPHA_MODES,
    EDGES,
    EXR_COMPRESSIONS,
    FORMATS,
    INTERLACED,
    LAYERS,
    PRECISIONS,
    PROGRESS,
    SUBJECTS,
    check_device,
)
from howard.errors import SettingsError
from howard.fields import REQUIRED, Between, at_least, find_setting, list_settings, setting, split_list, validate
from howard.frame_ranges import FrameRange, range_as_text
from howard.frame_rates import check_frame_rate, read_frame_rate
from howard.quality import QUALITY_CHOICES

Options = TypeVar("Options", bound="RenderOptions")
Function = TypeVar("Function", bound=Callable[..., Any])
# A clip, "self", or several clips as a sequence or as the text "[a.mov,b.jpg]".
PlatePaths = str | Path | Sequence[str | Path]

# Value of ``plate`` for a plate made from the shot's own frames.
PLATE_SELF = "self"
# Upper bounds in pixels of the shot; larger values are mistakes, and slow.
_MOST_CHOKE = 20
_MOST_FEATHER = 200
_EDGE_CONTROLS = ("choke", "black", "white", "feather", "despill")


def list_plates(plate: PlatePaths) -> list[str | Path]:
    """The paths of a plate: "[a.mov,b.jpg]" has two, unless there is a file of that name.

    Names with commas are quoted: ``["a, b.mov",c.jpg]``.
    """
    if not isinstance(plate, str | Path):
        return list(plate)
    text = str(plate)
    if not (text.startswith("[") and text.endswith("]")) or Path(text).exists():
        return [plate]
    return [name for name in next(csv.reader([text[1:-1]], skipinitialspace=True), []) if name] or [plate]


@dataclass(frozen=True, kw_only=True)
class RenderOptions:
    """Options of a render, each described in its ``setting``.

    From Python, ``frames`` and ``plate_frames`` can also be a `range` of frame numbers (without its end), or a pair of
    the first and the last number; they are stored as text.

    Raises:
        SettingsError: an option has an invalid value.
    """

    frames: FrameRange | None = setting(
        None, "only these frames, as 100-200 (both included) or 7; all if left out", group="read"
    )
    plate_frames: FrameRange | None = setting(
        None,
        "only these frames of the plate, as 1-40; the plate may then be the shot itself",
        is_recorded=True,
        group="read",
    )
    preview: int | None = setting(
        None, "render only this frame, into a folder of its own, as renders/shot_preview; takes seconds", group="read"
    )
    garbage: str | Path | None = setting(
        None,
        "mask of pixels that are certainly background, white there: a still, or one frame per frame of the shot",
        is_path=True,
        group="read",
    )
    holdout: str | Path | None = setting(
        None, "the same for pixels that are certainly the person (a core matte)", is_path=True, group="read"
    )
    input_colour: str | None = setting(
        None,
        "colour space of the shot, if its tags are wrong or missing: bt709, hlg, slog3, ..., ocio:NAME",
        is_recorded=True,
        group="read",
    )
    plate_colour: str | None = setting(None, "the same for the plate", is_recorded=True, group="read")
    layer: str | None = setting(
        None, "layer to read from EXR files of the shot that have several", is_recorded=True, group="read"
    )
    plate_layer: str | None = setting(None, "the same for the plate", is_recorded=True, group="read")
    interlaced: str = setting(
        "auto", "interlacing of shot and plate", choices=INTERLACED, is_recorded=True, group="read"
    )
    frame_rate: str | int | float | Fraction | None = setting(
        None,
        "frame rate of a shot that is an image sequence: 24, 23.976, 24000/1001, ...; 24 if left out",
        check=check_frame_rate,
        group="read",
    )
    quality: str = setting("standard", "quality against time", choices=QUALITY_CHOICES, is_recorded=True, group="matte")
    subject: str = setting("person", "what is kept", choices=SUBJECTS, is_recorded=True, group="matte")
    edges: str = setting("solved", "alpha and colours of soft edges", choices=EDGES, is_recorded=True, group="matte")
    window: int | None = setting(
        None,
        "frames before and after a frame that steady its soft edges, 0 or 1; if left out 0 with quality=fast, else 1",
        check=Between(0, 1),
        is_recorded=True,
        group="matte",
    )
    choke: float = setting(
        0.0,
        "move the edge of alpha inward by this many pixels of the shot, outward if negative; -20 to 20",
        check=Between(-_MOST_CHOKE, _MOST_CHOKE),
        is_recorded=True,
        group="matte",
    )
    black: float = setting(0.0, "alpha up to this becomes 0", check=Between(0, 1), is_recorded=True, group="matte")
    white: float = setting(1.0, "alpha from this on becomes 1", check=Between(0, 1), is_recorded=True, group="matte")
    feather: float = setting(
        0.0,
        "soften the edge of alpha over this many pixels of the shot to either side; up to 200",
        check=Between(0, _MOST_FEATHER),
        is_recorded=True,
        group="matte",
    )
    despill: float = setting(
        0.0,
        "fraction of the plate's colour cast that is removed from soft edges, 0 to 1",
        check=Between(0, 1),
        is_recorded=True,
        group="matte",
    )
    weights: str | Path = setting(
        "default", "name of weights included in Howard, or a weights file", is_path=True, group="matte"
    )
    format: str | Sequence[str] = setting(
        "png", "output format; several as [prores,png]", choices=FORMATS, is_list=True, group="write"
    )
    background: str | Path | None = setting(
        None, "also composite the person over this: still, video, #rrggbb, green, ...", is_path=True, group="write"
    )
    shadow: bool = setting(
        False,
        "also write the person's shadow, a factor on linear light, as PNG files or a layer of EXR files, and apply it "
        "to background=",
        is_recorded=True,
        group="write",
    )
    layers: str | Sequence[str] | None = setting(
        None, "additional layers of EXR files, several as [matte,plate]", choices=LAYERS, is_list=True, group="write"
    )
    exr_compression: str = setting("zip", "compression of EXR files", choices=EXR_COMPRESSIONS, group="write")
    alpha_mode: str = setting(
        "auto", "straight or premultiplied alpha in PNG and EXR files", choices=ALPHA_MODES, group="write"
    )
    output_colour: str | None = setting(
        None,
        "colour space of EXR files: linear (BT.709 primaries, the default), acescg, aces2065-1 or ocio:NAME",
        group="write",
    )
    report: bool = setting(
        True, "also write report.html, a page with the results and measures of the render", group="write"
    )
    overwrite: bool = setting(False, "write into a folder that contains other files or another render", group="write")
    restart: bool = setting(False, "replace the render in a folder that contains no other files", group="write")
    device: str = setting(
        "auto", "device of the network: auto, cpu, cuda, cuda:1, mps, ...", check=check_device, group="run"
    )
    precision: str = setting("auto", "numeric precision of the network", choices=PRECISIONS, group="run")
    threads: int | None = setting(
        None,
        "number of CPU cores to use; all if left out",
        check=at_least(1, "uses no core; give 1 or more, or leave it out for all"),
        aliases=("workers",),
        group="run",
    )

    def __post_init__(self) -> None:
        for name in ("frames", "plate_frames"):
            # The class is frozen; the record and the command line of a render have these as text.
            object.__setattr__(self, name, range_as_text(getattr(self, name), name))
        validate(self)
        if self.black >= self.white:
            raise SettingsError(f"black={self.black:g} is not below white={self.white:g}; give a smaller black=")

    @property
    def edge_controls(self) -> dict[str, float]:
        """The values of choke, black, white, feather and despill that differ from their defaults, by name."""
        given = {name: (getattr(self, name), find_setting(type(self), name).default) for name in _EDGE_CONTROLS}
        return {name: value for name, (value, default) in given.items() if value != default}

    @property
    def formats(self) -> tuple[str, ...]:
        """The members of ``format``, in the order of `FORMATS`."""
        given = split_list(self.format)
        return tuple(name for name in FORMATS if name in given)

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The layers to write, in the order of `LAYERS`: those of ``layers``, and the shadow with ``shadow=True``.

        "all" is every layer except the shadow.
        """
        given = set() if self.layers is None else set(split_list(self.layers))
        if "all" in given:
            given.update(LAYERS.keys() - {"shadow"})
        if self.shadow:
            given.add("shadow")
        return tuple(name for name in LAYERS if name != "all" and name in given)

    @property
    def rate(self) -> Fraction | None:
        """``frame_rate`` as a fraction."""
        return None if self.frame_rate is None else read_frame_rate(self.frame_rate)


@dataclass(frozen=True, kw_only=True)
class RenderJob(RenderOptions):
    """All settings of ``infer.py``: shot, plate, output folder, and the options of the render."""

    input: str = setting(
        REQUIRED,
        "the shot: a video, an image sequence or a still of a person in a place",
        is_path=True,
        aliases=("shot",),
        group="read",
    )
    plate: str = setting(
        REQUIRED,
        "the same place, empty: a video filmed with a similar camera move, or a still; several as [a.mov,b.jpg]; or "
        "self, which uses the background in the shot's other frames",
        is_path=True,
        group="read",
    )
    output: str | None = setting(
        None,
        "output folder; if left out renders/NAME OF THE SHOT, or renders/NAME_FORMAT if that contains a render in "
        "another format",
        is_path=True,
        group="write",
    )

    dry_run: bool = setting(
        False,
        "render nothing; print which files would be read and written, and the time and disk space needed",
        group="run",
    )
    job: str | None = setting(
        None,
        "render nothing; write an Open Job Description bundle for a render farm into this folder",
        is_path=True,
        group="run",
    )
    progress: str = setting("auto", "how progress is shown", choices=PROGRESS, group="run")


def choose_options(options: Options | None, changes: Mapping[str, Any]) -> "Options | RenderOptions":
    """``options``, by default all defaults, with ``changes`` applied by name or former name.

    Raises SettingsError for unknown names and invalid values.
    """
    chosen = RenderOptions() if options is None else options
    named = {find_setting(type(chosen), name).name: value for name, value in changes.items()}
    return replace(chosen, **named)


def recorded_options(options: RenderOptions) -> dict[str, Any]:
    """The options that affect pixels, as stored with a render."""
    return {each.name: getattr(options, each.name) for each in list_settings(RenderOptions) if each.is_recorded}


def accept_options(function: Function) -> Function:
    """Decorate a function whose ``**changes`` are options, so that ``help()`` and editors show each option."""
    signature = inspect.signature(function)
    own = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    settings = list_settings(RenderOptions)
    hints = get_type_hints(RenderOptions)
    keyword_only = inspect.Parameter.KEYWORD_ONLY
    options = [
        inspect.Parameter(each.name, keyword_only, default=each.default, annotation=hints[each.name])
        for each in settings
    ]
    function.__signature__ = signature.replace(parameters=[*own, *options])  # type: ignore[attr-defined]
    lines = [f"    {each.name}: {each.explain()}" for each in settings]
    function.__doc__ = "\n".join([inspect.cleandoc(function.__doc__ or ""), "", "Options:", *lines])
    return function
