"""The paper's random crop: another size and shape for every step."""

import numpy as np
import torch.nn.functional as F

from howard.data.dataset import Batch


def crop_batch(batch: Batch, smallest: int, largest: int, rng: np.random.Generator, multiple: int = 1) -> Batch:
    """Scale every square image so that it holds a crop of random height and width, and cut that from its centre.

    As ``random_crop`` of the reference implementation of Lin et al. 2021 does, so persons keep their proportions while
    the crop's size and shape vary: sides are uniform in [smallest, largest), then rounded down to a multiple.

    Args:
        batch: named (B, C, S, S) tensors; numbers of whole samples, (B, C, 1, 1), are kept.
        smallest: smallest side in pixels.
        largest: smallest side in pixels that is too large; may equal ``smallest``, which is then the only side.
        rng: source of the sides.
        multiple: of which sides are multiples; a refiner that is trained on patches needs 4.
    """
    sides = rng.integers(smallest, max(largest, smallest + 1), size=2)
    height, width = (int(side) // multiple * multiple for side in sides)
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    numbers = {name: value for name, value in batch.items() if value.shape[-2:] == (1, 1)}
    scaled = {
        name: F.interpolate(image, size=(side, side), mode="bilinear", align_corners=False)
        for name, image in batch.items()
        if name not in numbers
    }
    return numbers | {name: image[..., top : top + height, left : left + width] for name, image in scaled.items()}
