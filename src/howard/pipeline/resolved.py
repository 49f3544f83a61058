"""The ``auto`` settings of a render, which its record fixes for every machine that continues it."""

import json
from dataclasses import replace
from pathlib import Path

from howard.choices import PRECISIONS, check_device
from howard.options import RenderOptions
from howard.render_record import SIDECAR


def follow_record(options: RenderOptions, folder: Path) -> RenderOptions:
    """``options`` with ``auto`` replaced by what ``howard.json`` in ``folder`` says; unchanged where it has no render.

    A device that was asked for by name is kept, with the precision asked for: where it differs from the record's, the
    render is refused when it begins, as is one whose record is damaged.
    """
    if options.restart or options.overwrite:
        return options
    try:
        runtime = json.loads((folder / SIDECAR).read_text(encoding="utf-8"))["runtime"]
        device, precision = str(runtime["device"]), str(runtime["precision"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return options
    if check_device(device) or precision not in PRECISIONS or options.device not in ("auto", device):
        return options
    return replace(options, device=device, precision=precision if options.precision == "auto" else options.precision)
