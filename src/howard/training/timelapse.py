"""One validation sample over the whole of training, as a film."""

from pathlib import Path

import av
import cv2
import numpy as np
from lightning import Callback, LightningModule, Trainer

from howard.data.dataset import Batch
from howard.matting import Matte
from howard.media import read_still, write_whole
from howard.media.files import whole_file
from howard.media.png import encode_png
from howard.training.modules import StageModule
from howard.training.panels import FixedSamples, sample_tiles

FOLDER, FILM = "timelapse", "timelapse.mp4"
_SHOWN = ("source", "alpha", "foreground", "composite")
_RATE = 12  # frames a second
_LAST = 24  # how often the last frame is shown
_CAPTION = 24  # pixels


class Timelapse(Callback):
    """Draws the first validation sample while training: ``timelapse.mp4`` in the trainer's root folder.

    Frames are kept as ``timelapse/STEP.png``, so that a run which is resumed has its beginning too. The first steps,
    of which each changes everything, are all drawn up to twice the distance of the later ones.

    Args:
        every_n_steps: steps between later frames.
    """

    def __init__(self, every_n_steps: int = 25) -> None:
        self.every_n_steps = every_n_steps
        self._samples = FixedSamples(1)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._draw(trainer, pl_module)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: object) -> None:
        if trainer.global_step < 2 * self.every_n_steps or trainer.global_step % self.every_n_steps == 0:
            self._draw(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._draw(trainer, pl_module)
        if trainer.is_global_zero:
            write_film(Path(trainer.default_root_dir))

    def _draw(self, trainer: Trainer, module: LightningModule) -> None:
        assert isinstance(module, StageModule)
        if not trainer.is_global_zero:
            return
        path = Path(trainer.default_root_dir) / FOLDER / f"{trainer.global_step:07d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        batch, matte = self._samples.matte(trainer, module)
        write_whole(path, encode_png(draw_frame(batch, matte, trainer.global_step)))


def draw_frame(batch: Batch, matte: Matte, step: int) -> np.ndarray:
    """Source, alpha, foreground and composite of the first sample, two by two, under the step: HxWx3 uint8 RGB."""
    tiles = sample_tiles(batch, matte, 0)
    source, alpha, foreground, composite = (tiles[name] for name in _SHOWN)
    picture = np.concatenate(
        [np.concatenate([source, alpha], axis=1), np.concatenate([foreground, composite], axis=1)], axis=0
    )
    caption = np.zeros((_CAPTION, picture.shape[1], 3), np.uint8)
    cv2.putText(caption, f"step {step}", (4, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return np.concatenate([caption, picture], axis=0)


def write_film(run: Path) -> None:
    """Join the frames of a run to its film; a frame of another size, from other settings, is left out."""
    pictures = [read_still(path) for path in sorted((run / FOLDER).glob("*.png"))]
    height, width = (side - side % 2 for side in pictures[-1].shape[:2])
    fitting = [picture[:height, :width] for picture in pictures if picture.shape == pictures[-1].shape]
    with whole_file(run / FILM) as path, av.open(str(path), "w", format="mp4") as film:
        stream = film.add_stream("libx264", rate=_RATE, options={"crf": "16"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for picture in (*fitting, *[fitting[-1]] * _LAST):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
