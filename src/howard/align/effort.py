"""The aligner's effort: that of a quality level, with single knobs changed."""

from howard.quality import QUALITIES, AlignmentEffort


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
