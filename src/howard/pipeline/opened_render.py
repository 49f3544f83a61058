"""A render whose settings are checked and whose files are open, before anything slow is loaded or written."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from howard.align import ValidityFinder, default_cache_folder
from howard.errors import OutputError, SettingsError
from howard.media import choose_frames
from howard.options import PlatePaths, RenderOptions, recorded_options
from howard.pipeline.deliver import deliver
from howard.pipeline.finishing import FrameFinisher, finish_settings
from howard.pipeline.folder import RenderFolder, default_folder
from howard.pipeline.frames import MattedFrame
from howard.pipeline.inputs import Inputs, open_inputs
from howard.pipeline.outputs import choose_outputs, describe_output, refuse_inputs
from howard.pipeline.plate_survey import PlateSurvey
from howard.pipeline.predictor import Predictor
from howard.pipeline.resolved import follow_record
from howard.pipeline.samples import Sampler
from howard.pipeline.sidecar import describe_network, describe_request
from howard.pipeline.stages import matte_clip
from howard.pipeline.writer import Content, FrameWriter, Output
from howard.progress import Progress, ProgressCallback
from howard.quality import QUALITIES


class OpenedRender(NamedTuple):
    """What a render reads and writes: ``numbers`` are the frames asked for, ``outputs`` go into ``folder``."""

    options: RenderOptions
    inputs: Inputs
    numbers: Sequence[int]
    outputs: Sequence[Output]
    folder: RenderFolder

    @property
    def not_carried(self) -> tuple[str, ...]:
        """What of the shot the outputs cannot take, each named once."""
        return tuple(dict.fromkeys(name for entry in self._entries for name in entry["not_carried"]))

    @property
    def colour_notes(self) -> tuple[str, ...]:
        """What became of HDR or a wide gamut in the outputs' files, each note once; of several, each with its files."""
        notes = {}
        for entry in self._entries:
            if "colour_note" in entry:
                notes.setdefault(entry["colour_note"], []).append(entry["files"])
        if len(notes) < 2:
            return tuple(notes)
        return tuple(f"{', '.join(files)}: {note}" for note, files in notes.items())

    @property
    def _entries(self) -> list[dict[str, Any]]:
        return [describe_output(each, self.inputs.shot.info) for each in self.outputs]

    def refuse_other(self) -> dict[str, Any]:
        """The part of `howard.json` that is known without the network.

        Raises OutputError, in the words of the settings, where the folder's own render was made from something else.
        """
        settings = recorded_options(self.options)
        if self.options.preview is not None:
            settings["preview"] = True
        request = describe_request(self.inputs, settings, self.options.formats, self._entries)
        self.folder.refuse_other(request)
        return request

    def begin(self, given: Predictor | None, progress: Progress) -> Predictor:
        """Begin the render, or continue it, with the predictor ``given`` or the options' own; returns that.

        Raises OutputError where the folder's render was made from or with something else.
        """
        request = self.refuse_other()
        followed = follow_record(self.options, self.folder.path)
        predictor = given or self.load(progress)
        try:
            self.folder.begin(request | self.describe_network(predictor, given is not None))
        except OutputError:
            # Another machine may have begun the render while this one loaded the network.
            if given is not None or follow_record(self.options, self.folder.path) == followed:
                raise
            predictor = self.load(progress)
            self.folder.begin(request | self.describe_network(predictor, given=False))
        return predictor

    def describe_network(self, predictor: Predictor, given: bool) -> dict[str, Any]:
        """The rest of `howard.json`."""
        return describe_network(predictor, None if given else str(self.options.weights))

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

    def finisher(self, predictor: Predictor) -> FrameFinisher:
        """Makes final pixels, at the outputs' depths, of the mattes of ``predictor``."""
        pictures = (each.writer for each in self.outputs if each.content is not Content.SHADOW)
        depths = tuple(dict.fromkeys(writer.dtype for writer in pictures))
        return FrameFinisher(finish_settings(self.options, predictor, depths), str(predictor.device))

    def writer(self, predictor: Predictor) -> FrameWriter:
        """Writes the frames that :meth:`finisher` makes."""
        return FrameWriter(
            self.folder,
            self.outputs,
            linear_light=predictor.metadata.mixing == "linear",
            casts_shadow=self.options.shadow,
        )

    def deliver(
        self,
        mattes: Callable[[list[int]], Generator[MattedFrame]],
        predictor: Predictor,
        numbers: Sequence[int],
        report: ProgressCallback,
        sampler: Sampler | None = None,
    ) -> int:
        """Write the missing ones of the frames ``numbers``; see :func:`howard.pipeline.deliver`."""
        return deliver(
            numbers,
            mattes,
            self.finisher(predictor),
            self.writer(predictor),
            background=self.inputs.background,
            half_frame=1 / (2 * self.inputs.shot.info.frame_rate),
            report=report,
            sampler=sampler,
        )

    def survey_plate(self, progress: Progress) -> PlateSurvey:
        """Begin to index the plate, or for a preview to search parts of it; to be used as a context manager."""
        is_sparse = self.options.preview is not None
        return PlateSurvey(self.inputs.plate, progress, sparse=is_sparse, cache=default_cache_folder())

    def mattes(
        self,
        survey: PlateSurvey,
        predictor: Predictor,
        numbers: Sequence[int],
        *,
        validity: ValidityFinder | None = None,
    ) -> Generator[MattedFrame]:
        """The mattes of the frames ``numbers``; see :func:`howard.pipeline.matte_clip`."""
        return matte_clip(
            self.inputs,
            survey,
            predictor,
            numbers,
            quality=self.options.quality,
            subject=self.options.subject,
            workers=self.options.threads,
            validity=validity,
        )


@contextmanager
def open_render(
    source: str | Path, plate: PlatePaths, output: str | Path | None, options: RenderOptions, progress: Progress
) -> Iterator[OpenedRender]:
    """Open the files of a render for as long as the context lasts; arguments as :func:`howard.remove_background`.

    Raises HowardErrors where files cannot be read, settings do not go together or the folder is not ours.
    """
    ending = ""
    if options.preview is not None:
        options, ending = replace(options, frames=options.preview, restart=True), "_preview"

    def open_folder(path: str | Path) -> RenderFolder:
        return RenderFolder(f"{path}{ending}", options.overwrite, options.restart)

    folder = None if output is None else open_folder(output)
    with open_inputs(source, plate, options, progress) as inputs:
        shot = inputs.shot.info
        folder = folder or open_folder(default_folder(shot.name, options.formats))
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
    return load_matting(options.weights, options.device, options.precision, augmented=augmented)
