"""A render whose settings are checked and whose files are open, before anything slow is loaded or written."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from howard.align import ValidityFinder
from howard.errors import OutputError, SettingsError
from howard.media import choose_frames
from howard.options import PlatePaths, RenderOptions, recorded_options
from howard.pipeline.folder import RenderFolder
from howard.pipeline.frames import MattedFrame
from howard.pipeline.inputs import Inputs, open_inputs
from howard.pipeline.outputs import choose_outputs, describe_output, refuse_inputs
from howard.pipeline.predictor import Predictor
from howard.pipeline.resolved import follow_record
from howard.pipeline.sidecar import describe_render
from howard.pipeline.stages import Explains, explain_nothing, matte_clip
from howard.pipeline.writer import FrameWriter, Output
from howard.progress import Progress
from howard.quality import QUALITIES


class OpenedRender(NamedTuple):
    """What a render reads and writes: ``numbers`` are the frames asked for, ``outputs`` go into ``folder``."""

    options: RenderOptions
    inputs: Inputs
    numbers: Sequence[int]
    outputs: Sequence[Output]
    folder: RenderFolder

    def describe(self, predictor: Predictor, given: bool) -> dict[str, Any]:
        """The render's record, `howard.json`; of a ``predictor`` that was ``given`` only its weights are known."""
        settings = recorded_options(self.options)
        if given:
            settings["alpha"] = None
        if self.options.preview is not None:
            settings["preview"] = True
        entries = [describe_output(each, self.inputs.shot.info) for each in self.outputs]
        weights_path = None if given else str(self.options.weights)
        return describe_render(self.inputs, settings, predictor, weights_path, entries)

    def begin(self, given: Predictor | None, progress: Progress) -> Predictor:
        """Begin the render, or continue it, with the predictor ``given`` or the options' own; returns that.

        Raises OutputError where the folder's render was made from or with something else.
        """
        followed = follow_record(self.options, self.folder.path)
        predictor = given or self.load(progress)
        try:
            self.folder.begin(self.describe(predictor, given is not None))
        except OutputError:
            # Another machine may have begun the render while this one loaded the network.
            if given is not None or follow_record(self.options, self.folder.path) == followed:
                raise
            predictor = self.load(progress)
            self.folder.begin(self.describe(predictor, given=False))
        return predictor

    def load(self, progress: Progress) -> Predictor:
        """The network of the options' weights; ``auto`` is resolved as by the machine that began the render."""
        followed = follow_record(self.options, self.folder.path)
        try:
            return load_predictor(followed, progress)
        except SettingsError as error:
            if followed == self.options:
                raise
            raise OutputError(
                f"{self.folder.path} was begun with device={followed.device} precision={followed.precision}, which "
                "this machine lacks; continue on one that has it, or choose another folder"
            ) from error

    def writer(self, predictor: Predictor) -> FrameWriter:
        """What writes the mattes of ``predictor``."""
        is_linear = predictor.metadata.mixing == "linear"
        return FrameWriter(self.folder, self.outputs, linear_light=is_linear, foreground=self.options.foreground)

    def mattes(
        self,
        predictor: Predictor,
        progress: Progress,
        numbers: Sequence[int],
        *,
        explains: Explains = explain_nothing,
        validity: ValidityFinder | None = None,
    ) -> Generator[MattedFrame]:
        """The mattes of the frames ``numbers``; see :func:`howard.pipeline.matte_clip`."""
        return matte_clip(
            self.inputs,
            predictor,
            numbers,
            quality=self.options.quality,
            subject=self.options.subject,
            workers=self.options.threads,
            explains=explains,
            progress=progress,
            sparse=self.options.preview is not None,
            validity=validity,
        )


@contextmanager
def open_render(
    source: str | Path, plate: PlatePaths, output: str | Path, options: RenderOptions, progress: Progress
) -> Iterator[OpenedRender]:
    """Open the files of a render for as long as the context lasts; arguments as :func:`howard.remove_background`.

    Raises HowardErrors where files cannot be read, settings do not go together or the folder is not ours.
    """
    if options.preview is not None:
        options, output = replace(options, frames=options.preview, restart=True), f"{output}_preview"
    folder = RenderFolder(output, options.overwrite, options.restart)
    with open_inputs(source, plate, options, progress) as inputs:
        shot = inputs.shot.info
        indices = choose_frames(options.frames, shot)
        numbers = [shot.first_number + index for index in indices]
        outputs = choose_outputs(options, folder.path, shot, indices)
        refuse_inputs(outputs, numbers, inputs.clips)
        yield OpenedRender(options, inputs, numbers, outputs, folder)


def load_predictor(options: RenderOptions, progress: Progress) -> Predictor:
    """The network of the options' weights, on their device."""
    progress.step("network", f"loading the network, weights {options.weights}", weights=str(options.weights))
    # Torch takes seconds to load: only after everything else has been checked.
    from howard.matting import load_matting

    augmented = QUALITIES[options.quality].augmented
    return load_matting(options.weights, options.device, options.precision, options.alpha, augmented=augmented)
