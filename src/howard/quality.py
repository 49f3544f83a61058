"""The quality levels, and the settings of alignment and network that each stands for."""

from typing import NamedTuple


class AlignmentEffort(NamedTuple):
    """Effort of the alignment of one source frame.

    Attributes:
        shortlist: plate frames similar to the source, which are ranked by keypoint matches.
        candidates: the best of these, which are matched in full.
        fused: the best candidates, which are blended.
        fillers: further plate frames, at most, for pixels that the fused ones do not cover.
        feature_side: long side in pixels at which SIFT features are detected; 960 if those do not match.
        mesh: whether a mesh refines the homography.
        flow: whether optical flow refines the mesh.
        parallax: whether a further plate frame is used to estimate the flow behind the person.
    """

    shortlist: int
    candidates: int
    fused: int
    fillers: int
    feature_side: int
    mesh: bool
    flow: bool
    parallax: bool


class Quality(NamedTuple):
    """A quality level.

    Attributes:
        meaning: text of the help page.
        alignment: effort of the alignment.
        augmented: whether three mattes are combined (:class:`howard.matting.MattingPredictor`).
        window: frames of the shot on either side with which soft edges are filtered.
    """

    meaning: str
    alignment: AlignmentEffort
    augmented: bool = False
    window: int = 1


QUALITIES = {
    "fast": Quality(
        "one plate frame, aligned by a homography: without parallax",
        AlignmentEffort(
            shortlist=4, candidates=1, fused=1, fillers=0, feature_side=480, mesh=False, flow=False, parallax=False
        ),
        window=0,
    ),
    "standard": Quality(
        "one plate frame, corrected for parallax",
        AlignmentEffort(
            shortlist=16, candidates=2, fused=1, fillers=0, feature_side=640, mesh=True, flow=True, parallax=True
        ),
    ),
    "best": Quality(
        "several plate frames and three mattes, at half the speed",
        AlignmentEffort(
            shortlist=16, candidates=4, fused=3, fillers=2, feature_side=640, mesh=True, flow=True, parallax=True
        ),
        augmented=True,
    ),
}

# Choices of the setting ``quality``.
QUALITY_CHOICES = {name: quality.meaning for name, quality in QUALITIES.items()}


def choose_window(quality: str, window: int | None) -> int:
    """Frames on either side with which soft edges are filtered: ``window``, or that of the quality if it is None."""
    return QUALITIES[quality].window if window is None else window


def choose_effort(quality: str, **overrides: int | bool | None) -> AlignmentEffort:
    """The alignment effort of a quality level, with the given ``overrides`` that are not None.

    Raises:
        ValueError: for an unknown level or an invalid override.
    """
    if quality not in QUALITIES:
        raise ValueError(f"quality must be one of {', '.join(QUALITIES)}, not {quality!r}")
    changed = {name: value for name, value in overrides.items() if value is not None}
    effort = QUALITIES[quality].alignment._replace(**changed)
    for name in ("shortlist", "candidates", "fused", "feature_side"):
        if getattr(effort, name) < 1:
            raise ValueError(f"{name} must be at least 1, not {getattr(effort, name)}")
    if effort.fillers < 0:
        raise ValueError(f"fillers must be at least 0, not {effort.fillers}")
    # Only candidates are fused, and only shortlisted frames are candidates.
    candidates = max(effort.candidates, effort.fused)
    return effort._replace(candidates=candidates, shortlist=max(effort.shortlist, candidates))
