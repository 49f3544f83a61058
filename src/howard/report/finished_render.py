"""Reads a finished render's folder; tolerates missing or invalid values, since an older version may have written it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from howard.errors import InputError
from howard.render_record import REASONS, SAMPLE_FACTS, SAMPLES, SIDECAR, read_lines

# Larger values are ignored: JSON's integers are unbounded, and no measure comes near.
_MAX_NUMBER = 1e300


class FrameLine(NamedTuple):
    """A frame's line in the journals; values that are missing or not finite are None.

    Units are those of `howard.render_record.FrameRecord`: pixels of the source, fractions of the frame, 8-bit levels.
    """

    number: int
    status: str
    plate_indices: tuple[int, ...] = ()
    inliers: float | None = None
    error_px: float | None = None
    coverage: float | None = None
    residual: float | None = None
    recomposition_error: float | None = None
    holes: float | None = None
    islands: float | None = None
    damaged: bool = False
    reasons: tuple[str, ...] = ()

    @property
    def concern(self) -> str | None:
        """What is wrong with the frame: "failed", "damaged" (in the shot) or "weak"; None for a good frame."""
        if self.damaged and self.status != "failed":
            return "damaged"
        return self.status if self.status in ("weak", "failed") else None


class Sample(NamedTuple):
    """A frame with its images: ``images`` are their files by name, ``facts`` the content of `sample.json`."""

    line: FrameLine
    images: dict[str, Path]
    facts: dict[str, Any]


class FinishedRender(NamedTuple):
    """A render's sidecar, its frames in order, and the samples of some of them."""

    folder: Path
    sidecar: dict[str, Any]
    lines: list[FrameLine]
    samples: list[Sample]


def read_render(folder: Path) -> FinishedRender:
    """Read a render's folder; raises InputError if it is not one."""
    sidecar = _read_json(folder / SIDECAR)
    if sidecar is None:
        raise InputError(f"{folder} holds no render ({SIDECAR} is missing or damaged); give the folder of one")
    lines = sorted(_read_lines(folder), key=lambda line: line.number)
    return FinishedRender(folder, sidecar, lines, list(_find_samples(folder / SAMPLES, lines)))


def section(facts: dict[str, Any], name: str) -> dict[str, Any]:
    """A section of a sidecar; empty if it is missing."""
    found = facts.get(name)
    return found if isinstance(found, dict) else {}


def number_in(facts: dict[str, Any], name: str) -> float | None:
    """A finite number; None if there is none of that name."""
    value = facts.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return value if abs(value) < _MAX_NUMBER else None


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the file and its permissions") from error
    except ValueError:
        return None
    return facts if isinstance(facts, dict) else None


def _read_lines(folder: Path) -> list[FrameLine]:
    """The frames; of several lines about a frame, the last one."""
    lines = {}
    for facts in read_lines(folder):
        if isinstance(facts.get("number"), int):
            lines[facts["number"]] = _as_line(facts)
    return list(lines.values())


def _as_line(facts: dict[str, Any]) -> FrameLine:
    indices = facts.get("plate_indices")
    return FrameLine(
        number=facts["number"],
        status=str(facts.get("status", "unknown")),
        plate_indices=tuple(index for index in indices if isinstance(index, int)) if isinstance(indices, list) else (),
        inliers=number_in(facts, "inliers"),
        error_px=number_in(facts, "error_px"),
        coverage=number_in(facts, "coverage"),
        residual=number_in(facts, "residual"),
        recomposition_error=number_in(facts, "recomposition_error"),
        holes=number_in(facts, "holes"),
        islands=number_in(facts, "islands"),
        damaged=facts.get("damaged") is True,
        reasons=_known_reasons(facts.get("reasons")),
    )


def _known_reasons(value: Any) -> tuple[str, ...]:
    return tuple(reason for reason in REASONS if reason in value) if isinstance(value, list) else ()


def _find_samples(folder: Path, lines: list[FrameLine]) -> Iterator[Sample]:
    """The complete samples of frames that have a line, in order."""
    by_number = {line.number: line for line in lines}
    entries = (
        [entry for entry in folder.iterdir() if entry.name.isdecimal() and entry.is_dir()] if folder.is_dir() else []
    )
    for entry in sorted(entries, key=lambda entry: int(entry.name)):
        line, facts = by_number.get(int(entry.name)), _read_json(entry / SAMPLE_FACTS)
        if line is not None and facts is not None:
            yield Sample(line, {path.stem: path for path in sorted(entry.glob("*.webp"))}, facts)
