"""The frozen recipe of the suite, so that its composites do not change with the training recipes."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from howard.errors import SettingsError
from howard.synthesis import Recipe

RECIPE_FILE = Path(__file__).parent / "recipe_v1.json"
KINDS = ("stills", "clips")
# Names of fields in recipe files, where the dataclasses have another name.
_FIELDS = {
    "plate_take": "plate_camera",
    "most_people": "max_people",
    "nobody_probability": "empty_scene_probability",
    "furniture_probability": "static_occluder_probability",
    "head_first": "head_visible_probability",
    "cast_probability": "colour_cast_probability",
    "cast": "colour_cast",
    "mistake_probability": "occluded_flow_probability",
    "mistake_px": "occluded_flow_px",
    "another_place_probability": "wrong_place_probability",
    "astray_probability": "gross_misalignment_probability",
    "anything_probability": "no_person_prior_probability",
}


class Kind(NamedTuple):
    """Stills or clips: ``count`` composites of ``frames`` frames, of ``size`` (height, width) in pixels."""

    name: str
    size: tuple[int, int]
    count: int
    frames: int


@dataclass(frozen=True)
class Phenomenon:
    """The composites of one phenomenon, such as hair or low light.

    Attributes:
        name: of the phenomenon.
        seed: of the stills; the clips have the seed after it.
        recipes: of the composites, used in turn.
        people: sampling weights of the collections of people, by kind.
    """

    name: str
    seed: int
    recipes: tuple[Recipe, ...]
    people: Mapping[str, Mapping[str, float]]

    def at(self, number: int) -> Recipe:
        """The recipe of composite ``number``."""
        return self.recipes[number % len(self.recipes)]


@dataclass(frozen=True)
class SuiteRecipe:
    """A version of the suite.

    Attributes:
        version: number of the version.
        digest: the first 12 hexadecimal digits of the recipe's SHA-256.
        kinds: stills and clips.
        people: names of collections of people.
        places: names of collections of places.
        phenomena: by name, in the order of the tables.
    """

    version: int
    digest: str
    kinds: tuple[Kind, ...]
    people: tuple[str, ...]
    places: tuple[str, ...]
    phenomena: Mapping[str, Phenomenon]

    def choose(self, names: Sequence[str] | None) -> list[Phenomenon]:
        """The phenomena of these names in the suite's order, all if None; raises SettingsError for unknown names."""
        unknown = sorted(set(names or ()) - self.phenomena.keys())
        if unknown:
            raise SettingsError(f"there is no phenomenon {unknown[0]!r}; choose of {', '.join(self.phenomena)}")
        return [each for name, each in self.phenomena.items() if names is None or name in names]


@cache
def load_recipe(path: Path = RECIPE_FILE) -> SuiteRecipe:
    """Read a frozen recipe.

    Fields added to :class:`howard.synthesis.Recipe` after the version was frozen have their defaults.
    """
    stored = json.loads(path.read_text(encoding="utf-8"))
    canonical = json.dumps(stored, sort_keys=True).encode()
    kinds = tuple(
        Kind(name, tuple(stored[name]["size"]), stored[name]["count"], stored[name]["frames"]) for name in KINDS
    )
    phenomena = {
        name: Phenomenon(
            name,
            each["seed"],
            tuple(_build(Recipe(), _merged(stored["recipe"], change)) for change in each["variants"]),
            stored["people"] | each.get("people", {}),
        )
        for name, each in stored["phenomena"].items()
    }
    digest = hashlib.sha256(canonical).hexdigest()[:12]
    people = tuple(dict.fromkeys(name for weights in stored["people"].values() for name in weights))
    return SuiteRecipe(stored["version"], digest, kinds, people, tuple(stored["places"]), phenomena)


def _merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Nested dictionaries with the values of ``change`` in place of those of ``base``."""
    changed = {name: _merged(base[name], value) if isinstance(value, dict) else value for name, value in change.items()}
    return base | changed


def _build(default: Any, values: dict[str, Any]) -> Any:
    """A dataclass of the type of ``default`` with these values; other fields are taken from ``default``."""
    values = {_FIELDS.get(name, name): value for name, value in values.items()}
    unknown = sorted(values.keys() - {each.name for each in fields(default)})
    if unknown:
        raise ValueError(f"{type(default).__name__} has no field {unknown[0]!r}; bump the suite's version")
    made = {
        name: _build(getattr(default, name), value)
        if is_dataclass(getattr(default, name))
        else tuple(value)
        if isinstance(value, list)
        else value
        for name, value in values.items()
    }
    return type(default)(**{each.name: getattr(default, each.name) for each in fields(default)} | made)
