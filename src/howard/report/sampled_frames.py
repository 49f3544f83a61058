"""The report's sampled frames: a slider between shot and cut-out, measures, and images that explain the matte."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from howard.errors import InputError
from howard.report.finished_render import FinishedRender, Sample, number_in, section
from howard.report.html_templates import render_template

# Frames shown: at most this many good ones, and this many that are not good.
_MAX_GOOD = 8
_MAX_WEAK = 8
# Images by file name: heading and explanation.
_DETAILS = {
    "alpha": ("Alpha", "White: the person. Black: background."),
    "plate": ("Aligned plate", "The empty place, warped to the view of this frame. Striped: not covered."),
    "residual": ("Shot against plate", "Black: equal. Yellow: a difference of 40 levels or more. Grey: not covered."),
    "coarse": ("Coarse alpha", "The network's alpha at reduced resolution."),
    "error": ("Error map", "The network's estimate of the error of the coarse alpha. Yellow: 0.5 or more."),
    "refined": ("Refined patches", "Orange: computed again at full resolution."),
}
_CROPS = {"crop_source": "Shot", "crop_coarse": "Coarse", "crop_refined": "Refined"}


class SampledFrame(NamedTuple):
    """What the template needs of a sample: ``images`` are data URIs by file name, ``measures`` name and text.

    ``crop_size`` and ``crop_corner`` describe the enlarged crop in pixels, ``coarse_size`` the coarse network's output.
    """

    number: int
    status: str
    images: Mapping[str, Markup]
    measures: Mapping[str, str]
    crop_size: str
    crop_corner: str
    coarse_size: str


def choose_samples(render: FinishedRender) -> list[Sample]:
    """The samples to show, in order: eight evenly spaced good frames, and the first weak one of each eighth.

    Renders that work on several frames at a time may have saved more.
    """
    places = {line.number: place for place, line in enumerate(render.lines)}
    weak: dict[int, Sample] = {}
    for sample in render.samples:
        if sample.line.concern:
            weak.setdefault(_MAX_WEAK * places[sample.line.number] // len(places), sample)
    good = _spread([sample for sample in render.samples if not sample.line.concern], _MAX_GOOD)
    return sorted([*good, *weak.values()], key=lambda sample: sample.line.number)


def render_samples(samples: Sequence[Sample]) -> Markup:
    """The HTML of a strip of thumbnails, which link to the frames, and of the frames.

    Raises InputError if an image cannot be read.
    """
    frames = [_read_sample(sample) for sample in samples]
    return render_template("samples.html", samples=frames, details=_DETAILS, crops=_CROPS)


def _read_sample(sample: Sample) -> SampledFrame:
    crop, coarse_size = section(sample.facts, "crop"), sample.facts.get("coarse_size")
    return SampledFrame(
        number=sample.line.number,
        status=sample.line.status,
        images={name: _data_uri(path) for name, path in sample.images.items()},
        measures=_measures(sample),
        crop_size=_join_sides(crop, " x ", "width", "height"),
        crop_corner=_join_sides(crop, ", ", "x", "y"),
        coarse_size=" x ".join(map(str, coarse_size)) if isinstance(coarse_size, list) else "",
    )


def _measures(sample: Sample) -> dict[str, str]:
    line = sample.line
    weights = sample.facts.get("plate_weights")
    weights = weights if isinstance(weights, list) and len(weights) == len(line.plate_indices) else []
    frames = [f"{index}" for index in line.plate_indices]
    if len(frames) > 1 and weights:
        frames = [f"{frame} ({weight:.0%})" for frame, weight in zip(frames, weights, strict=True)]
    return {
        "Plate frames, from 0": ", ".join(frames) or "none",
        "Matches that agree": _format_number(line.inliers, ".0f"),
        "Alignment error": _format_number(line.error_px, ".2f", " px"),
        "Coverage": _format_number(line.coverage, ".1%"),
        "Shot against plate": _format_number(line.residual, ".1f", " levels"),
        "Recomposition error": _format_number(line.recomposition_error, ".1f", " levels"),
        "Refined": _format_number(number_in(sample.facts, "refined"), ".1%"),
        "Holes": _format_number(line.holes, ".2%"),
        "Islands": _format_number(line.islands, ".2%"),
    }


def _data_uri(path: Path) -> Markup:
    try:
        encoded = base64.b64encode(path.read_bytes()).decode()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the file and its permissions") from error
    # Base64 needs no escaping, which would copy megabytes.
    return Markup(f"data:image/webp;base64,{encoded}")


def _spread(samples: Sequence[Sample], most: int) -> list[Sample]:
    """At most ``most`` evenly spaced samples, the first and the last among them."""
    count = min(most, len(samples))
    return [samples[round(step * (len(samples) - 1) / max(count - 1, 1))] for step in range(count)]


def _join_sides(crop: dict[str, Any], separator: str, *names: str) -> str:
    return separator.join(str(crop.get(name, "?")) for name in names)


def _format_number(value: float | None, pattern: str, unit: str = "") -> str:
    return "-" if value is None else f"{value:{pattern}}{unit}"
