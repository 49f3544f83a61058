"""A small clip whose truth is known."""

from pathlib import Path

import av
import cv2
import numpy as np

from howard.evaluation.true_clip import TrueClip

WIDTH, HEIGHT, FRAMES = 320, 192, 3


def write_movie(path: Path, frames: list[np.ndarray]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def write_ball_clip(folder: Path) -> TrueClip:
    """A white ball passing a grey wall full of detail; the plate is filmed from a few pixels aside."""
    folder.mkdir(parents=True)
    noise = np.random.default_rng(0).random((HEIGHT + 40, WIDTH + 40))
    detail = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), np.empty_like(noise), 40, 200, cv2.NORM_MINMAX)
    wall = np.repeat(detail.astype(np.uint8)[..., None], 3, axis=2)

    def view(offset: int) -> np.ndarray:
        return wall[offset : offset + HEIGHT, offset : offset + WIDTH]

    shot = []
    for index in range(FRAMES):
        alpha = np.zeros((HEIGHT, WIDTH))
        cv2.circle(alpha, (100 + 30 * index, 110), 40, 1, -1, cv2.LINE_AA)
        alpha = cv2.GaussianBlur(alpha, (0, 0), 1.5)
        shot.append(np.rint(view(10 + index) * (1 - alpha[..., None]) + 255 * alpha[..., None]).astype(np.uint8))
        for name, image in {"alpha": np.rint(65535 * alpha).astype(np.uint16), "clean": view(10 + index)}.items():
            (folder / name).mkdir(exist_ok=True)
            cv2.imwrite(str(folder / name / f"{index:04d}.{'png' if name == 'alpha' else 'jpg'}"), image)
    write_movie(folder / "shot.mp4", shot)
    write_movie(folder / "plate.mp4", [view(4), view(16)])
    return TrueClip(folder)
