"""From people and a place to one training sample: what the camera saw, the plate, and the truth."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.colour import mix
from howard.synthesis.misalign import misalign
from howard.synthesis.placement import Person, Placed, place_background, place_person
from howard.synthesis.recipe import Recipe

Generator = np.random.Generator
_MARGIN = 0.1  # of the frame's side, kept around the place for the plate to move in


class Sample(NamedTuple):
    """One training sample; float32 in [0, 1], sRGB-encoded, straight."""

    source: np.ndarray  # HxWx3
    plate: np.ndarray  # HxWx3, aligned as well as an aligner does; 0 where not covered
    coverage: np.ndarray  # HxWx1
    alpha: np.ndarray  # HxWx1, the truth
    foreground: np.ndarray  # HxWx3, the truth where alpha > 0


def synthesise(
    people: list[Person], place: np.ndarray, size: tuple[int, int], recipe: Recipe, rng: Generator
) -> Sample:
    """Film people in a place, and the place again without them.

    Args:
        people: drawn front to back; may be empty.
        place: HxWx3 uint8 RGB.
        size: (height, width) of the sample.
        recipe: strengths and probabilities.
        rng: source of every draw; the same state gives the same sample.
    """
    margin = round(_MARGIN * max(size))
    wide = place_background(place, (size[0] + 2 * margin, size[1] + 2 * margin), recipe.place, rng)
    plate = misalign(wide, margin, recipe.plate, rng)
    background = wide[margin : margin + size[0], margin : margin + size[1]]
    person = _stack([place_person(person, size, recipe.person, rng) for person in people], size)
    if rng.random() < recipe.shadow_probability:
        background = cast_shadow(background, person.alpha, rng)
    source = mix(person.foreground, background, person.alpha, linear_light=recipe.mixing == "linear")
    # A lens out of focus softens the true matte with the picture; noise and compression leave the truth alone.
    blur_source, blur_plate = (draw_blur(recipe, rng) for _ in range(2))
    source = record(_blurred(source, blur_source), recipe, rng)
    seen = record(_blurred(plate.image, blur_plate), recipe, rng) * plate.coverage
    alpha = _blurred(person.alpha, blur_source).reshape(person.alpha.shape)
    return Sample(source, seen, plate.coverage, alpha, person.foreground)


def draw_blur(recipe: Recipe, rng: Generator) -> float:
    """The standard deviation of a lens blur in pixels, 0 for a sharp picture."""
    return recipe.blur_px * rng.random() if rng.random() < recipe.blur_probability else 0.0


def record(image: np.ndarray, recipe: Recipe, rng: Generator) -> np.ndarray:
    """What sensor and codec do to a picture: noise and compression. HxWx3 float32 in [0, 1], the same back."""
    if rng.random() < recipe.noise_probability:
        image = image + rng.standard_normal(image.shape, np.float32) * np.float32(recipe.noise * rng.random())
    image = image.clip(0, 1)
    if rng.random() < recipe.compression_probability:
        quality = int(rng.integers(50, 96))
        _, code = cv2.imencode(".jpg", np.round(image * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR)) / 255
    return image.astype(np.float32)


def cast_shadow(background: np.ndarray, alpha: np.ndarray, rng: Generator) -> np.ndarray:
    """Darken the place by a soft, displaced copy of the person's silhouette (Lin et al. 2021, section 5.1).

    Args:
        background: HxWx3 in [0, 1].
        alpha: HxWx1 in [0, 1].
        rng: source of the draws.
    """
    height, width = alpha.shape[:2]
    shift = np.array([[1, 0, rng.uniform(-0.15, 0.15) * width], [0, 1, rng.uniform(-0.1, 0.15) * height]])
    shadow = cv2.warpAffine(alpha[..., 0], shift, (width, height), borderMode=cv2.BORDER_REPLICATE)
    shadow = cv2.GaussianBlur(shadow, (0, 0), rng.uniform(0.01, 0.06) * max(height, width))
    return background * (1 - rng.uniform(0.1, 0.6) * shadow[..., None]).astype(np.float32)


def _blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), sigma) if sigma > 0.2 else image


def _stack(placed: list[Placed], size: tuple[int, int]) -> Placed:
    """Lay persons over one another, the first in front: one foreground and one alpha."""
    if not placed:
        return Placed(np.zeros((*size, 3), np.float32), np.zeros((*size, 1), np.float32))
    foreground, alpha = placed[0]
    for behind in placed[1:]:
        joint = alpha + (1 - alpha) * behind.alpha
        share = np.divide(alpha, joint, out=np.ones_like(alpha), where=joint > 0)
        foreground = share * foreground + (1 - share) * behind.foreground
        alpha = joint
    return Placed(foreground, alpha)
