"""The inference pipeline: read, align, matte, write; a few frames in memory at a time."""

from howard.pipeline.deliver import deliver
from howard.pipeline.frames import AlignedFrame, MattedFrame
from howard.pipeline.job_bundle import JobBundle, write_job
from howard.pipeline.plan import RenderPlan, plan_render
from howard.pipeline.predictor import Predictor, choose_finder
from howard.pipeline.render import CutOut, cut_out_frames, remove_background
from howard.pipeline.stages import align_frames, matte_clip, matte_frames
from howard.pipeline.summary import RenderSummary
from howard.progress import FrameDone, ProgressCallback

__all__ = [
    "AlignedFrame",
    "CutOut",
    "FrameDone",
    "JobBundle",
    "MattedFrame",
    "Predictor",
    "ProgressCallback",
    "RenderPlan",
    "RenderSummary",
    "align_frames",
    "choose_finder",
    "cut_out_frames",
    "deliver",
    "matte_clip",
    "matte_frames",
    "plan_render",
    "remove_background",
    "write_job",
]
