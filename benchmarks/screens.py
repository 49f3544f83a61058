"""Green- and blue-screen clips with known alpha and foreground: drawn or photographed people before a bad screen.

The screen is unevenly lit (brightest over darkest at least 2), has creases, a shadow of the person and tracking
markers, and ends at one side of the frame. Its light spills onto the person; the camera adds noise; `write_clip`
compresses. Everything is mixed in linear light, and a function of the seed.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np

from howard.colour import linear_to_srgb, srgb_to_linear

SCREENS = {"green": (0.05, 0.36, 0.08), "blue": (0.04, 0.10, 0.42)}
Palette = tuple[tuple[int, int, int], ...]
# sRGB-encoded; none has the hue of a screen.
_CLOTHES = ((200, 60, 50), (90, 90, 95), (225, 220, 210), (40, 38, 42), (150, 80, 110), (190, 150, 90), (120, 70, 45))
_SKINS = ((232, 190, 160), (198, 150, 118), (140, 98, 74), (92, 64, 50))
_HAIR = ((42, 30, 24), (92, 62, 40), (188, 150, 100), (28, 26, 28), (150, 145, 140))
_SUBFRAMES = 4
_SCALE = 2


class ScreenClip(NamedTuple):
    """``frames`` (H, W, 3) uint8, and their ground truth: ``alphas`` (H, W) and ``foregrounds`` (H, W, 3) float32 in
    [0, 1], straight and sRGB-encoded, defined where alpha > 0. ``screen_area`` (H, W) is False beside the screen."""

    frames: list[np.ndarray]
    alphas: list[np.ndarray]
    foregrounds: list[np.ndarray]
    screen_area: np.ndarray


class Layer(NamedTuple):
    """A person: ``alpha`` (H, W) float32, ``linear`` (H, W, 3) straight linear light."""

    alpha: np.ndarray
    linear: np.ndarray


def drawn_clip(
    seed: int, screen: str, count: int = 6, size: tuple[int, int] = (360, 640), speed: float = 1.0
) -> ScreenClip:
    """A drawn figure with strands of hair that walks slowly and waves, with motion blur; static at ``speed`` 0."""
    figure = _Figure(seed, size)
    return _composite([figure.frame(speed * number, speed) for number in range(count)], seed, screen)


def cutout_clip(
    seed: int, screen: str, colour: np.ndarray, alpha: np.ndarray, count: int = 3, step: float = 1.3
) -> ScreenClip:
    """A cut-out, ``colour`` (h, w, 3) and ``alpha`` (h, w) uint8, that moves right by ``step`` pixels a frame."""
    height, width = 360, 640
    rng = np.random.default_rng(seed)
    scale = rng.uniform(0.8, 0.95) * height / alpha.shape[0]
    left = (width - scale * alpha.shape[1]) * rng.uniform(0.35, 0.6)
    light, cover = srgb_to_linear(colour.astype(np.float32) / 255), alpha.astype(np.float32) / 255
    layers = []
    for number in range(count):
        # The lower edge of the cut-out is below that of the frame.
        matrix = np.array([[scale, 0, left + step * number], [0, scale, height - scale * (alpha.shape[0] - 28)]])
        warp = partial(cv2.warpAffine, M=matrix, dsize=(width, height), flags=cv2.INTER_LINEAR)
        # Half a pixel of the result, against aliasing.
        blur = 0.5 / scale
        soft = cv2.GaussianBlur(cover, (0, 0), blur)
        premultiplied = warp(cv2.GaussianBlur(light * cover[..., None], (0, 0), blur))
        placed = warp(soft)
        placed[placed < 1 / 255] = 0
        carried = warp(light, borderMode=cv2.BORDER_REPLICATE)
        straight = np.where(placed[..., None] > 0, premultiplied / np.maximum(placed, 1e-4)[..., None], carried)
        layers.append(Layer(placed, straight.clip(0, 1)))
    return _composite(layers, seed, screen)


def write_clip(path: Path, frames: Sequence[np.ndarray], crf: int = 14) -> Path:
    """Write RGB frames as H.264, 4:2:0, BT.709."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(crf), "preset": "fast"}
        stream.codec_context.colorspace = 1
        stream.codec_context.color_primaries = stream.codec_context.color_trc = 1
        for image in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace="ITU709")))
        container.mux(stream.encode(None))
    return path


def plain_key(image: np.ndarray, screen: str) -> np.ndarray:
    """Baseline: a colour-difference key on encoded values against one screen colour, the frame's median.

    ``image`` (H, W, 3) float32 in [0, 1]; returns alpha (H, W) = 1 - excess / the screen's excess.
    """
    channel = 1 if screen == "green" else 2
    excess = image[..., channel] - np.delete(image, channel, axis=2).max(axis=2)
    return np.clip(1 - excess / np.median(excess[excess > 0.5 * excess.max()]), 0, 1)


def _composite(layers: Sequence[Layer], seed: int, screen: str) -> ScreenClip:
    height, width = layers[0].alpha.shape
    rng = np.random.default_rng([seed, 1])
    wall, screen_area = _make_screen(rng, height, width, np.array(SCREENS[screen], np.float32))
    spill, noise = rng.uniform(0.02, 0.05), rng.uniform(0.004, 0.010)
    frames, alphas, foregrounds = [], [], []
    for alpha, linear in layers:
        shadow = cv2.GaussianBlur(np.roll(alpha, (8, 22), (0, 1)), (0, 0), 14)
        rim = 1 - cv2.GaussianBlur(alpha, (0, 0), 9)
        spilled = linear + (spill * (0.3 + 1.4 * rim))[..., None] * np.array(SCREENS[screen], np.float32)
        mixed = alpha[..., None] * spilled + (1 - alpha[..., None]) * wall * (1 - 0.35 * shadow)[..., None]
        # Lens blur, which comes before the noise.
        frame = linear_to_srgb(cv2.GaussianBlur(mixed, (0, 0), 0.45).clip(0, 1))
        frame += rng.normal(0, noise, frame.shape)
        frames.append(np.rint(frame.clip(0, 1) * 255).astype(np.uint8))
        seen = cv2.GaussianBlur(alpha, (0, 0), 0.45)
        sharp = cv2.GaussianBlur(linear * alpha[..., None], (0, 0), 0.45) / np.maximum(seen, 1e-4)[..., None]
        alphas.append(seen * (seen > 1 / 255))
        foregrounds.append(linear_to_srgb(sharp.clip(0, 1)).astype(np.float32))
    return ScreenClip(frames, alphas, foregrounds, screen_area)


def _make_screen(
    rng: np.random.Generator, height: int, width: int, colour: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The empty frame in linear light, with screen, markers and what is beside the screen; and the screen's area."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    middle = rng.uniform(0.25, 0.75) * width, rng.uniform(0.1, 0.6) * height
    light = np.exp(-((x - middle[0]) ** 2 + (1.3 * (y - middle[1])) ** 2) / (2 * (0.42 * width) ** 2))
    creases = cv2.GaussianBlur(rng.normal(0, 1, (height, width)).astype(np.float32), (0, 0), 12)
    light = (0.35 + 0.85 * light) * (1 + 0.03 * creases / creases.std())
    wall = colour * light[..., None]
    markers = np.zeros((height, width), np.float32)
    for column in (0.08, 0.3, 0.55, 0.78):
        for row in (0.15, 0.5, 0.85):
            spot = np.array([column * width + rng.normal(0, 8), row * height + rng.normal(0, 8)]).astype(int).tolist()
            cv2.drawMarker(markers, spot, 1.0, cv2.MARKER_CROSS, 12, 2, cv2.LINE_AA)
    tape = np.array(((0.6, 0.6, 0.6), (0.5, 0.2, 0.03), (0.02, 0.02, 0.02)), np.float32)[rng.integers(3)]
    wall = wall + cv2.GaussianBlur(markers, (0, 0), 0.6)[..., None] * (tape * light[..., None] - wall)
    edge = 0.9 * width + rng.uniform(-0.06, 0.06) * (y - height / 2) + rng.uniform(-8, 8)
    outside = np.clip(x - edge, 0, 1)[..., None]
    stripes = 0.5 + 0.5 * (np.sin(y / 23 + 1) > 0.4)[..., None]
    place = wall * (1 - outside) + outside * stripes * np.array((0.22, 0.17, 0.13), np.float32)
    return place, outside[..., 0] == 0


class _Figure:
    """A person drawn as ellipses, limbs and strands of hair, in pictures of ``size`` (height, width)."""

    def __init__(self, seed: int, size: tuple[int, int]) -> None:
        self.size = size
        self.rng = np.random.default_rng([seed, 2])
        self.cloth, self.trousers, self.skin, self.hair = map(self._pick, (_CLOTHES, _CLOTHES, _SKINS, _HAIR))
        self.place, self.speed = self.rng.uniform(0.35, 0.55), self.rng.uniform(0.5, 2.5)
        height, width = size
        shade = self.rng.normal(0, 1, (height, width)).astype(np.float32)
        shade = cv2.GaussianBlur(shade, (0, 0), 10) / 0.03 * 0.1 + 0.06 * np.sin(np.arange(width) / 3.1)
        self.shade = np.clip(1 + shade, 0.6, 1.4)[..., None].astype(np.float32)
        self.strands = [self._strand() for _ in range(110)]

    def frame(self, time: float, speed: float) -> Layer:
        """The frame whose exposure begins at ``time``, in frames: the mean of some subframes."""
        height, width = self.size
        premultiplied, alpha = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
        for moment in range(_SUBFRAMES):
            rgba = self._render(time + 0.5 * speed * moment / _SUBFRAMES)
            alpha += rgba[..., 3] / _SUBFRAMES
            premultiplied += rgba[..., :3] * self.shade / _SUBFRAMES
        premultiplied, alpha = (cv2.GaussianBlur(each, (0, 0), 0.5) for each in (premultiplied, alpha))
        alpha[alpha < 1 / 510] = 0
        straight = np.where(alpha[..., None] > 0, premultiplied / np.maximum(alpha, 1e-4)[..., None], self.cloth)
        return Layer(alpha, straight.clip(0, 1))

    def _pick(self, palette: Palette) -> np.ndarray:
        """A random colour of a palette in linear light, (3,)."""
        return srgb_to_linear(np.array(palette[self.rng.integers(len(palette))], np.float32) / 255)

    def _strand(self) -> tuple[float, float, float, float]:
        """Angle of the root, length, bend, and opacity."""
        uniform = self.rng.uniform
        return uniform(-3.3, 0.16), uniform(0.75, 1.9), uniform(-0.8, 0.8), uniform(0.35, 1.0)

    def _render(self, time: float) -> np.ndarray:
        """Premultiplied linear RGBA (H, W, 4) at a time in frames."""
        height, width = (_SCALE * side for side in self.size)
        canvas = np.zeros((height, width, 4), np.float32)
        unit = height / 100
        x, y = self.place * width + self.speed * time * _SCALE, 27 * unit
        wave = 0.9 + 0.35 * np.sin(0.9 * time)
        elbow = (x + 27 * unit, y + 22 * unit)
        hand = (elbow[0] + 20 * unit * np.cos(wave), elbow[1] - 20 * unit * np.sin(wave))
        _limb(canvas, (x - 6 * unit, y + 50 * unit), (x - 10 * unit, height * 1.1), 11 * unit, self.trousers)
        _limb(canvas, (x + 6 * unit, y + 50 * unit), (x + 11 * unit, height * 1.1), 11 * unit, self.trousers)
        _limb(canvas, (x - 13 * unit, y + 18 * unit), (x - 24 * unit, y + 48 * unit), 8 * unit, self.cloth)
        _limb(canvas, (x - 24 * unit, y + 48 * unit), (x - 22 * unit, y + 55 * unit), 6 * unit, self.skin)
        _limb(canvas, (x, y + 24 * unit), (x, y + 46 * unit), 31 * unit, self.cloth)
        _limb(canvas, (x + 13 * unit, y + 18 * unit), elbow, 8 * unit, self.cloth)
        _limb(canvas, elbow, hand, 6 * unit, self.skin)
        _limb(canvas, (x, y), (x, y + 14 * unit), 8 * unit, self.skin)
        for angle, length, bend, cover in self.strands:
            steps = np.linspace(0, 1, 12)
            bent = angle + bend * steps**2 + 0.03 * np.sin(time + 9 * bend)
            radius = unit * (7 + 5 * length * steps)
            points = np.stack([x + radius * np.cos(bent), y - unit + 1.2 * radius * np.sin(bent)], axis=1)
            ink = np.zeros(canvas.shape[:2], np.uint8)
            _paint(canvas, cv2.polylines(ink, [_fixed(points)], False, 255, 2, cv2.LINE_AA, 4), self.hair, cover)
        _paint(canvas, _ellipse(canvas, (x, y - 2 * unit), (8.4 * unit, 10 * unit)), self.hair)
        _paint(canvas, _ellipse(canvas, (x, y + 1.5 * unit), (6.6 * unit, 9 * unit)), self.skin)
        return cv2.resize(canvas, self.size[::-1], interpolation=cv2.INTER_AREA)


def _limb(canvas: np.ndarray, start: Sequence[float], end: Sequence[float], thick: float, colour: np.ndarray) -> None:
    ink = np.zeros(canvas.shape[:2], np.uint8)
    ends = _fixed(start).tolist(), _fixed(end).tolist()
    _paint(canvas, cv2.line(ink, *ends, 255, round(thick), cv2.LINE_AA, 4), colour)


def _ellipse(canvas: np.ndarray, centre: Sequence[float], axes: Sequence[float]) -> np.ndarray:
    ink = np.zeros(canvas.shape[:2], np.uint8)
    return cv2.ellipse(ink, _fixed(centre).tolist(), _fixed(axes).tolist(), 0, 0, 360, 255, -1, cv2.LINE_AA, 4)


def _paint(canvas: np.ndarray, ink: np.ndarray, colour: np.ndarray, cover: float = 1.0) -> None:
    """Composite a colour over premultiplied RGBA by a mask, 0 to 255."""
    left, top, width, height = cv2.boundingRect(ink)
    part = np.s_[top : top + height, left : left + width]
    mask = ink[part].astype(np.float32)[..., None] * (cover / 255)
    canvas[part] *= 1 - mask
    canvas[part] += mask * np.append(colour, 1).astype(np.float32)


def _fixed(values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Positions with 4 fractional bits for OpenCV's drawing functions."""
    return np.rint(np.asarray(values) * 16).astype(np.int32)
