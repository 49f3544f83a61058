"""Sampled frames: a slider between shot and cut-out, and the pictures that explain the matte."""

import base64
from collections.abc import Sequence
from itertools import chain

from howard.errors import InputError
from howard.report.markup import Markup, element, join
from howard.report.render import FinishedRender, Sample, number_in, section

# Frames shown: of those that came out well, and of those that deserve a look.
_MOST_GOOD, _MOST_WEAK = 8, 8
# Pictures by the name of their file: heading and what is to be seen.
_DETAILS = {
    "alpha": ("Alpha", "White is kept, black goes."),
    "plate": ("Aligned plate", "The empty place as this frame's camera saw it. Striped: not covered."),
    "residual": ("Shot against plate", "Black: alike. Yellow: 40 levels apart or more. Grey: not covered."),
    "coarse": ("Coarse alpha", "What the network made of the reduced picture."),
    "error": ("Error map", "Where the coarse alpha doubts itself. Yellow: by a half or more."),
    "refined": ("Refined patches", "Orange: worked over at full resolution."),
}
_CROPS = {"crop_source": "Shot", "crop_coarse": "Coarse", "crop_refined": "Refined"}


def choose_samples(render: FinishedRender) -> list[Sample]:
    """The samples to be shown, in order: eight good frames from first to last, and the first weak one of each eighth.

    Renders that work at several frames at a time may have saved more.
    """
    places = {line.number: place for place, line in enumerate(render.lines)}
    weak: dict[int, Sample] = {}
    for sample in render.samples:
        if sample.line.concern:
            weak.setdefault(_MOST_WEAK * places[sample.line.number] // len(places), sample)
    good = _spread([sample for sample in render.samples if not sample.line.concern], _MOST_GOOD)
    return sorted([*good, *weak.values()], key=lambda sample: sample.line.number)


def anchor(number: int) -> str:
    """What a sampled frame is called in the page's addresses."""
    return f"frame-{number}"


def badge(status: str) -> Markup:
    """A frame's status, coloured."""
    return element("span", {"class": f"badge {status}"}, status)


def draw_samples(samples: Sequence[Sample]) -> Markup:
    """A strip of thumbnails, which lead to the frames, and the frames."""
    strip = element("nav", {"class": "strip", "aria-label": "Sampled frames"}, *map(_thumbnail, samples))
    return join([strip, *map(_draw, samples)])


def _draw(sample: Sample) -> Markup:
    number = sample.line.number
    title = element("h3", None, f"Frame {number} ", badge(sample.line.status))
    return element(
        "article",
        {"class": "sample", "id": anchor(number)},
        title,
        _slider(sample),
        _measures(sample),
        element("div", {"class": "details"}, *chain.from_iterable(map(lambda name: _detail(sample, name), _DETAILS))),
        _crops(sample),
        _explanation(sample),
    )


def _slider(sample: Sample) -> Markup:
    """Shot and cut-out over one another; the range input over both moves the seam."""
    if not {"source", "cutout"} <= sample.pictures.keys():
        return Markup()
    number = sample.line.number
    label = f"Frame {number}: how much of the shot is shown beside the cut-out, in percent"
    seam = {"type": "range", "class": "seam", "min": 0, "max": 100, "value": 50, "aria-label": label}
    return element(
        "div",
        {"class": "compare"},
        _image(sample, "source", f"Frame {number} of the shot"),
        element("div", {"class": "over"}, _image(sample, "cutout", f"Frame {number}: the person cut out")),
        element("span", {"class": "handle", "aria-hidden": "true"}),
        element("input", seam),
    )


def _measures(sample: Sample) -> Markup:
    line = sample.line
    weights = sample.facts.get("plate_weights")
    weights = weights if isinstance(weights, list) and len(weights) == len(line.plate_indices) else []
    frames = [f"{index}" for index in line.plate_indices]
    if len(frames) > 1 and weights:
        frames = [f"{frame} ({weight:.0%})" for frame, weight in zip(frames, weights, strict=True)]
    shown = {
        "Plate frames, from 0": ", ".join(frames) or "none",
        "Matches that agree": _written(line.inliers, ".0f"),
        "Alignment error": _written(line.error_px, ".2f", " px"),
        "Coverage": _written(line.coverage, ".1%"),
        "Shot against plate": _written(line.residual, ".1f", " levels"),
        "Recomposition error": _written(line.recomposition_error, ".1f", " levels"),
        "Refined": _written(number_in(sample.facts, "refined"), ".1%"),
        "Holes": _written(line.holes, ".2%"),
        "Islands": _written(line.islands, ".2%"),
    }
    terms = (element("div", None, element("dt", None, name), element("dd", None, text)) for name, text in shown.items())
    return element("dl", {"class": "measures"}, *terms)


def _detail(sample: Sample, name: str) -> list[Markup]:
    if name not in sample.pictures:
        return []
    heading, note = _DETAILS[name]
    return [_figure(sample, name, f"Frame {sample.line.number}: {heading.lower()}", heading, note)]


def _crops(sample: Sample) -> Markup:
    if not _CROPS.keys() <= sample.pictures.keys():
        return Markup()
    crop, coarse_size = section(sample.facts, "crop"), sample.facts.get("coarse_size")
    where = " x ".join(str(crop.get(side, "?")) for side in ("width", "height"))
    place = ", ".join(str(crop.get(side, "?")) for side in ("x", "y"))
    sizes = {"crop_coarse": " x ".join(map(str, coarse_size))} if isinstance(coarse_size, list) else {}
    start = f"Frame {sample.line.number}, enlarged part"
    figures = (
        _figure(sample, name, f"{start}: {heading.lower()}", heading, sizes.get(name, ""))
        for name, heading in _CROPS.items()
    )
    note = f"Where refinement changed most: {where} pixels of the picture from {place}, enlarged."
    return join(
        [
            element("h4", None, "Coarse against refined"),
            element("p", {"class": "note"}, note),
            element("div", {"class": "crops"}, *figures),
        ]
    )


def _explanation(sample: Sample) -> Markup:
    if "explanation" not in sample.pictures:
        return Markup()
    number = sample.line.number
    alt = f"Frame {number}: matches between the shot and the chosen plate frame, the aligned plate, and the difference"
    note = "Lines join what was found in both: green agrees with the camera move, red does not."
    return join(
        [
            element("h4", None, "Matches and chosen plate"),
            element("p", {"class": "note"}, note),
            element("figure", {"class": "wide"}, _image(sample, "explanation", alt)),
        ]
    )


def _thumbnail(sample: Sample) -> Markup:
    number, status = sample.line.number, sample.line.status
    label = f"Frame {number}, {status}"
    picture = [_image(sample, "thumbnail", label)] if "thumbnail" in sample.pictures else []
    text = element("span", {"class": "number"}, element("i", {"class": f"dot {status}"}), f"{number}")
    return element("a", {"href": f"#{anchor(number)}", "title": label}, *picture, text)


def _figure(sample: Sample, name: str, alt: str, heading: str, note: str) -> Markup:
    """A picture that a press enlarges, with its caption."""
    button = {"type": "button", "class": "zoom", "aria-pressed": "false", "title": "larger or smaller"}
    caption = element("figcaption", None, element("b", None, heading), " ", note)
    return element("figure", None, element("button", button, _image(sample, name, alt)), caption)


def _image(sample: Sample, name: str, alt: str) -> Markup:
    path = sample.pictures[name]
    try:
        encoded = base64.b64encode(path.read_bytes()).decode()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the file and its permissions") from error
    return element("img", {"src": f"data:image/webp;base64,{encoded}", "alt": alt, "class": name})


def _spread(samples: Sequence[Sample], most: int) -> list[Sample]:
    """No more than ``most``, evenly chosen, the first and the last among them."""
    count = min(most, len(samples))
    return [samples[round(step * (len(samples) - 1) / max(count - 1, 1))] for step in range(count)]


def _written(value: float | None, pattern: str, unit: str = "") -> str:
    return "-" if value is None else f"{value:{pattern}}{unit}"
