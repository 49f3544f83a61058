"""Results files: the scores of one method, with checksums of the clips and of the method, as JSON. Imports no torch."""

import json
import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import howard
from howard.errors import InputError
from howard.evaluation.benchmark.clip_report import METHODS, ClipReport
from howard.evaluation.benchmark.clip_tables import COLUMNS, mean_scores
from howard.evaluation.tables import to_json

FORMAT = 1  # version of results files
_PACKAGES = ("torch", "numpy", "opencv-python-headless", "av")  # whose versions may change a score


@dataclass(frozen=True)
class StoredClip:
    """A clip of a results file.

    Attributes:
        sha256: checksum of shot, plate and ground truth.
        frames: number of scored frames.
        scores: scores and measures of the method by name; unknown ones are left out.
        per_frame: values of each frame in order, by score; NaN where undefined.
    """

    sha256: str
    frames: int
    scores: Mapping[str, float]
    per_frame: Mapping[str, list[float]]


@dataclass(frozen=True)
class MethodResults:
    """A results file: the ``method``'s facts, with its ``name``, and its clips by name."""

    method: Mapping[str, Any]
    clips: Mapping[str, StoredClip]

    @property
    def name(self) -> str:
        """The name of the method."""
        return str(self.method["name"])


def results_json(
    method: Mapping[str, Any],
    reports: Mapping[str, ClipReport],
    clip_digests: Mapping[str, str],
    output_digests: Mapping[str, str] | None = None,
) -> str:
    """A results file's text.

    Args:
        method: facts about the method; ``name`` is needed, ``weights`` is the name or path of Howard's weights.
        reports: by clip.
        clip_digests: SHA-256 of each clip.
        output_digests: SHA-256 of the mattes of each clip, where another program made them.
    """
    clips = {}
    for name, report in reports.items():
        output = {} if output_digests is None else {"output_sha256": output_digests[name]}
        clips[name] = {"sha256": clip_digests[name], **output, **report.to_stored()}
    main = [next(iter(report.scores.values())) | report.measures for report in reports.values()]
    return to_json(
        format=FORMAT,
        method=dict(method),
        versions=_versions(),
        weights=method.get("weights"),
        clips=clips,
        mean=mean_scores(main),
    )


def read_results_file(path: Path) -> MethodResults:
    """Read a results file.

    Raises:
        InputError: it cannot be read, or is not a results file of this format.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give a file that json= has written") from error
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}); give a file that json= has written") from error
    found = stored.get("format") if isinstance(stored, dict) else None
    if found != FORMAT:
        raise InputError(
            f"{path} is not a results file of format {FORMAT} (its format: {found}); write it again with json="
        )
    try:
        clips = {name: _stored_clip(each) for name, each in stored["clips"].items()}
        return MethodResults({**stored["method"], "name": stored["method"]["name"]}, clips)
    except (KeyError, TypeError, AttributeError, StopIteration) as error:
        raise InputError(f"{path} is a damaged results file ({error!r}); write it again with json=") from error


def heading(results: MethodResults) -> str:
    """The method's name with the number of its clips and frames."""
    frames = sum(clip.frames for clip in results.clips.values())
    count = len(results.clips)
    return f"{results.name}: {count} clip{'' if count == 1 else 's'}, {frames} frames"


def _stored_clip(stored: Mapping[str, Any]) -> StoredClip:
    methods = stored["roads"]
    main = next(name for name in (*METHODS, *methods) if name in methods)
    scores = {**methods[main], **stored["measures"]}
    per_frame = {
        name: [math.nan if value is None else float(value) for value in values]
        for name, values in stored["per_frame"].items()
    }
    known = {name: float(value) for name, value in scores.items() if value is not None and name in COLUMNS}
    return StoredClip(str(stored["sha256"]), int(stored["frames"]), known, per_frame)


def _versions() -> dict[str, str]:
    """Versions of Howard, Python and the packages that scores depend on."""
    found = {"howard": howard.__version__, "python": platform.python_version(), "system": platform.system()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # another build of the same library
            found[package] = "unknown"
    return found
