"""Procedural pictures: places, plain walls, leaves, people. All are RGB or straight RGBA, uint8."""

import cv2
import numpy as np

from benchmarks.scenes.camera import Size


def place(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Noise of all scales under several hundred boxes, (h, w, 3): distinct corners everywhere."""
    width, height = size
    image = 30 + clouds(rng, size, 3, coarsest=3) * 170
    for _ in range(500):
        x, y = rng.integers(0, width), rng.integers(0, height)
        w, h = (rng.uniform(0.003, 0.05, 2) * width).astype(int) + 1
        cv2.rectangle(image, (int(x), int(y)), (int(x + w), int(y + h)), rng.uniform(20, 230, 3).tolist(), -1)
    return np.clip(cv2.GaussianBlur(image, (0, 0), 0.7), 8, 247).astype(np.uint8)


def wall(rng: np.random.Generator, size: Size) -> np.ndarray:
    """A painted wall, (h, w, 3): a smooth light gradient and little grain."""
    light = cv2.resize(rng.uniform(0.85, 1.05, (3, 4)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    grain = cv2.GaussianBlur(rng.standard_normal((size.height, size.width)).astype(np.float32), (0, 0), 1.2)
    paint = rng.uniform(150, 215) * rng.uniform(0.92, 1.0, 3)
    return np.clip(light[..., None] * paint + 3 * grain[..., None], 0, 255).astype(np.uint8)


def clouds(rng: np.random.Generator, size: Size, channels: int, coarsest: int) -> np.ndarray:
    """Noise of all scales, (h, w, channels) float32 in [0, 1]; ``coarsest`` cells at the largest scale."""
    total = np.zeros((size.height, size.width, channels), np.float32)
    cells, strength = coarsest, 1.0
    while cells < max(size):
        blots = rng.standard_normal((cells, cells, channels)).astype(np.float32)
        total += strength * cv2.resize(blots, size, interpolation=cv2.INTER_CUBIC).reshape(total.shape)
        cells, strength = cells * 2, strength * 0.6
    low, high = np.percentile(total, (1, 99))
    return np.clip((total - low) / (high - low), 0, 1)


def foliage(rng: np.random.Generator, side: int, leaf: float) -> np.ndarray:
    """A bush, (side, side, 4): several hundred leaves, ``leaf`` pixels long, darker inside."""
    image = np.zeros((side, side, 4), np.uint8)
    hue = rng.uniform(35, 60)
    count = int(1.4 * (side / leaf) ** 2)
    for number in range(count):
        radius = 0.44 * side * np.sqrt(rng.random())
        angle = rng.uniform(0, 2 * np.pi)
        centre = side / 2 + radius * np.array([np.cos(angle), np.sin(angle)]) * (1, 0.95)
        light = 40 + 150 * number / count + rng.uniform(-30, 40)
        hsv = np.array([[[hue + rng.uniform(-12, 12), rng.uniform(90, 200), np.clip(light, 15, 235)]]], np.uint8)
        colour = (*cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0].tolist(), 255)
        axes = (leaf * rng.uniform(0.35, 0.6), leaf * rng.uniform(0.1, 0.22))
        box = (tuple(centre.tolist()), (2 * axes[0], 2 * axes[1]), float(rng.uniform(0, 180)))
        cv2.ellipse(image, box, colour, -1, cv2.LINE_AA)
    return image


def cut_out(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture with rounded corners, (h, w, 4), to stand for a cupboard, a screen or a frame."""
    height, width = picture.shape[:2]
    radius = rng.uniform(0.01, 0.3) * min(height, width)
    # Distance to the rectangle inset by the corner radius.
    x, y = (np.abs(np.arange(side) - (side - 1) / 2) - (side / 2 - 2 - radius) for side in (width, height))
    distance = np.hypot(np.maximum(x, 0)[None], np.maximum(y, 0)[:, None])
    return np.dstack([picture, np.rint(255 * np.clip(radius + 0.5 - distance, 0, 1)).astype(np.uint8)])


def figure(rng: np.random.Generator) -> np.ndarray:
    """A person down to the knees, (720, 420, 4): head, hair, arms and patterned clothes."""
    size = Size(420, 720)
    shapes = {
        "hair": [((210, 118), (150, 185), 0)],
        "clothes": [((210, 440), (230, 480), 0), ((120, 430), (80, 400), 8), ((300, 430), (80, 400), -8)],
        "skin": [((210, 130), (112, 150), 0), ((205, 220), (60, 90), 0)],
    }
    shapes["clothes"].append(((210, 680), (210, 300), 0))
    cloth = place(rng, size) * 0.5 + rng.uniform(0, 120, 3)
    skin = rng.uniform(0.45, 1.0) * np.array([236, 190, 160])
    colours = {"clothes": cloth, "skin": skin, "hair": skin * rng.uniform(0.1, 0.7)}
    image = np.zeros((size.height, size.width, 4), np.uint8)
    shade = clouds(rng, size, 1, coarsest=3) * 50 - 25
    for name, ellipses in shapes.items():
        alpha = np.zeros((size.height, size.width), np.uint8)
        for box in ellipses:
            cv2.ellipse(alpha, box, 255, -1, cv2.LINE_AA)
        part = np.clip(colours[name] + shade, 0, 255)
        weight = alpha[..., None] / 255
        image[..., :3] = image[..., :3] * (1 - weight) + part * weight
        image[..., 3] = np.maximum(image[..., 3], alpha)
    return image
