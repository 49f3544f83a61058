"""The step between the network and the writers: a frame's pixels are made final and measured, once."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from howard.options import RenderOptions
from howard.pipeline.frames import FinishedFrame, MattedFrame
from howard.pipeline.predictor import Predictor
from howard.pipeline.record import measure_frame

if TYPE_CHECKING:
    from howard.pipeline.compose import ComposeSettings

# Frames that a device may work on while an earlier one is copied to the host.
_IN_FLIGHT = 1


def finish_settings(options: RenderOptions, predictor: Predictor, depths: tuple[np.dtype, ...]) -> "ComposeSettings":
    """How the mattes of ``predictor`` become pictures of ``depths``, the first output's first."""
    # Torch takes seconds to load: only after the settings have been checked.
    from howard.compositing.finishing import FinishingControls
    from howard.pipeline.compose import ComposeSettings

    return ComposeSettings(
        depths=depths,
        layers=options.layer_names,
        linear_light=predictor.metadata.mixing == "linear",
        edges=options.edges,
        controls=FinishingControls(**options.edge_controls),
    )


class FrameFinisher:
    """Finishes the frames of a render, in the thread that runs the network.

    Args:
        settings: how final pixels are made.
        device: where the network runs, as torch names it.

    Attributes:
        in_flight: frames that may be begun before the first of them is asked for, so that a device does not wait.
    """

    def __init__(self, settings: "ComposeSettings", device: str = "cpu") -> None:
        from howard.pipeline.compose import Composer

        self._settings = settings
        self._composer = Composer(settings, device)
        self.in_flight = 0 if device == "cpu" else _IN_FLIGHT

    def begin(self, frame: MattedFrame) -> Callable[[], FinishedFrame]:
        """Start on a frame; the function that is returned waits for its final pixels and measures them.

        The record is measured on the pixels of the first output.
        """
        collect = self._composer.begin(frame)

        def finish() -> FinishedFrame:
            pixels = collect()
            main = pixels.rgba[self._settings.depths[0]]
            record = measure_frame(frame, main, pixels.plate, pixels.coverage, self._settings.linear_light)
            return FinishedFrame(frame.source, frame.plate, pixels.rgba, pixels.layers, record, frame.plate_damaged)

        return finish

    def finish(self, frame: MattedFrame) -> FinishedFrame:
        """A frame's final pixels and its record."""
        return self.begin(frame)()
