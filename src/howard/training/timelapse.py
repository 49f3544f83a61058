"""A time-lapse movie of one validation sample over the course of training."""

from pathlib import Path

import av
import cv2
import numpy as np
from lightning import Callback, LightningModule, Trainer

from howard.data.dataset import Batch
from howard.matting import Matte
from howard.media import read_still, write_atomically
from howard.media.files import atomic_file
from howard.media.png_encoding import encode_png
from howard.training.modules import StageModule
from howard.training.panels import FixedSamples, sample_tiles

FOLDER, MOVIE = "timelapse", "timelapse.mp4"
_SHOWN = ("source", "alpha", "foreground", "composite")
_RATE = 12  # frames per second
_LAST = 24  # repetitions of the last frame
_CAPTION = 24  # height of the caption in pixels


class Timelapse(Callback):
    """Renders the first validation sample during training: ``timelapse.mp4`` in the trainer's root folder.

    Frames are stored as ``timelapse/STEP.png``, so that the movie of a resumed run is complete. The matte changes most
    in the first steps: up to ``2 * every_n_steps``, every step is a frame.

    Args:
        every_n_steps: steps between later frames.
    """

    def __init__(self, every_n_steps: int = 25) -> None:
        self.every_n_steps = every_n_steps
        self._samples = FixedSamples(1)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._render(trainer, pl_module)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: object) -> None:
        if trainer.global_step < 2 * self.every_n_steps or trainer.global_step % self.every_n_steps == 0:
            self._render(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._render(trainer, pl_module)
        if trainer.is_global_zero:
            write_movie(Path(trainer.default_root_dir))

    def _render(self, trainer: Trainer, module: LightningModule) -> None:
        assert isinstance(module, StageModule)
        if not trainer.is_global_zero:
            return
        path = Path(trainer.default_root_dir) / FOLDER / f"{trainer.global_step:07d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        batch, matte = self._samples.matte(trainer, module)
        write_atomically(path, encode_png(render_frame(batch, matte, trainer.global_step)))


def render_frame(batch: Batch, matte: Matte, step: int) -> np.ndarray:
    """Source, alpha, foreground and composite of the first sample as a 2x2 grid below the step: HxWx3 uint8 RGB."""
    tiles = sample_tiles(batch, matte, 0)
    source, alpha, foreground, composite = (tiles[name] for name in _SHOWN)
    picture = np.concatenate(
        [np.concatenate([source, alpha], axis=1), np.concatenate([foreground, composite], axis=1)], axis=0
    )
    caption = np.zeros((_CAPTION, picture.shape[1], 3), np.uint8)
    cv2.putText(caption, f"step {step}", (4, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return np.concatenate([caption, picture], axis=0)


def write_movie(run: Path) -> None:
    """Encode the stored frames of a run as a movie; frames of other sizes, from other settings, are skipped."""
    pictures = [read_still(path) for path in sorted((run / FOLDER).glob("*.png"))]
    height, width = (side - side % 2 for side in pictures[-1].shape[:2])
    fitting = [picture[:height, :width] for picture in pictures if picture.shape == pictures[-1].shape]
    with atomic_file(run / MOVIE) as path, av.open(str(path), "w", format="mp4") as movie:
        stream = movie.add_stream("libx264", rate=_RATE, options={"crf": "16"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for picture in (*fitting, *[fitting[-1]] * _LAST):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            movie.mux(stream.encode(frame))
        movie.mux(stream.encode())
