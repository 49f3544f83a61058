"""Why a folder's render cannot be continued, in the words of the settings."""

from collections.abc import Iterator, Sequence
from typing import Any

from howard.errors import quoted
from howard.media import Change

_MOST_NAMED = 3
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
_CURE = "choose another folder with output=, or start over with overwrite=true"


def explain_refusal(changes: Sequence[Change]) -> str:
    """The end of an error line that begins with the folder's path: what it holds, what differs and the cure."""
    formats = next((change for change in changes if change.place == ("format",)), None)
    if formats is not None:
        return f"holds a {_format_name(formats.old)} render, and this one is {_format_name(formats.new)}; {_CURE}"
    reasons = list(dict.fromkeys(_reasons(changes)))
    more = f" and {len(reasons) - _MOST_NAMED} more" if len(reasons) > _MOST_NAMED else ""
    return f"holds another render: {'; '.join(reasons[:_MOST_NAMED])}{more}; {_CURE}"


def _reasons(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        section, *rest = change.place
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
            yield f"{quoted('.'.join(change.place))} was {old}, is {new}"


def _format_name(value: Any) -> str:
    if isinstance(value, list) and value:
        return " and ".join(_format_name(each) for each in value)
    return _FORMAT_NAMES.get(value, quoted(value)) if isinstance(value, str) else quoted(value)
