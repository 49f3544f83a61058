"""Estimates the foreground colours of people published as photos and masks only, as in P3M-10k and AIM-500."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

import cv2
import numpy as np

from howard.data.image_files import read_image
from howard.data.people_collections import Photo, check_same_size
from howard.errors import SettingsError
from howard.images import to_uint8
from howard.machine import count_cores, count_free_memory
from howard.media import write_atomically
from howard.media.files import make_folder
from howard.operating_system import set_interrupt_handler

# Bytes reserved per process: 1.3 GiB were measured for a photo of 12 megapixels.
_BYTES_PER_PROCESS = 2 * 2**30


def write_foregrounds(
    photos: Sequence[Photo], processes: int, progress: Callable[[int, int], None] = lambda done, total: None
) -> None:
    """Estimate and write the foreground colours of photos. After an error, running estimations are completed.

    Args:
        photos: which photos.
        processes: number of processes; 1 works in the calling process.
        progress: called with the number of photos done and the number of all.

    Raises:
        HowardError: as :func:`write_foreground`, for the first photo that fails.
    """
    if processes == 1:
        for done, photo in enumerate(photos, start=1):
            write_foreground(photo)
            progress(done, len(photos))
        return
    # Processes, because numba's threads must not be entered from several Python threads; spawned instead of forked,
    # because numba and OpenCV may have started threads already.
    with ProcessPoolExecutor(processes, get_context("spawn"), _init_worker) as pool:
        try:
            jobs = [pool.submit(write_foreground, photo) for photo in photos]
            for done, job in enumerate(as_completed(jobs), start=1):
                job.result()
                progress(done, len(photos))
        finally:
            pool.shutdown(cancel_futures=True)


def choose_process_count(photos: int) -> int:
    """The number of processes for this many photos: at most one per core, and as many as fit into memory."""
    free = count_free_memory()
    fitting = photos if free is None else free // _BYTES_PER_PROCESS
    return max(1, min(photos, count_cores(), fitting))


def _init_worker() -> None:
    set_interrupt_handler(lambda number, frame: None)  # Ctrl-C ends the parent process, which ends this one
    os.environ["NUMBA_NUM_THREADS"] = "1"  # must be set before numba is imported
    cv2.setNumThreads(1)


def write_foreground(photo: Photo) -> None:
    """Estimate and write the foreground colours of one photo. The file is written atomically.

    Raises:
        InputError: photo or mask cannot be read, or they differ in size.
        OutputError: the output folder cannot be written to.
        SettingsError: pymatting is not installed.
    """
    image, alpha = read_image(photo.photo), read_image(photo.alpha, grey=True)
    check_same_size(photo.photo, image, photo.alpha, alpha)
    make_folder(photo.foreground.parent)
    colours = estimate_foreground(image, alpha)
    _, code = cv2.imencode(".png", cv2.cvtColor(colours, cv2.COLOR_RGB2BGR))
    write_atomically(photo.foreground, code.tobytes())


def estimate_foreground(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The straight foreground colours of a photo, extended over the whole image.

    T. Germer et al., "Fast Multi-Level Foreground Estimation", ICPR 2020.

    Args:
        image: (H, W, 3) uint8 RGB.
        alpha: (H, W) uint8.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        SettingsError: pymatting is not installed.
    """
    try:
        # Imported here because it is slow to load and not needed for training.
        from pymatting import estimate_foreground_ml
    except ImportError as error:
        raise SettingsError("foreground= needs the package pymatting; install howard[train]") from error
    return to_uint8(np.asarray(estimate_foreground_ml(image / 255, alpha / 255)))
