"""How much work goes into one source frame."""

from typing import NamedTuple


class Quality(NamedTuple):
    """Knobs of the aligner.

    ``shortlist`` plate frames that look like the source are ranked by keypoints, the best ``candidates`` of them
    matched in full, the best ``fused`` of those laid together, and at most ``fillers`` more where those show nothing.
    SIFT is sought at ``feature_side``, a long side in pixels. ``mesh`` and ``flow`` say whether each is bent beyond its
    homography, ``parallax`` whether another plate frame is asked what the flow must be behind the person.
    """

    shortlist: int
    candidates: int
    fused: int
    fillers: int
    feature_side: int
    mesh: bool
    flow: bool
    parallax: bool


QUALITIES = {
    "fast": Quality(
        shortlist=4, candidates=1, fused=1, fillers=0, feature_side=640, mesh=False, flow=False, parallax=False
    ),
    "standard": Quality(
        shortlist=16, candidates=2, fused=1, fillers=0, feature_side=960, mesh=True, flow=True, parallax=True
    ),
    "best": Quality(
        shortlist=16, candidates=4, fused=3, fillers=2, feature_side=960, mesh=True, flow=True, parallax=True
    ),
}


def choose_quality(name: str, **knobs: int | bool | None) -> Quality:
    """The preset ``name`` with those ``knobs`` changed that are not None; raises ValueError for impossible ones."""
    if name not in QUALITIES:
        raise ValueError(f"quality must be one of {', '.join(QUALITIES)}, not {name!r}")
    quality = QUALITIES[name]._replace(**{knob: value for knob, value in knobs.items() if value is not None})
    for knob in ("shortlist", "candidates", "fused", "feature_side"):
        if getattr(quality, knob) < 1:
            raise ValueError(f"{knob} must be at least 1, not {getattr(quality, knob)}")
    if quality.fillers < 0:
        raise ValueError(f"fillers must be at least 0, not {quality.fillers}")
    # Nothing is fused that was not matched, nor matched that was not listed.
    candidates = max(quality.candidates, quality.fused)
    return quality._replace(candidates=candidates, shortlist=max(quality.shortlist, candidates))
