"""Images of a few sampled frames, saved during a render for its report.

A sampled frame has a folder, ``howard.samples/NUMBER``, with small images and ``sample.json``, which is written last:
a folder without it is incomplete. A frame's images must be saved before its line in the journal; otherwise a render
that is killed in between would be continued without them.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from howard.errors import OutputError
from howard.images import shrink_to, to_uint8
from howard.media import to_depth, write_atomically
from howard.media.files import make_folder, remove_temporary_files
from howard.pipeline.pipeline_types import FinishedFrame, MatteDetail, MattedFrame
from howard.pipeline.sample_images import (
    composite_over_grey,
    crop_around,
    encode_webp,
    render_patches,
    render_plate,
    render_residual,
    shrink_rgba_to,
    to_heat_map,
)
from howard.render_record import SAMPLE_FACTS, SAMPLES

# Frames that are always sampled; also the number of sections of a render, each with one weak frame sampled.
_SAMPLE_COUNT = 8
# Long side in pixels of the images that the report compares.
_LARGE = 1280
# Long side in pixels of the other images.
_SMALL = 800
# Long side in pixels of thumbnails.
_THUMBNAIL = 200
# 8-bit levels between source and plate at which the heat map's last colour is reached.
_MAX_HEAT_LEVELS = 40.0
# Error of alpha at which the heat map's last colour is reached.
_MAX_HEAT_ERROR = 0.5


def sample_numbers(numbers: Sequence[int]) -> set[int]:
    """The frames of a render of ``numbers``, sorted, that are always sampled: eight, evenly spaced."""
    count = min(_SAMPLE_COUNT, len(numbers))
    last = len(numbers) - 1
    return {numbers[round(step * last / max(count - 1, 1))] for step in range(count)}


class SampleSelector:
    """Selects a few frames of a render of ``numbers``, whose images are saved in the render's ``folder``."""

    def __init__(self, folder: Path, numbers: Sequence[int]) -> None:
        self._folder = folder
        self._numbers = numbers
        self._regular = sample_numbers(numbers)
        # Selected in this run; not all of them are saved yet.
        self._selected: set[int] = set()

    def wants(self, number: int, is_weak: bool) -> bool:
        """Whether to sample frame ``number``: one of `sample_numbers`, or the first weak or failed of its section.

        There are eight sections of equal length.
        """
        if number in self._regular or not is_weak:
            return number in self._regular
        section = _SAMPLE_COUNT * self._numbers.index(number) // len(self._numbers)
        start = -(-section * len(self._numbers) // _SAMPLE_COUNT)
        before = range(self._numbers[start], number)
        sampled = self._selected.union(_sampled(self._folder))
        return not any(other in before and other not in self._regular for other in sampled)

    def select(self, frame: MattedFrame, finished: FinishedFrame) -> Callable[[], None] | None:
        """A function that saves the images of a frame, if it is to be sampled; it may be called from any thread.

        Frames must come in order. The function computes the images, which copies from the network's device, and raises
        OutputError if they cannot be written.
        """
        record, explain = finished.record, frame.explain
        if explain is None or not self.wants(record.number, record.status != "good"):
            return None
        self._selected.add(record.number)
        return lambda: save_sample(self._folder, finished, frame.detail, explain())


def save_sample(folder: Path, frame: FinishedFrame, detail: MatteDetail, explanation: np.ndarray) -> None:
    """Save the images of a frame in the render's ``folder``.

    ``detail`` holds the network's intermediate results for the frame; ``explanation``, (h, w, 3) uint8 RGB, is the
    image of its alignment from :func:`howard.align.render_explanation`. Raises OutputError if the images cannot be
    written.
    """
    target = folder / SAMPLES / f"{frame.source.number:04d}"
    make_folder(target)
    source, plate = (to_depth(image, np.uint8) for image in (frame.source.image, frame.plate.image))
    rgba = to_depth(frame.main_rgba, np.uint8)
    alpha = np.ascontiguousarray(rgba[..., 3])
    coarse, error, refined = _full_size(detail, (alpha.shape[0], alpha.shape[1]))
    # Show where refinement changed most, or, if it changed nothing, where the estimated error is largest.
    change = cv2.absdiff(alpha, coarse)
    crop = crop_around(change if change.max() > 1 else error)
    cut_out = shrink_rgba_to(rgba, _LARGE)
    coverage, patches, difference = (
        shrink_to(image, _SMALL) for image in (frame.plate.coverage, refined, cv2.absdiff(source, plate))
    )
    images = {
        "source": shrink_to(source, _LARGE),
        "cutout": cut_out,
        "thumbnail": composite_over_grey(shrink_rgba_to(cut_out, _THUMBNAIL)),
        "plate": render_plate(shrink_to(plate, _SMALL), coverage),
        "residual": render_residual(difference, coverage, _MAX_HEAT_LEVELS),
        "alpha": shrink_to(alpha, _SMALL),
        "coarse": shrink_to(coarse, _SMALL),
        "error": shrink_to(to_heat_map(detail.error / _MAX_HEAT_ERROR), _SMALL),
        "refined": render_patches(shrink_to(source, _SMALL), patches / np.float32(255)),
        "crop_source": crop.of(source),
        "crop_coarse": crop.of(coarse),
        "crop_refined": crop.of(alpha),
        "explanation": shrink_to(explanation, _LARGE),
    }
    files = {target / f"{name}.webp": image for name, image in images.items()}
    remove_temporary_files([*files, target / SAMPLE_FACTS])
    for file, image in files.items():
        write_atomically(file, encode_webp(image))
    facts = {
        "crop": crop._asdict(),
        "coarse_size": detail.alpha.shape[::-1],
        "refined": round(float(detail.refined.mean()), 5),
        "plate_weights": [round(float(weight), 4) for weight in frame.plate.plate_weights],
    }
    write_atomically(target / SAMPLE_FACTS, (json.dumps(facts) + "\n").encode())


def clear_samples(folder: Path) -> None:
    """Remove the samples of an earlier render from ``folder``, before a render that starts over."""
    for number in list(_sampled(folder)):
        stale = folder / SAMPLES / f"{number:04d}"
        try:
            shutil.rmtree(stale)
        except OSError as error:
            raise OutputError(f"{stale} cannot be removed ({error.strerror}); remove it by hand") from error


def _sampled(folder: Path) -> Iterator[int]:
    """Numbers of the frames that have a sample, complete or not."""
    samples = folder / SAMPLES
    names = (entry.name for entry in samples.iterdir()) if samples.is_dir() else ()
    return (int(name) for name in names if name.isdecimal())


def _full_size(detail: MatteDetail, shape: tuple[int, int]) -> MatteDetail:
    """``detail`` resized to the frame's size, ``shape`` (H, W), as uint8."""
    padded = detail.padded_size(shape)
    # Patches keep their sharp borders.
    modes = cv2.INTER_LINEAR, cv2.INTER_LINEAR, cv2.INTER_NEAREST
    enlarged = (
        cv2.resize(to_uint8(part), padded, interpolation=mode) for part, mode in zip(detail, modes, strict=True)
    )
    return MatteDetail(*(part[: shape[0], : shape[1]] for part in enlarged))
