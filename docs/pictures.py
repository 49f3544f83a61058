"""Makes the README's pictures of finished renders: ``python run.py demo``, then ``python docs/pictures.py``.

``strip_CLIP.webp`` shows shot, plate, matte and the person in another place; ``wipe_CLIP.webp`` plays the clip forwards
and backwards while the place is exchanged from left to right. The new place is a rendered room of data/sample, turned
with the shot's camera. ``--clips FOLDER`` makes ``strips_FOLDER.webp`` instead: strips of all clips in the folder, of
their renders ``renders/CLIP``.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from howard.colour import mix
from howard.errors import HowardError, InputError
from howard.evaluation.predictions import Cutout, matte_files, read_cutout
from howard.evaluation.true_clip import TrueClip, find_clips
from howard.images import to_depth
from howard.media import open_reader, read_still

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / "data" / "sample" / "places" / "r0032_02_src.jpg"
# Widths in pixels of a strip's pictures and the space between them, and of the animation.
PANEL, GAP, WIPE = 400, 8, 560
LINE = 3  # width in pixels of the line between both places
STEP = 2  # every second frame is shown
FRAME_MS = 83
# Enlargement of the new place, so that it covers the frame when it is turned, and its defocus in pixels at 1280.
MARGIN, DEFOCUS = 1.25, 2.0
STRIP_QUALITY, WIPE_QUALITY = 85, 70


def new_place(clip: TrueClip, index: int, size: tuple[int, int]) -> np.ndarray:
    """The new place, (H, W, 3) float32 sRGB in [0, 1], as a camera sees it that turns like the shot's.

    ``size`` is (W, H).
    """
    picture = to_depth(read_still(PLACE), np.float32)
    matrix = turning_homography(clip, index) @ fitting_matrix((picture.shape[1], picture.shape[0]), size)
    warped = cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return cv2.GaussianBlur(warped, (0, 0), DEFOCUS * size[0] / 1280)


def fitting_matrix(picture: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """The 3x3 matrix that enlarges a picture (W, H) to `MARGIN` times a frame (W, H), about the frame's centre."""
    scale = MARGIN * max(size[0] / picture[0], size[1] / picture[1])
    shifts = [(size[axis] - scale * picture[axis]) / 2 for axis in (0, 1)]
    return np.array([[scale, 0, shifts[0]], [0, scale, shifts[1]], [0, 0, 1]])


def turning_homography(clip: TrueClip, index: int) -> np.ndarray:
    """3x3, pixels of the middle frame -> pixels of a frame, of a far background; identity without ``cameras.json``."""
    path = clip.folder / "cameras.json"
    if not path.is_file():
        return np.eye(3)
    cameras = json.loads(path.read_text(encoding="utf-8"))
    lens, poses = np.array(cameras["K"]), np.array(cameras["source"])
    # Blender's cameras look along -Z with y up, pixels have y down.
    axes = np.diag([1.0, -1.0, -1.0])
    turn = axes @ poses[index, :3, :3].T @ poses[len(poses) // 2, :3, :3] @ axes
    return lens @ turn @ np.linalg.inv(lens)


def composite(cutout: Cutout, place: np.ndarray, path: Path) -> np.ndarray:
    """The person over the new place, (H, W, 3) uint8; raises InputError if the matte has no colour."""
    if cutout.foreground is None:
        raise InputError(f"{path} has no colour; render the shot as format=png")
    return to_depth(mix(cutout.foreground, place, cutout.alpha[..., None]).astype(np.float32), np.uint8)


def frames(clip: TrueClip, files: list[Path]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Shot and composite of every `STEP`-th frame, (H, W, 3) uint8."""
    with open_reader(clip.shot) as shot:
        if len(shot) != len(files):
            raise InputError(f"{files[0].parent} has {len(files)} frames, {clip.shot} {len(shot)}; render all of them")
        for index in range(0, len(files), STEP):
            source = shot[index].image
            place = new_place(clip, index, source.shape[1::-1])
            yield source, composite(read_cutout(files[index]), place, files[index])


def make_strip(clip: TrueClip, files: list[Path], index: int) -> Image.Image:
    """Shot, plate, matte and composite of a frame, in a row on white."""
    with open_reader(clip.shot) as shot, open_reader(clip.plate) as plate:
        source, empty = shot[index].image, plate[round(index * (len(plate) - 1) / max(len(shot) - 1, 1))].image
    cutout = read_cutout(files[index])
    matte = np.repeat(to_depth(cutout.alpha, np.uint8)[..., None], 3, axis=2)
    result = composite(cutout, new_place(clip, index, source.shape[1::-1]), files[index])
    panels = [shrink(each, PANEL) for each in (source, empty, matte, result)]
    gap = np.full((panels[0].shape[0], GAP, 3), 255, np.uint8)
    return Image.fromarray(np.hstack([part for panel in panels for part in (panel, gap)][:-1]))


def make_wipe(clip: TrueClip, files: list[Path]) -> list[Image.Image]:
    """The animation's frames; the last one precedes the first."""
    pairs = [(shrink(source, WIPE), shrink(result, WIPE)) for source, result in frames(clip, files)]
    order = [*range(len(pairs)), *range(len(pairs) - 2, 0, -1)]
    return [wipe(*pairs[number], time / len(order)) for time, number in enumerate(order)]


def wipe(source: np.ndarray, result: np.ndarray, phase: float) -> Image.Image:
    """The new place left of a line, which is at the left edge at phase 0 and at the right one at 0.5."""
    width = source.shape[1]
    edge = round((0.5 - 0.5 * math.cos(2 * math.pi * phase)) * (width + LINE)) - LINE
    picture = source.copy()
    picture[:, : max(edge, 0)] = result[:, : max(edge, 0)]
    picture[:, max(edge, 0) : max(edge + LINE, 0)] = 255
    return Image.fromarray(picture)


def shrink(picture: np.ndarray, width: int) -> np.ndarray:
    """A picture (H, W, C) of that width in pixels."""
    height = round(picture.shape[0] * width / picture.shape[1])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def stack_strips(folder: Path, renders: Path, index: int) -> Image.Image:
    """The strips of all clips in a folder, one below the other on white; ``renders`` has a render named like each."""
    rows = []
    for clip in find_clips(folder):
        strip = np.asarray(make_strip(clip, matte_files(renders / clip.folder.name), index))
        rows += [strip, np.full((GAP, *strip.shape[1:]), 255, np.uint8)]
    return Image.fromarray(np.vstack(rows[:-1]))


def main() -> None:
    """Write the pictures and print their sizes."""
    parser = argparse.ArgumentParser(description="Makes the README's pictures of a finished render.")
    parser.add_argument("--clip", type=Path, default=ROOT / "data" / "sample", help="folder laid out like data/sample")
    parser.add_argument("--render", type=Path, default=ROOT / "renders" / "demo", help="its frames, as RGBA PNG files")
    parser.add_argument("--frame", type=int, default=12, help="of the strip, counted from 1")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images", help="folder for the pictures")
    parser.add_argument("--clips", type=Path, help="folder of clips, as data/bench_public: only their strips")
    parser.add_argument("--renders", type=Path, default=ROOT / "renders", help="folder of a render for each of them")
    options = parser.parse_args()
    still, animated = {"quality": STRIP_QUALITY}, {"quality": WIPE_QUALITY, "duration": FRAME_MS, "loop": 0}
    try:
        if options.clips is not None:
            strips = stack_strips(options.clips, options.renders, options.frame - 1)
            made = [(f"strips_{options.clips.resolve().name}", [strips], still)]
        else:
            clip, files = TrueClip(options.clip.resolve()), matte_files(options.render)
            name = clip.folder.name
            made = [(f"strip_{name}", [make_strip(clip, files, options.frame - 1)], still)]
            made.append((f"wipe_{name}", make_wipe(clip, files), animated))
    except HowardError as error:
        sys.exit(f"error: {error}")
    options.output.mkdir(parents=True, exist_ok=True)
    for name, pictures, settings in made:
        path = options.output / f"{name}.webp"
        pictures[0].save(path, save_all=len(pictures) > 1, append_images=pictures[1:], method=2, **settings)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
