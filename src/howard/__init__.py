"""Howard removes the background from videos of people, without a green screen and with a moving camera."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from howard.options import RenderOptions
    from howard.pipeline import RenderSummary, cut_out_frames, plan_render, remove_background, write_job

__all__ = [
    "RenderOptions",
    "RenderSummary",
    "__version__",
    "cut_out_frames",
    "plan_render",
    "remove_background",
    "write_job",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Imported late, so that help pages and errors about settings do not wait for torch.
    if name in ("RenderSummary", "cut_out_frames", "plan_render", "remove_background", "write_job"):
        from howard import pipeline

        return getattr(pipeline, name)
    if name == "RenderOptions":
        from howard.options import RenderOptions

        return RenderOptions
    raise AttributeError(f"module 'howard' has no attribute {name!r}")
