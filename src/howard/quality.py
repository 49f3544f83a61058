"""How much work goes into a frame: the one table of the quality levels, for everything that has a share in it."""

from typing import NamedTuple


class AlignmentEffort(NamedTuple):
    """What the aligner does for one source frame.

    ``shortlist`` plate frames that resemble the source are ranked by keypoints, the best ``candidates`` of them
    matched in full, the best ``fused`` of those blended, and at most ``fillers`` more used where those cover nothing.
    SIFT features are found at ``feature_side``, a long side in pixels, and where those match nothing at 960. ``mesh``
    and ``flow`` say whether each is bent beyond its homography, ``parallax`` whether another plate frame is asked what
    the flow is behind the person.
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
    """What a level of quality means.

    ``meaning`` is what help pages say of it, ``alignment`` the aligner's effort. ``network_finds_person`` says whether
    the network, besides the plate's residual, tells the aligner where the person is; ``augmented`` whether the mean of
    three mattes is taken (:class:`howard.matting.MattingPredictor`).
    """

    meaning: str
    alignment: AlignmentEffort
    network_finds_person: bool = False
    augmented: bool = False


QUALITIES = {
    "fast": Quality(
        "one plate frame by its homography alone",
        AlignmentEffort(
            shortlist=4, candidates=1, fused=1, fillers=0, feature_side=480, mesh=False, flow=False, parallax=False
        ),
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
        network_finds_person=True,
        augmented=True,
    ),
}

# As a setting's choices.
QUALITY_CHOICES = {name: quality.meaning for name, quality in QUALITIES.items()}


def choose_effort(quality: str, **knobs: int | bool | None) -> AlignmentEffort:
    """The effort of the level ``quality``, with those ``knobs`` changed that are not None.

    Raises ValueError for an unknown level or an impossible knob.
    """
    if quality not in QUALITIES:
        raise ValueError(f"quality must be one of {', '.join(QUALITIES)}, not {quality!r}")
    changed = {knob: value for knob, value in knobs.items() if value is not None}
    effort = QUALITIES[quality].alignment._replace(**changed)
    for knob in ("shortlist", "candidates", "fused", "feature_side"):
        if getattr(effort, knob) < 1:
            raise ValueError(f"{knob} must be at least 1, not {getattr(effort, knob)}")
    if effort.fillers < 0:
        raise ValueError(f"fillers must be at least 0, not {effort.fillers}")
    # Nothing is fused that was not matched, nor matched that was not listed.
    candidates = max(effort.candidates, effort.fused)
    return effort._replace(candidates=candidates, shortlist=max(effort.shortlist, candidates))
