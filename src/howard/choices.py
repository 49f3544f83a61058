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
SUBJECTS = {"person": "and what people hold or wear", "anything": "everything that the plate does not show"}
ALPHA_MODES = {"auto": "straight in PNG, premultiplied in EXR", "straight": "", "premultiplied": ""}
EDGES = {"solved": "alpha and colours solved from source and plate", "network": "the network's output"}
# Device types; one of several GPUs has its index appended, as cuda:1.
DEVICES = {"auto": "", "cpu": "", "cuda": "", "mps": "", "xpu": ""}
PRECISIONS = {"auto": "", "fp32": "", "bf16": "faster on many CPUs", "fp16": "GPUs"}
INTERLACED = {"auto": "interlaced files are refused", "progressive": "for files that are wrongly marked as interlaced"}
EXR_COMPRESSIONS = {"zip": "", "piz": "", "dwaa": "smaller, lossy"}
# Further layers of EXR files beside RGBA, in the order of the channels.
LAYERS = {
    "all": "the shadow only with shadow=true",
    "matte": "the network's alpha",
    "foreground": "straight colours",
    "plate": "aligned",
    "coverage": "where the plate covers the frame",
    "shadow": "the person's shadow, a factor on linear light",
    "confidence": "estimated accuracy of alpha",
}
PROGRESS = {
    "auto": "a progress bar in a terminal, else plain",
    "plain": "a line every 10 seconds",
    "json": "one JSON object per line, for programs",
    "openjd": "status lines of Open Job Description",
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
