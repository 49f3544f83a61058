"""Miniature copies of published data sets, laid out as their archives unpack."""

from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np

SIZE = (40, 30)  # height, width
# So many stills that the split by name leaves some for validation.
STILLS = 30


def person(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A soft disc of one colour: (H, W, 3) and (H, W) uint8."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    alpha = np.clip(0.5 + (9 + seed % 3 - np.hypot(rows - 20, columns - 15)) / 3, 0, 1)
    colour = np.random.default_rng(seed).integers(0, 256, 3)
    return np.full((*SIZE, 3), colour, np.uint8), np.rint(255 * alpha).astype(np.uint8)


def photo(seed: int) -> np.ndarray:
    """The person before a grey wall, (H, W, 3) uint8."""
    colour, alpha = person(seed)
    share = alpha[..., None] / 255
    return np.rint(share * colour + (1 - share) * 120).astype(np.uint8)


def write(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture)


def write_video(path: Path, frames: list[np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.height, stream.width = SIZE
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


def videomatte_frames(folder: Path) -> None:
    """train/fgr/0000/00000.jpg beside train/pha/0000/00000.jpg; test alike; no validation."""
    for side, clips in (("train", 3), ("test", 1)):
        for clip in range(clips):
            for frame in range(2):
                colour, alpha = person(10 * clip + frame)
                write(folder / side / "fgr" / f"{clip:04d}" / f"{frame:05d}.jpg", colour)
                write(folder / side / "pha" / f"{clip:04d}" / f"{frame:05d}.jpg", alpha)


def videomatte_videos(folder: Path) -> None:
    """train/fgr/0000.mp4 beside train/pha/0000.mp4; test alike; no validation."""
    for side, clips in (("train", 2), ("test", 1)):
        for clip in range(clips):
            colour, alpha = person(clip)
            write_video(folder / side / "fgr" / f"{clip:04d}.mp4", [colour] * 3)
            write_video(folder / side / "pha" / f"{clip:04d}.mp4", [np.repeat(alpha[..., None], 3, axis=2)] * 3)


def p3m(folder: Path) -> None:
    """Photos and masks, of faces blurred or not; two sets for validation, with trimaps."""
    for part, photos in (
        ("train", "blurred_image"),
        ("validation/P3M-500-P", "blurred_image"),
        ("validation/P3M-500-NP", "original_image"),
    ):
        for number in range(3):
            write(folder / part / photos / f"p_{number:08x}.jpg", photo(number))
            write(folder / part / "mask" / f"p_{number:08x}.png", person(number)[1])
            if part != "train":
                write(folder / part / "trimap" / f"p_{number:08x}.png", person(number)[1])


def aim(folder: Path) -> None:
    """Photos, masks, trimaps and unified trimaps side by side, on no side of a split."""
    for number in range(STILLS):
        write(folder / "original" / f"o_{number:08x}.jpg", photo(number))
        for kind in ("mask", "trimap", "usr"):
            write(folder / kind / f"o_{number:08x}.png", person(number)[1])


def distinctions(folder: Path) -> None:
    """Train and Test with FG and GT, in capitals, and lists of backgrounds beside them; names have parentheses."""
    for side, count in (("Train", 4), ("Test", 2)):
        for number in range(count):
            colour, alpha = person(number)
            write(folder / side / "FG" / f"13({number}).png", colour)
            write(folder / side / "GT" / f"13({number}).png", alpha)
        names = "\r\n".join(f"COCO_train2014_{number:012d}.jpg" for number in range(3))
        (folder / side / f"bg_{side.lower()}.txt").write_text(names)


def photomatte(folder: Path) -> None:
    """PNG files of colour and alpha, nothing else."""
    for number in range(STILLS):
        colour, alpha = person(number)
        write(folder / f"{number:04d}Q_000001_{number:04d}.png", np.dstack([colour, alpha]))


def backgrounds(folder: Path) -> None:
    """Pictures to train on, none for validation."""
    for number in range(4):
        low = np.random.default_rng(number).integers(0, 256, (5, 7, 3), dtype=np.uint8)
        write(folder / "train" / f"{number}.jpg", cv2.resize(low, (120, 90), interpolation=cv2.INTER_CUBIC))


# By the name that the documentation gives to its folder.
PUBLISHED: dict[str, Callable[[Path], None]] = {
    "VideoMatte240K": videomatte_frames,
    "P3M-10k": p3m,
    "AIM-500": aim,
    "Distinctions-646": distinctions,
    "PhotoMatte85": photomatte,
    "PhotoMatte13K": photomatte,
}
