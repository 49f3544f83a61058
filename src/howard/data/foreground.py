"""Foreground colours for people of whom only photo and mask are published, as in P3M-10k and AIM-500."""

import cv2
import numpy as np

from howard.data.people import Photo
from howard.data.pictures import read_picture
from howard.errors import InputError, SettingsError
from howard.media import write_whole
from howard.media.files import make_folder


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
