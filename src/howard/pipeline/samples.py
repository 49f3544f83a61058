"""Pictures of a few frames, kept beside a render while it is made, so that its report can show them.

A sampled frame has a folder of its own, ``howard.samples/NUMBER``, with small pictures and ``sample.json``, which is
written last: a folder without it is not whole. A frame's pictures must be saved before its line in the sidecar, or a
render that is killed in between would go on without them.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from howard.errors import OutputError
from howard.media import to_depth, write_whole
from howard.media.files import clear_leftovers, make_folder
from howard.pipeline.frames import FinishedFrame, MatteDetail, MattedFrame
from howard.pipeline.sample_pictures import (
    crop_around,
    draw_patches,
    draw_plate,
    draw_residual,
    encode_picture,
    over_grey,
    reduce_cut_out,
    reduce_picture,
    to_heat,
    to_levels,
)
from howard.render_record import SAMPLE_FACTS, SAMPLES

# Frames sampled whatever they came out as, and parts of a render of which each has one weak frame sampled.
_MOST = 8
# Long sides, in pixels: of the pictures to be compared, of the others, and of thumbnails.
_LARGE, _SMALL, _THUMBNAIL = 1280, 800, 200
# What the hottest colour stands for: levels between source and plate, and error of alpha.
_HOTTEST_LEVELS = 40.0
_HOTTEST_ERROR = 0.5


def sample_numbers(numbers: Sequence[int]) -> set[int]:
    """The frames of a render of ``numbers``, in order, that are always sampled: eight, from first to last."""
    count = min(_MOST, len(numbers))
    last = len(numbers) - 1
    return {numbers[round(step * last / max(count - 1, 1))] for step in range(count)}


class Sampler:
    """Chooses a few frames of a render of ``numbers``, to save their pictures into the render's ``folder``."""

    def __init__(self, folder: Path, numbers: Sequence[int]) -> None:
        self._folder = folder
        self._numbers = numbers
        self._regular = sample_numbers(numbers)
        # Chosen in this run; not all of them are saved yet.
        self._chosen: set[int] = set()

    def wants(self, number: int, is_weak: bool) -> bool:
        """Whether frame ``number`` is to be sampled.

        So are the frames of `sample_numbers`, and of each eighth of the render the first that is weak or failed.
        """
        if number in self._regular or not is_weak:
            return number in self._regular
        part = _MOST * self._numbers.index(number) // len(self._numbers)
        start = -(-part * len(self._numbers) // _MOST)
        before = range(self._numbers[start], number)
        sampled = self._chosen.union(_sampled(self._folder))
        return not any(other in before and other not in self._regular for other in sampled)

    def choose(self, frame: MattedFrame, finished: FinishedFrame) -> Callable[[], None] | None:
        """A function that saves the pictures of a frame, if it is one of the few; to be called from any thread.

        Frames must come in order. What explains a frame is computed when the function is called, and copied from the
        network's device; the function raises OutputError where the pictures cannot be written.
        """
        record, explain = finished.record, frame.explain
        if explain is None or not self.wants(record.number, record.status != "good"):
            return None
        self._chosen.add(record.number)
        return lambda: save_sample(self._folder, finished, frame.detail, explain())


def save_sample(folder: Path, frame: FinishedFrame, detail: MatteDetail, explanation: np.ndarray) -> None:
    """Save the pictures of a frame into the render's ``folder``.

    ``detail`` is what the frame's matte was made from, ``explanation`` the picture that
    :func:`howard.align.draw_explanation` made of its alignment, (h, w, 3) uint8 RGB. Raises OutputError where the
    pictures cannot be written.
    """
    target = folder / SAMPLES / f"{frame.source.number:04d}"
    make_folder(target)
    source, plate = (to_depth(image, np.uint8) for image in (frame.source.image, frame.plate.image))
    rgba = to_depth(frame.main_rgba, np.uint8)
    alpha = np.ascontiguousarray(rgba[..., 3])
    coarse, error, refined = _full_size(detail, (alpha.shape[0], alpha.shape[1]))
    # The most telling part: what refinement changed, or else what the coarse network was least sure of.
    change = cv2.absdiff(alpha, coarse)
    crop = crop_around(change if change.max() > 1 else error)
    cut_out = reduce_cut_out(rgba, _LARGE)
    covered, patched, apart = (
        reduce_picture(image, _SMALL) for image in (frame.plate.coverage, refined, cv2.absdiff(source, plate))
    )
    pictures = {
        "source": reduce_picture(source, _LARGE),
        "cutout": cut_out,
        "thumbnail": over_grey(reduce_cut_out(cut_out, _THUMBNAIL)),
        "plate": draw_plate(reduce_picture(plate, _SMALL), covered),
        "residual": draw_residual(apart, covered, _HOTTEST_LEVELS),
        "alpha": reduce_picture(alpha, _SMALL),
        "coarse": reduce_picture(coarse, _SMALL),
        "error": reduce_picture(to_heat(detail.error / _HOTTEST_ERROR), _SMALL),
        "refined": draw_patches(reduce_picture(source, _SMALL), patched / np.float32(255)),
        "crop_source": crop.of(source),
        "crop_coarse": crop.of(coarse),
        "crop_refined": crop.of(alpha),
        "explanation": reduce_picture(explanation, _LARGE),
    }
    files = {target / f"{name}.webp": picture for name, picture in pictures.items()}
    clear_leftovers([*files, target / SAMPLE_FACTS])
    for file, picture in files.items():
        write_whole(file, encode_picture(picture))
    facts = {
        "crop": crop._asdict(),
        "coarse_size": detail.alpha.shape[::-1],
        "refined": round(float(detail.refined.mean()), 5),
        "plate_weights": [round(float(weight), 4) for weight in frame.plate.plate_weights],
    }
    write_whole(target / SAMPLE_FACTS, (json.dumps(facts) + "\n").encode())


def clear_samples(folder: Path) -> None:
    """Remove the samples that an earlier render left in ``folder``; for a render that starts over."""
    for number in list(_sampled(folder)):
        stale = folder / SAMPLES / f"{number:04d}"
        try:
            shutil.rmtree(stale)
        except OSError as error:
            raise OutputError(f"{stale} cannot be removed ({error.strerror}); remove it by hand") from error


def _sampled(folder: Path) -> Iterator[int]:
    """Numbers of the frames that have a sample, whole or not."""
    samples = folder / SAMPLES
    names = (entry.name for entry in samples.iterdir()) if samples.is_dir() else ()
    return (int(name) for name in names if name.isdecimal())


def _full_size(detail: MatteDetail, shape: tuple[int, int]) -> MatteDetail:
    """The parts of a detail at the size of the picture, ``shape`` (H, W), as uint8."""
    padded = detail.padded_size(shape)
    # Patches keep their edges.
    kinds = cv2.INTER_LINEAR, cv2.INTER_LINEAR, cv2.INTER_NEAREST
    enlarged = (
        cv2.resize(to_levels(part), padded, interpolation=kind) for part, kind in zip(detail, kinds, strict=True)
    )
    return MatteDetail(*(part[: shape[0], : shape[1]] for part in enlarged))
