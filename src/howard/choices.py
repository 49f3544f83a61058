"""The choices of render settings: each name with its meaning, "" if the name needs no explanation."""

from howard.fields import one_of

FORMATS = {
    "png": "",
    "png16": "",
    "exr": "",
    "prores": "",
    "ffv1": "",
    "webm": "",
    "matte": "alpha alone, as a movie",
    "composite": "over background=, as a movie",
}
SUBJECTS = {"person": "and what people hold or wear", "anything": "whatever the plate does not show"}
ALPHA_MODES = {"auto": "straight in PNG, premultiplied in EXR", "straight": "", "premultiplied": ""}
EDGES = {"solved": "alpha and colours as person and plate explain the source", "network": "as the network gives them"}
# Device types; one of several GPUs has its index appended, as cuda:1.
DEVICES = {"auto": "", "cpu": "", "cuda": "", "mps": "", "xpu": ""}
PRECISIONS = {"auto": "", "fp32": "", "bf16": "faster on many CPUs", "fp16": "GPUs"}
INTERLACED = {"auto": "refused where the file says so", "progressive": "where it says so wrongly"}
EXR_COMPRESSIONS = {"zip": "", "piz": "", "dwaa": "smaller, not exact"}
# Further layers of EXR files beside RGBA, in the order of the channels.
LAYERS = {
    "all": "the shadow only with shadow=true",
    "matte": "alpha as the network gives it",
    "foreground": "straight colours",
    "plate": "aligned",
    "coverage": "where the plate saw the place",
    "shadow": "the person's, as a factor",
    "confidence": "in alpha",
}
PROGRESS = {
    "auto": "a bar in a terminal, else plain",
    "plain": "a line every 10 seconds",
    "json": "a JSON object a line, for render farms",
    "openjd": "lines that Open Job Description reads",
    "none": "",
}
# Headings of the help page by the groups of settings, in order.
GROUPS = {
    "read": "What is read",
    "matte": "How the person is cut out",
    "write": "What is written",
    "run": "How it runs",
}


def check_device(device: str) -> str | None:
    """Check a device, a type of `DEVICES` with or without an index; returns the problem, or None."""
    kind, colon, number = str(device).partition(":")
    if kind in DEVICES and (not colon or (number.isdecimal() and kind not in ("auto", "cpu"))):
        return None
    return f"is not known; choose {one_of(list(DEVICES))}, or one of several GPUs as cuda:1"
