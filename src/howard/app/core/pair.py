"""One entry of a project: a shot, its plate, and how they are rendered."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from howard.app.core.strokes import Stroke
from howard.errors import InputError, SettingsError
from howard.fields import find_setting, list_settings, split_list
from howard.options import RenderOptions

STATES = ("new", "previewed", "rendering", "done", "needs_a_look", "error")
DEFAULT_OUTPUT = "renders/{shot}"
# What the marks, the queue and the app's own previews decide.
_NOT_OPTIONS = ("frames", "preview", "restart", "overwrite")


@dataclass(frozen=True)
class Pair:
    """A shot and its plate.

    Attributes:
        id: names the pair within its project, and its files.
        shot: absolute path, as `howard.remove_background` takes it.
        plate: absolute paths, or "self" alone.
        options: those of `RenderOptions` that differ from the defaults, by name.
        first, last: in and out mark, numbers as in output names; None where the shot begins or ends.
        output: folder of the render, relative to the project's, in which ``{shot}``, ``{plate}``, ``{quality}`` and
            ``{format}`` stand for the names of these.
        state: one of `STATES`.
        message: the line that explains the state; "" where nothing needs explaining.
        strokes: painted on the shot's frames, in order.
    """

    id: str
    shot: Path
    plate: tuple[Path, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    first: int | None = None
    last: int | None = None
    output: str = DEFAULT_OUTPUT
    state: str = "new"
    message: str = ""
    strokes: tuple[Stroke, ...] = ()

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"state must be one of {', '.join(STATES)}, not {self.state!r}")
        object.__setattr__(self, "options", changed_options(self.options))

    def render_options(self, **changes: Any) -> RenderOptions:
        """The options as the pipeline takes them, with ``changes``; raises SettingsError where they do not fit."""
        return RenderOptions(**{**self.options, **changes})

    @property
    def plate_text(self) -> str:
        """The plate as ``plate=`` is typed: a path, or several as "[a.mov,b.jpg]"."""
        if len(self.plate) == 1:
            return str(self.plate[0])
        line = io.StringIO()
        csv.writer(line).writerow(map(str, self.plate))
        # The end of line is left to the writer, so that it quotes names that hold one.
        return f"[{line.getvalue().removesuffix(csv.excel.lineterminator)}]"

    def expand_output(self) -> Path:
        """The output folder with its tokens replaced; raises SettingsError for unknown ones."""
        options = self.render_options()
        names = {
            "shot": clip_name(self.shot),
            "plate": clip_name(self.plate[0]),
            "quality": options.quality,
            "format": "_".join(options.formats),
        }
        try:
            return Path(self.output.format(**names))
        except (KeyError, ValueError, IndexError, AttributeError) as error:
            tokens = ", ".join(f"{{{name}}}" for name in names)
            raise SettingsError(f"output={self.output} holds a token that is not known; there are {tokens}") from error

    def to_json(self) -> dict[str, Any]:
        """The pair as plain JSON values."""
        facts = {each.name: getattr(self, each.name) for each in fields(self)}
        return facts | {
            "shot": str(self.shot),
            "plate": [str(path) for path in self.plate],
            "options": {name: _plain(value) for name, value in self.options.items()},
            "strokes": [stroke.to_json() for stroke in self.strokes],
        }

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> "Pair":
        """The pair that :meth:`to_json` described; raises InputError where the description is damaged."""
        try:
            paths = {"shot": Path(facts["shot"]), "plate": tuple(map(Path, facts["plate"]))}
            strokes = tuple(map(Stroke.from_json, facts["strokes"]))
            return cls(**{**facts, **paths, "strokes": strokes})
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise InputError(f"a pair of the project cannot be read ({error}); restore an earlier copy") from error


def changed_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of ``options`` that differ from the defaults, by name, lists as tuples.

    Raises SettingsError where one is unknown or impossible.
    """
    named = {find_setting(RenderOptions, name).name: value for name, value in options.items()}
    for name in _NOT_OPTIONS:
        if name in named:
            raise SettingsError(f"{name}= is not an option of a pair; the marks and the queue decide it")
    RenderOptions(**named)
    changed = {}
    for each in list_settings(RenderOptions):
        value = named.get(each.name, each.default)
        if each.is_list and value is not None:
            value = split_list(value)
            is_default = each.default is not None and value == split_list(each.default)
        else:
            is_default = value == each.default
        if not is_default:
            changed[each.name] = value
    return changed


def clip_name(path: Path) -> str:
    """What a clip is called in names of folders: a file's or folder's name without suffix and frame number."""
    stem = path.stem if path.suffix else path.name
    cut = min((stem.index(sign) for sign in "%#*?[" if sign in stem), default=len(stem))
    return stem[:cut].rstrip("._- ") or path.parent.name or "shot"


def _plain(value: Any) -> Any:
    """An option's value as JSON holds it."""
    if isinstance(value, tuple):
        return list(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
