"""The step between the network and the writers: a frame's pixels are made final and measured, once."""

import numpy as np

from howard.options import RenderOptions
from howard.pipeline.compose import ComposeSettings, compose_pixels
from howard.pipeline.frames import FinishedFrame, MattedFrame
from howard.pipeline.predictor import Predictor
from howard.pipeline.record import measure_frame


def finish_settings(options: RenderOptions, predictor: Predictor, depths: tuple[np.dtype, ...]) -> ComposeSettings:
    """How the mattes of ``predictor`` become pictures of ``depths``, the first output's first."""
    return ComposeSettings(
        depths=depths,
        layers=options.layer_names,
        linear_light=predictor.metadata.mixing == "linear",
        foreground=options.foreground,
        controls=options.edge_controls,
    )


class FrameFinisher:
    """Finishes the frames of a render, in the thread that runs the network."""

    def __init__(self, settings: ComposeSettings) -> None:
        self._settings = settings

    def finish(self, frame: MattedFrame) -> FinishedFrame:
        """The final pixels of a frame, and its record, which is measured on those of the first output."""
        rgba, layers = compose_pixels(frame, self._settings)
        main = rgba[self._settings.depths[0]]
        record = measure_frame(frame, main, self._settings.linear_light)
        return FinishedFrame(frame.source, frame.plate, rgba, layers, record, frame.plate_damaged)
