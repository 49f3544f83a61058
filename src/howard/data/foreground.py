"""Foreground colours for people of whom only photo and mask are published, as in P3M-10k and AIM-500."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

import cv2
import numpy as np

from howard.data.people import Photo
from howard.data.pictures import read_picture
from howard.errors import InputError, SettingsError
from howard.machine import count_cores, count_free_memory
from howard.media import write_whole
from howard.media.files import make_folder
from howard.operating_system import set_interrupt_handler

# Bytes set aside for a process: for a photo of 12 megapixels it was measured to need 1.3 GiB.
_BYTES_OF_A_PROCESS = 2 * 2**30


def make_foregrounds(
    photos: Sequence[Photo], processes: int, progress: Callable[[int, int], None] = lambda done, total: None
) -> None:
    """Write the foreground colours of photos, several at a time; after an error those that were begun are finished.

    Args:
        photos: which.
        processes: how many work side by side; 1 works in this one.
        progress: told how many photos of how many are done.

    Raises:
        HowardError: as :func:`make_foreground`, of the first photo that fails.
    """
    if processes == 1:
        for done, photo in enumerate(photos, start=1):
            make_foreground(photo)
            progress(done, len(photos))
        return
    # Processes, since numba's threads may not be entered from several of Python's; not forked, since numba and OpenCV
    # have threads of their own by now.
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin_worker) as pool:
        try:
            jobs = [pool.submit(make_foreground, photo) for photo in photos]
            for done, job in enumerate(as_completed(jobs), start=1):
                job.result()
                progress(done, len(photos))
        finally:
            pool.shutdown(cancel_futures=True)


def choose_processes(photos: int) -> int:
    """As many processes as there are cores, photos, and memory for."""
    free = count_free_memory()
    room = photos if free is None else free // _BYTES_OF_A_PROCESS
    return max(1, min(photos, count_cores(), room))


def _begin_worker() -> None:
    set_interrupt_handler(lambda number, frame: None)  # Ctrl-C ends the process that waits for this one
    os.environ["NUMBA_NUM_THREADS"] = "1"  # before numba is loaded
    cv2.setNumThreads(1)


def make_foreground(photo: Photo) -> None:
    """Write the foreground colours of one photo; the file appears whole or not at all.

    Raises:
        InputError: photo or mask cannot be read, or they differ in size.
        OutputError: the place to write to cannot be used.
        SettingsError: pymatting is not installed.
    """
    picture, alpha = read_picture(photo.photo), read_picture(photo.alpha, grey=True)
    if picture.shape[:2] != alpha.shape:
        sizes = ["x".join(map(str, image.shape[1::-1])) for image in (picture, alpha)]
        raise InputError(f"{photo.photo} is {sizes[0]} but {photo.alpha} is {sizes[1]}; they must be of one size")
    make_folder(photo.foreground.parent)
    colours = estimate_foreground(picture, alpha)
    _, code = cv2.imencode(".png", cv2.cvtColor(colours, cv2.COLOR_RGB2BGR))
    write_whole(photo.foreground, code.tobytes())


def estimate_foreground(picture: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """A person's straight colours, everywhere: (H, W, 3) uint8, of a photo (H, W, 3) and its alpha (H, W), both uint8.

    T. Germer et al., "Fast Multi-Level Foreground Estimation", ICPR 2020. Raises SettingsError without pymatting.
    """
    try:
        # Slow to load, and not needed to train.
        from pymatting import estimate_foreground_ml
    except ImportError as error:
        raise SettingsError("foreground= needs the package pymatting; install howard[train]") from error
    estimated = np.asarray(estimate_foreground_ml(picture / 255, alpha / 255))
    return np.rint(255 * estimated.clip(0, 1)).astype(np.uint8)
