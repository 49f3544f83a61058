"""The paper's random crop: another size and shape for every step."""

import numpy as np
import torch.nn.functional as F

from howard.data.datasets import Batch


def crop_batch(batch: Batch, smallest: int, largest: int, rng: np.random.Generator) -> Batch:
    """Scale every square image so that it holds a crop of random height and width, and cut that from its centre.

    As the reference implementation of Lin et al. 2021 does, so persons keep their proportions while the crop's size
    and shape vary. Sides are drawn from multiples of 4 in [smallest, largest].

    Args:
        batch: named (B, C, S, S) tensors; numbers of whole samples, (B, C, 1, 1), are kept.
        smallest: smallest side in pixels.
        largest: largest side in pixels.
        rng: draws the sides.
    """
    height, width = (4 * int(side) for side in rng.integers(smallest // 4, largest // 4, size=2, endpoint=True))
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    numbers = {name: value for name, value in batch.items() if value.shape[-2:] == (1, 1)}
    scaled = {
        name: F.interpolate(image, size=(side, side), mode="bilinear", align_corners=False)
        for name, image in batch.items()
        if name not in numbers
    }
    return numbers | {name: image[..., top : top + height, left : left + width] for name, image in scaled.items()}
