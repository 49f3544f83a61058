"""Small files that are whole: what whole commands read, before it is damaged."""

from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np

from tests.fuzz.still_files import make_stills

SIZE = 192, 128
FRAMES = 3
_CONTAINERS = ("mp4", "mov", "mkv", "ts", "avi")


class Corpus(NamedTuple):
    """Whole files, by what they are; ``render`` is a folder with a finished render of ``shot`` and ``plate``.

    ``stills`` and ``videos`` are in every format, and every container, that readers treat in their own way.
    """

    shot: Path
    plate: Path
    mask: Path
    masks: Path
    background: Path
    weights: Path
    published: Path
    render: Path
    stills: tuple[Path, ...]
    videos: tuple[Path, ...]


def make_pictures(count: int = FRAMES) -> list[np.ndarray]:
    """A pan over a place with a red box that stands for a person: (H, W, 3) uint8 RGB."""
    rng = np.random.default_rng(5)
    layers = [40 * cv2.resize(rng.random((n, n, 3)), (300, 200), interpolation=cv2.INTER_CUBIC) for n in (5, 20, 60)]
    place = np.clip(60 + np.sum(layers, axis=0), 0, 255).astype(np.uint8)
    width, height = SIZE
    pictures = [place[9 + step : 9 + step + height, 5 + step : 5 + step + width].copy() for step in range(count)]
    for picture in pictures:
        picture[50:, 70:110] = (220, 40, 60)
    return [place[10 : 10 + height, 8 : 8 + width], *pictures]


def write_video(path: Path, pictures: list[np.ndarray]) -> Path:
    """H.264 with a sound track, in the container of the path's suffix."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"qp": "4", "g": "2"})
        sound = container.add_stream("aac", rate=8000)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        container.mux(stream.encode(None))
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return path


def write_still(path: Path, picture: np.ndarray) -> Path:
    """A still in the format of the path's suffix, from RGB or grey."""
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), picture[..., ::-1] if picture.ndim == 3 else picture)
    return path


def make_corpus(folder: Path) -> Corpus:
    """Write all of them into an empty folder; the render is made with a small random network."""
    import torch

    import howard
    from howard.matting import BaselineNetwork, WeightsMetadata, save_weights

    plate, *shot = make_pictures()
    (folder / "stills").mkdir()
    grey = np.zeros(SIZE[::-1], np.uint8)
    grey[:30] = 255
    for number in range(1, FRAMES + 1):
        write_still(folder / "masks" / f"mask.{number:04d}.png", grey)
    torch.manual_seed(0)
    network = BaselineNetwork((4, 4))
    corpus = Corpus(
        shot=write_video(folder / "shot.mp4", shot),
        plate=write_still(folder / "plate.png", plate),
        mask=write_still(folder / "mask.png", grey),
        masks=folder / "masks",
        background=write_still(folder / "background.jpg", plate[::-1]),
        weights=folder / "small.safetensors",
        published=folder / "small.pth",
        render=folder / "render",
        stills=tuple(make_stills(folder / "stills")),
        videos=tuple(write_video(folder / f"video.{suffix}", make_pictures(6)) for suffix in _CONTAINERS),
    )
    save_weights(corpus.weights, network.state_dict(), WeightsMetadata(widths=(4, 4)))
    torch.save(network.state_dict(), corpus.published)
    howard.remove_background(
        corpus.shot, corpus.plate, corpus.render, weights=corpus.weights, quality="fast", progress=False
    )
    return corpus
