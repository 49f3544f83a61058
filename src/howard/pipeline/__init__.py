"""The film road: read, align, matte, write; a few frames in memory at a time."""

from howard.pipeline.deliver import deliver
from howard.pipeline.frames import AlignedFrame, MattedFrame
from howard.pipeline.predictor import Predictor
from howard.pipeline.progress import FrameDone, ProgressCallback, progress_bar
from howard.pipeline.quality import check_quality, choose_finder, is_augmented
from howard.pipeline.render import CutOut, RenderSummary, cut_out_frames, remove_background
from howard.pipeline.stages import align_frames, matte_clip, matte_frames

__all__ = [
    "AlignedFrame",
    "CutOut",
    "FrameDone",
    "MattedFrame",
    "Predictor",
    "ProgressCallback",
    "RenderSummary",
    "align_frames",
    "check_quality",
    "choose_finder",
    "cut_out_frames",
    "deliver",
    "is_augmented",
    "matte_clip",
    "matte_frames",
    "progress_bar",
    "remove_background",
]
