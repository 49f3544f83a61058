"""Howard removes the background from videos of people, without a green screen and with a moving camera."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from howard.matting import load_matting
    from howard.options import RenderOptions
    from howard.pipeline import RenderSummary, cut_out_frames, plan_render, remove_background, write_job

__all__ = [
    "RenderOptions",
    "RenderSummary",
    "__version__",
    "cut_out_frames",
    "load_matting",
    "plan_render",
    "remove_background",
    "write_job",
]
__version__ = "0.2.0"

# Imported when first used: help pages and refusals of mistyped settings need not wait for torch and the pipeline.
_MODULES = {
    "RenderOptions": "howard.options",
    "RenderSummary": "howard.pipeline",
    "cut_out_frames": "howard.pipeline",
    "load_matting": "howard.matting",
    "plan_render": "howard.pipeline",
    "remove_background": "howard.pipeline",
    "write_job": "howard.pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'howard' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
