"""The paper's random crop: another size and shape for every batch."""

import torch
import torch.nn.functional as F

from howard.data.datasets import Batch


def crop_batch(batch: Batch, smallest: int, largest: int) -> Batch:
    """Scale every square image so that it holds a crop of random height and width, and cut that from its centre.

    As the reference implementation of Lin et al. 2021 does, so persons keep their proportions while the crop's size
    and shape vary. Sides are drawn from multiples of 4 in [smallest, largest] with torch's global generator.

    Args:
        batch: named (B, C, S, S) tensors.
        smallest: smallest side in pixels.
        largest: largest side in pixels.
    """
    height, width = (4 * int(torch.randint(smallest // 4, largest // 4 + 1, ())) for _ in range(2))
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    scaled = {
        name: F.interpolate(image, size=(side, side), mode="bilinear", align_corners=False)
        for name, image in batch.items()
    }
    return {name: image[..., top : top + height, left : left + width] for name, image in scaled.items()}
