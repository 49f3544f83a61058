"""The inference pipeline: read, align, matte, composite, write; with only a few frames in memory at a time."""

from howard.pipeline.background_removal import CutOut, RenderSummary, cut_out_frames, remove_background
from howard.pipeline.frame_streams import align_frames, matte_clip, matte_frames
from howard.pipeline.frame_writer import write_frames
from howard.pipeline.job_bundle import JobBundle, write_job
from howard.pipeline.pipeline_types import AlignedFrame, MattedFrame, Predictor
from howard.pipeline.plan import RenderPlan, plan_render
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
    "cut_out_frames",
    "matte_clip",
    "matte_frames",
    "plan_render",
    "remove_background",
    "write_frames",
    "write_job",
]
