"""One entry of a project: a shot, its plate, and the settings of their render."""

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
# Options that are set by the in and out marks and the render queue, or are not needed in the app.
EXCLUDED_OPTIONS = ("frames", "preview", "restart", "overwrite")


@dataclass(frozen=True)
class Pair:
    """A shot with its plate.

    Attributes:
        id: unique within the project; also the name of the pair's folders.
        shot: absolute path, as for `howard.remove_background`.
        plate: absolute paths, or "self" alone.
        options: fields of `RenderOptions` that differ from the defaults, by name.
        first, last: in and out mark, frame numbers as in output names; None for the start and end of the shot.
        output: render folder relative to the project's folder; the tokens ``{shot}``, ``{plate}``, ``{quality}`` and
            ``{format}`` are replaced.
        state: one of `STATES`.
        message: one line that explains the state, or "".
        strokes: brush strokes on the shot's frames, in the order painted.
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
        object.__setattr__(self, "options", non_default_options(self.options))

    def render_options(self, **changes: Any) -> RenderOptions:
        """The options as `RenderOptions`, with ``changes``; raises SettingsError for invalid values."""
        return RenderOptions(**{**self.options, **changes})

    @property
    def plate_text(self) -> str:
        """The value of ``plate=``: a path, or several as "[a.mov,b.jpg]"."""
        if len(self.plate) == 1:
            return str(self.plate[0])
        line = io.StringIO()
        csv.writer(line).writerow(map(str, self.plate))
        # The writer must know its line terminator, so that it quotes names that contain one.
        return f"[{line.getvalue().removesuffix(csv.excel.lineterminator)}]"

    def expand_output(self) -> Path:
        """The output folder with its tokens replaced; raises SettingsError for unknown tokens."""
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
            raise SettingsError(f"output={self.output} contains an unknown token; the tokens are {tokens}") from error

    def to_json(self) -> dict[str, Any]:
        """The pair as plain JSON values."""
        facts = {each.name: getattr(self, each.name) for each in fields(self)}
        return facts | {
            "shot": str(self.shot),
            "plate": [str(path) for path in self.plate],
            "options": {name: _to_plain(value) for name, value in self.options.items()},
            "strokes": [stroke.to_json() for stroke in self.strokes],
        }

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> "Pair":
        """Inverse of :meth:`to_json`; raises InputError if a value is missing or invalid."""
        try:
            paths = {"shot": Path(facts["shot"]), "plate": tuple(map(Path, facts["plate"]))}
            strokes = tuple(map(Stroke.from_json, facts["strokes"]))
            return cls(**{**facts, **paths, "strokes": strokes})
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise InputError(f"a pair of the project cannot be read ({error}); restore an earlier copy") from error


def non_default_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The ``options`` that differ from the defaults, by name, with lists as tuples.

    Raises SettingsError for unknown names and invalid values.
    """
    given = {find_setting(RenderOptions, name).name: value for name, value in options.items()}
    for name in EXCLUDED_OPTIONS:
        if name in given:
            raise SettingsError(f"{name}= is not an option of a pair; the marks and the render queue set it")
    RenderOptions(**given)
    changed = {}
    for each in list_settings(RenderOptions):
        value = given.get(each.name, each.default)
        if each.is_list and value is not None:
            value = split_list(value)
            is_default = each.default is not None and value == split_list(each.default)
        else:
            is_default = value == each.default
        if not is_default:
            changed[each.name] = value
    return changed


def clip_name(path: Path) -> str:
    """The name of a clip for folder names: its file or folder name without suffix and frame number pattern."""
    stem = path.stem if path.suffix else path.name
    cut = min((stem.index(sign) for sign in "%#*?[" if sign in stem), default=len(stem))
    return stem[:cut].rstrip("._- ") or path.parent.name or "shot"


def _to_plain(value: Any) -> Any:
    """Convert an option's value to a JSON value."""
    if isinstance(value, tuple):
        return list(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
