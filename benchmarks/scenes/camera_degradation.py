"""Camera degradation: exposure, blur, noise and compression. Pictures are (H, W, 3) uint8 RGB."""

from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.scenes.camera import Size

_DRIFT_HERTZ = (0.15, 0.4)


class Exposure(NamedTuple):
    """Tone curve of a frame: v -> gain v^gamma + lift per channel, v in [0, 1]; ``gain`` (3,)."""

    gain: np.ndarray
    gamma: float
    lift: float

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Apply the curve to a picture, rounded."""
        value = (np.arange(256) / 255)[:, None]
        table = 255 * (self.gain * value**self.gamma + self.lift)
        return cv2.LUT(image, np.rint(np.clip(table, 0, 255)).astype(np.uint8)[None])


class Drift:
    """Automatic exposure and white balance that drift during a clip."""

    def __init__(self, gain: float, strength: float, rng: np.random.Generator) -> None:
        """``gain`` is the mean brightness; ``strength`` about the standard deviation of the drift."""
        self._gain = gain * np.exp(rng.normal(0, 0.04, 3))
        self._gamma = float(np.exp(rng.normal(0, 0.03)))
        self._lift = float(rng.normal(0, 0.008))
        self._strength = strength
        self._phases = rng.uniform(0, 2 * np.pi, (len(_DRIFT_HERTZ), 4))

    def at(self, second: float) -> Exposure:
        """The tone curve at a time of the clip, in seconds."""
        waves = np.sin(2 * np.pi * np.array(_DRIFT_HERTZ)[:, None] * second + self._phases).sum(axis=0)
        gain = self._gain * np.exp(self._strength * (waves[0] + 0.3 * waves[1:]))
        return Exposure(gain, self._gamma, self._lift)


class Optics(NamedTuple):
    """Blur of a frame: ``defocus`` as a Gaussian's sigma in pixels, and ``motion`` (2,), the motion in pixels during
    the exposure."""

    defocus: float
    motion: np.ndarray

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Blur a picture, (H, W) or (H, W, C)."""
        length = float(np.hypot(*self.motion))
        if length > 1:
            image = cv2.filter2D(image, -1, _line(self.motion), borderType=cv2.BORDER_REPLICATE)
        return cv2.GaussianBlur(image, (0, 0), self.defocus) if self.defocus > 0.2 else image


class Sensor:
    """Noise and JPEG compression."""

    def __init__(self, noise: float, quality: int, size: Size, rng: np.random.Generator) -> None:
        """``noise`` is its standard deviation at mid grey in 8-bit levels, ``quality`` JPEG's."""
        self._spread = (noise * np.sqrt(0.5 + np.arange(256) / 256)).astype(np.float32)
        self._quality = quality
        # New noise for each frame would cost more than everything else: all frames have the same grain, shifted.
        self._grain = rng.standard_normal((size.height, size.width, 3), np.float32)

    def record(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Add noise and compress a picture; ``rng`` is the frame's own."""
        grain = np.roll(self._grain, tuple(rng.integers(0, self._grain.shape[:2])), axis=(0, 1))
        noisy = cv2.add(image, cv2.multiply(grain, cv2.LUT(image, self._spread[None])), dtype=cv2.CV_8U)
        # Encoder and decoder both expect BGR.
        _, packed = cv2.imencode(".jpg", noisy[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))[..., ::-1].copy()


def _line(motion: np.ndarray) -> np.ndarray:
    """A kernel that averages along a line of ``motion`` pixels."""
    half = int(np.ceil(np.abs(motion).max() / 2)) + 1
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    steps = np.linspace(-0.5, 0.5, 8 * half)[:, None] * motion + half
    low = np.floor(steps).astype(int)
    fraction = steps - low
    for across in (0, 1):
        for down in (0, 1):
            weight = np.abs(1 - across - fraction[:, 0]) * np.abs(1 - down - fraction[:, 1])
            np.add.at(kernel, (low[:, 1] + down, low[:, 0] + across), weight)
    return kernel / kernel.sum()
