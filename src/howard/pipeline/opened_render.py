"""A render whose settings are checked and whose files are open, before anything slow is loaded or written."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from howard.align import ValidityFinder, default_cache_folder
from howard.errors import OutputError, SettingsError
from howard.media import choose_frames
from howard.options import PlatePaths, RenderOptions, recorded_options
from howard.pipeline.frame_streams import matte_clip
from howard.pipeline.frame_writer import FrameWriter, write_frames
from howard.pipeline.inputs import Inputs, open_inputs
from howard.pipeline.outputs import Content, Output, choose_outputs, describe_output, refuse_overwriting_inputs
from howard.pipeline.pipeline_types import MattedFrame, Predictor
from howard.pipeline.plate_indexing import PlateIndexer
from howard.pipeline.render_folder import RenderFolder, default_folder
from howard.pipeline.samples import SampleSelector
from howard.pipeline.sidecar import describe_network, describe_request, use_recorded_device
from howard.progress import Progress, ProgressCallback
from howard.quality import QUALITIES

if TYPE_CHECKING:
    from howard.pipeline.frame_finisher import FrameFinisher


class OpenedRender(NamedTuple):
    """What a render reads and writes: ``numbers`` are the frames asked for, ``outputs`` are written to ``folder``."""

    options: RenderOptions
    inputs: Inputs
    numbers: Sequence[int]
    outputs: Sequence[Output]
    folder: RenderFolder

    @property
    def not_carried(self) -> tuple[str, ...]:
        """What of the shot the outputs cannot hold, without duplicates."""
        return tuple(dict.fromkeys(name for entry in self._entries for name in entry["not_carried"]))

    @property
    def colour_notes(self) -> tuple[str, ...]:
        """How HDR or a wide gamut was converted in the outputs' files; different notes are given with their files."""
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

    def refuse_other_render(self) -> dict[str, Any]:
        """The sections of `howard.json` that are known without the network.

        Raises OutputError, naming the settings, if the folder holds a render that was made from something else.
        """
        settings = recorded_options(self.options)
        if self.options.preview is not None:
            settings["preview"] = True
        request = describe_request(self.inputs, settings, self.options.formats, self._entries)
        self.folder.refuse_other_render(request)
        return request

    def begin(self, given: Predictor | None, progress: Progress) -> Predictor:
        """Begin or continue the render with ``given``, or with the options' network if None; returns the predictor.

        Raises OutputError if the folder holds a render that was made from or with something else.
        """
        request = self.refuse_other_render()
        resolved = use_recorded_device(self.options, self.folder.path)
        predictor = given or self.load(progress)
        try:
            self.folder.begin(request | self.describe_network(predictor, given is not None))
        except OutputError:
            # Another machine may have begun the render while this one loaded the network.
            if given is not None or use_recorded_device(self.options, self.folder.path) == resolved:
                raise
            predictor = self.load(progress)
            self.folder.begin(request | self.describe_network(predictor, given=False))
        return predictor

    def describe_network(self, predictor: Predictor, given: bool) -> dict[str, Any]:
        """The remaining sections of `howard.json`."""
        return describe_network(predictor, None if given else str(self.options.weights))

    def load(self, progress: Progress) -> Predictor:
        """Load the options' network; ``auto`` becomes the device and precision with which the render was begun."""
        resolved = use_recorded_device(self.options, self.folder.path)
        try:
            return load_predictor(resolved, progress)
        except SettingsError as error:
            if resolved == self.options:
                raise
            raise OutputError(
                f"{self.folder.path} was begun with device={resolved.device} precision={resolved.precision}, which "
                "this machine lacks; continue on one that has it, or choose another folder"
            ) from error

    def finisher(self, predictor: Predictor) -> "FrameFinisher":
        """Computes final pixels, at the outputs' depths, from mattes of ``predictor``."""
        # Importing torch takes seconds: only after the settings have been checked.
        from howard.pipeline.frame_finisher import FrameFinisher, compose_settings

        with_pixels = (each.writer for each in self.outputs if each.content is not Content.SHADOW)
        depths = tuple(dict.fromkeys(writer.dtype for writer in with_pixels))
        return FrameFinisher(compose_settings(self.options, predictor, depths), str(predictor.device))

    def writer(self, predictor: Predictor) -> FrameWriter:
        """Writes the frames that :meth:`finisher` computes."""
        return FrameWriter(
            self.folder,
            self.outputs,
            linear_light=predictor.metadata.mixing == "linear",
            casts_shadow=self.options.shadow,
        )

    def write(
        self,
        mattes: Callable[[list[int]], Generator[MattedFrame]],
        predictor: Predictor,
        numbers: Sequence[int],
        on_frame_done: ProgressCallback,
        samples: SampleSelector | None = None,
    ) -> int:
        """Write the frames of ``numbers`` that are missing; see :func:`howard.pipeline.frame_writer.write_frames`."""
        return write_frames(
            numbers,
            mattes,
            self.finisher(predictor),
            self.writer(predictor),
            background=self.inputs.background,
            half_frame=1 / (2 * self.inputs.shot.info.frame_rate),
            on_frame_done=on_frame_done,
            samples=samples,
        )

    def index_plate(self, progress: Progress) -> PlateIndexer:
        """Begin to index the plate (for a preview, to search parts of it); to be used as a context manager."""
        is_sparse = self.options.preview is not None
        return PlateIndexer(self.inputs.plate, progress, sparse=is_sparse, cache=default_cache_folder())

    def mattes(
        self,
        indexer: PlateIndexer,
        predictor: Predictor,
        numbers: Sequence[int],
        *,
        validity: ValidityFinder | None = None,
    ) -> Generator[MattedFrame]:
        """The frames ``numbers`` with their mattes; see :func:`howard.pipeline.matte_clip`."""
        return matte_clip(
            self.inputs,
            indexer,
            predictor,
            numbers,
            quality=self.options.quality,
            subject=self.options.subject,
            workers=self.options.threads,
            validity=validity,
            edges=self.options.edges,
            window=self.options.window,
        )


@contextmanager
def open_render(
    source: str | Path, plate: PlatePaths, output: str | Path | None, options: RenderOptions, progress: Progress
) -> Iterator[OpenedRender]:
    """Open the files of a render for the duration of the context; arguments as in :func:`howard.remove_background`.

    Raises a HowardError if files cannot be read, settings contradict one another or the folder is not Howard's.
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
        refuse_overwriting_inputs(outputs, numbers, inputs.clips)
        yield OpenedRender(options, inputs, numbers, outputs, folder)


def load_predictor(options: RenderOptions, progress: Progress) -> Predictor:
    """Load the network of the options' weights onto their device."""
    progress.step("network", f"loading the network, weights {options.weights}", weights=str(options.weights))
    # Importing torch takes seconds: only after everything else has been checked.
    from howard.matting import load_matting

    augmented = QUALITIES[options.quality].augmented
    return load_matting(options.weights, options.device, options.precision, augmented=augmented)
