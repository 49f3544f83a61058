"""The frozen recipe of the suite: what its composites are made of, whatever the training recipes become."""

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
    """One kind of composites: ``count`` of ``frames`` frames, of ``size`` (height, width) in pixels."""

    name: str
    size: tuple[int, int]
    count: int
    frames: int


@dataclass(frozen=True)
class Phenomenon:
    """The composites of one phenomenon.

    Attributes:
        name: of the phenomenon.
        seed: of everything random about the stills; the clips take the next one.
        recipes: of the composites, in turn.
        people: sampling weights of the collections of people, for each kind.
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
        version: its number.
        digest: the first 12 hexadecimal digits of the recipe's SHA-256.
        kinds: stills and clips.
        people: collections of people.
        places: collections of places.
        phenomena: by name, in the order of tables.
    """

    version: int
    digest: str
    kinds: tuple[Kind, ...]
    people: tuple[str, ...]
    places: tuple[str, ...]
    phenomena: Mapping[str, Phenomenon]

    def choose(self, names: Sequence[str] | None) -> list[Phenomenon]:
        """The phenomena of these names, all if None, in the suite's order; raises SettingsError for others."""
        unknown = sorted(set(names or ()) - self.phenomena.keys())
        if unknown:
            raise SettingsError(f"there is no phenomenon {unknown[0]!r}; choose of {', '.join(self.phenomena)}")
        return [each for name, each in self.phenomena.items() if names is None or name in names]


@cache
def load_recipe(path: Path = RECIPE_FILE) -> SuiteRecipe:
    """Read a frozen recipe.

    A field that :class:`howard.synthesis.Recipe` gained after the version was frozen keeps its default.
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
    """The base with what the change says in its place, at any depth."""
    changed = {name: _merged(base[name], value) if isinstance(value, dict) else value for name, value in change.items()}
    return base | changed


def _build(default: Any, values: dict[str, Any]) -> Any:
    """A dataclass of the default's type, from plain values; what they leave out is as in the default."""
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
