"""Which collections of a data folder go into a pack."""

from pathlib import Path

from howard.data.check import Kind, find_collections, kind_of
from howard.data.pack.writing import PackOptions
from howard.errors import InputError, SettingsError


def choose_options(
    root: Path,
    *,
    people: str | None,
    places: str | None,
    prepared: str | None,
    licences: list[str],
    size: int,
    quality: int,
    longest: str | None,
    most: str | None,
    clip_frames: int | None,
) -> PackOptions:
    """The options of a pack, of lists as they are typed: ``[NAME,NAME]`` or ``NAME,NAME``.

    Args:
        root: folder of the collections.
        people: names of collections; None takes all of that kind in the folder.
        places: the same; plate pairs are places too.
        prepared: the same.
        licences: licence folders of places to keep to; empty keeps all.
        size: as in :class:`PackOptions`.
        quality: as there.
        longest: as there, of ``[NAME:PIXELS,...]``.
        most: as there, of ``[NAME:COUNT,...]``.
        clip_frames: as there.

    Raises:
        InputError: there is no such folder, it holds no collections, or is one itself.
        SettingsError: the options do not fit.
    """
    found: dict[Kind, list[str]] = {}
    if None in (people, places, prepared):
        for folder in find_collections(root):
            if folder == root:
                raise InputError(f"{root} is one collection or a pack; give the folder that holds the collections")
            found.setdefault(kind_of(folder), []).append(folder.relative_to(root).as_posix())
    every_place = sorted([*found.get("places", []), *found.get("plate pairs", [])])
    return PackOptions(
        people=found.get("people", []) if people is None else split_list(people),
        places=every_place if places is None else split_list(places),
        prepared=found.get("prepared pairs", []) if prepared is None else split_list(prepared),
        licences=licences,
        size=size,
        quality=quality,
        longest=split_counts("longest", longest),
        most=split_counts("most", most),
        clip_frames=clip_frames,
    )


def split_list(text: str) -> list[str]:
    """The names in ``[NAME,NAME]`` or ``NAME,NAME``; ``[]`` has none."""
    return [name.strip() for name in text.strip().removeprefix("[").removesuffix("]").split(",") if name.strip()]


def split_counts(setting: str, text: str | None) -> dict[str, int]:
    """The numbers by name in ``[NAME:NUMBER,...]``; raises SettingsError, naming the setting, for anything else."""
    counts = {}
    for each in split_list(text or ""):
        name, _, number = each.rpartition(":")
        if not name or not number.isdecimal():
            raise SettingsError(f"{setting}={text} should be as [NAME:NUMBER,NAME:NUMBER]")
        counts[name] = int(number)
    return counts
