"""Posters and screens that show a person, in shot and plate; they are background."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.synthesis.canvas_compositing import paste
from howard.synthesis.canvases import BackgroundLayer
from howard.synthesis.distractors import SubjectMask, copy_distractor_mask
from howard.synthesis.object_textures import sample_patch
from howard.synthesis.placement import Person, Size, rotation_matrix
from howard.synthesis.random_sampling import Generator, log_uniform

# Largest relative difference in length between a vertical side of a poster and its middle.
_PERSPECTIVE = 0.12
# Probability that a poster is a screen.
_SCREEN_PROBABILITY = 0.4
# Number of candidate positions; the first at which at least this fraction of the poster is visible is taken.
_CANDIDATES = 4
_VISIBLE = 0.4
# Margin around a poster for its shadow or glow, as a fraction of its long side.
_MARGIN = 0.15


class PosterPicture(NamedTuple):
    """``colour`` (h, w, 3), ``alpha``, ``shadow`` and ``glow`` (light around a screen), (h, w), all uint8."""

    colour: np.ndarray
    alpha: np.ndarray
    shadow: np.ndarray
    glow: np.ndarray


def make_poster(person: Person, picture: np.ndarray, longest: int, rng: Generator) -> PosterPicture:
    """Make a framed print or a screen that shows a person in front of a part of ``picture``, (H, W, 3) uint8.

    Its long side is about ``longest`` pixels, without the margin for the shadow.
    """
    longest = max(16, longest)
    short = max(12, int(longest * rng.uniform(0.55, 0.9)))
    height, width = (longest, short) if rng.random() < 0.6 else (short, longest)
    image = _composite_person(person, picture, (height, width), rng)
    is_screen = rng.random() < _SCREEN_PROBABILITY
    if is_screen:
        gain, black = rng.uniform(0.8, 1.35), rng.uniform(0, 20)
        image = np.clip(image * gain + black, 0, 255).astype(np.uint8)
    else:  # a print has low contrast
        low, high = rng.uniform(5, 50), rng.uniform(180, 255)
        image = (low + image * ((high - low) / 255)).astype(np.uint8)
        if rng.random() < 0.15:
            image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    image = _frame(image, is_screen, rng)
    return _surround(image, is_screen, rng)


def sample_poster_matrix(
    size: tuple[int, ...], fraction: float, frame: Size, subject: SubjectMask, rng: Generator
) -> np.ndarray:
    """Sample the homography (3, 3) from a poster's pixels to frame pixels, with the perspective of a wall.

    Args:
        size: height and width of the poster's image, with its margin.
        fraction: long side of the poster as a fraction of the frame's.
        frame: height and width.
        subject: where the persons are; positions where they hide most of the poster are avoided.
        rng: random generator.
    """
    longest = max(frame) * fraction * (1 + 2 * _MARGIN)
    height, width = np.array(size) * longest / max(size)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2 * (width, height)
    corners[:, 0] *= rng.uniform(0.7, 1.0)  # foreshortening
    corners[:, 1] *= 1 + _PERSPECTIVE * rng.uniform(-1, 1) * np.sign(corners[:, 0])
    angle = rng.normal(0, np.deg2rad(1.5))
    turn = rotation_matrix(angle)
    source = np.array([[0, 0], [size[1] - 1, 0], [size[1] - 1, size[0] - 1], [0, size[0] - 1]], np.float32)
    centres = rng.uniform((0.0, 0.05), (1.0, 0.8), (_CANDIDATES, 2)) * (frame[1], frame[0])
    quads = [(corners @ turn.T + centre).astype(np.float32) for centre in centres]
    matrices = [cv2.getPerspectiveTransform(source, quad) for quad in quads]
    solid = np.full(size, 255, np.uint8)
    return max(matrices, key=lambda matrix: min(subject.visible_fraction(matrix, solid, frame), _VISIBLE))


def add_poster(background: BackgroundLayer, poster: PosterPicture, to_frame: np.ndarray) -> BackgroundLayer:
    """Composite a poster into both shot and plate, behind the persons."""
    mask, matrix = copy_distractor_mask(background), background.matrix @ to_frame
    canvases = []
    for canvas in (background.place.copy(), background.plate.copy()):
        white = np.full_like(poster.colour, 255)
        paste(canvas, white, poster.glow, matrix)
        paste(canvas, poster.colour, poster.alpha, matrix, poster.shadow, mask)
        canvases.append(canvas)
    return background._replace(place=canvases[0], plate=canvases[1], distractor=mask)


def _composite_person(person: Person, picture: np.ndarray, size: tuple[int, int], rng: Generator) -> np.ndarray:
    """Composite a person, from a close portrait to a small figure, over a part of a picture: (h, w, 3) uint8."""
    height, width = size
    canvas = np.ascontiguousarray(sample_patch(picture, size, rng).transpose(2, 0, 1))
    if rng.random() < 0.3:  # a plain backdrop
        canvas[:] = canvas.mean(axis=(1, 2), keepdims=True).astype(np.uint8)
    solid = cv2.boundingRect((person.alpha > 127).astype(np.uint8))
    left, top, wide, high = solid if solid[2] and solid[3] else (0, 0, *person.alpha.shape[::-1])
    fit = min(height / high, width / wide)
    scale = fit * log_uniform((0.8, 2.5), rng)
    colour, alpha = _reduced(person, scale)
    ratio = alpha.shape[0] / person.alpha.shape[0]
    x = width / 2 - (left + wide / 2) * scale + rng.uniform(-0.2, 0.2) * width
    y = rng.uniform(0.02, 0.2) * height - top * scale
    if top + high >= person.alpha.shape[0] - 2:  # a person cut off by its image is cut off by the poster
        y = max(y, height - (top + high) * scale + 1)
    matrix = np.array([[scale / ratio, 0, x], [0, scale / ratio, y], [0, 0, 1]])
    paste(canvas, colour, alpha, matrix)
    return canvas.transpose(1, 2, 0)


def _reduced(person: Person, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Foreground and alpha of a person, reduced by area averaging if ``scale`` is below 1."""
    if scale >= 1:
        return person.foreground, person.alpha
    size = tuple(max(1, round(side * scale)) for side in person.alpha.shape[::-1])
    colour, alpha = (cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in person)
    return colour, alpha


def _frame(image: np.ndarray, is_screen: bool, rng: Generator) -> np.ndarray:
    """Add a paper margin and a frame, or the bezel of a screen."""
    side = max(image.shape[:2])
    if is_screen:
        colour = np.full(3, rng.uniform(0, 60)) if rng.random() < 0.8 else rng.uniform(120, 230, 3)
        width = max(1, int(side * rng.uniform(0.01, 0.04)))
        return cv2.copyMakeBorder(image, width, width, width, width, cv2.BORDER_CONSTANT, value=colour.tolist())
    if rng.random() < 0.5:
        width, paper = max(1, int(side * rng.uniform(0.02, 0.08))), rng.uniform(170, 250)
        image = cv2.copyMakeBorder(image, width, width, width, width, cv2.BORDER_CONSTANT, value=[paper] * 3)
    if rng.random() < 0.7:
        width = max(1, int(side * rng.uniform(0.01, 0.06)))
        colour = 255 * rng.beta(0.6, 1.0) * rng.uniform(0.5, 1.0, 3)
        image = cv2.copyMakeBorder(image, width, width, width, width, cv2.BORDER_CONSTANT, value=colour.tolist())
    return image


def _surround(image: np.ndarray, is_screen: bool, rng: Generator) -> PosterPicture:
    """Add a margin with the shadow, or with the glow of a screen."""
    margin = int(_MARGIN * max(image.shape[:2])) + 2
    sides = margin, margin, margin, margin
    colour = cv2.copyMakeBorder(image, *sides, cv2.BORDER_REPLICATE)
    alpha = cv2.copyMakeBorder(np.full(image.shape[:2], 255, np.uint8), *sides, cv2.BORDER_CONSTANT)
    shift = rng.uniform((-0.2, 0.05), (0.2, 0.3)) * margin
    moved = cv2.warpAffine(alpha, np.array([[1, 0, shift[0]], [0, 1, shift[1]]]), alpha.shape[::-1])
    soft = cv2.GaussianBlur(moved, (0, 0), margin * rng.uniform(0.05, 0.15))
    halo = cv2.GaussianBlur(alpha, (0, 0), margin * 0.3)
    shadow = rng.uniform(0.0, 0.5) * soft * (0.3 if is_screen else 1.0)
    glow = rng.uniform(0, 0.15) * halo * float(is_screen)
    return PosterPicture(colour, alpha, shadow.astype(np.uint8), glow.astype(np.uint8))
