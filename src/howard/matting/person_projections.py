"""The coarse network's branch for person prior maps."""

import torch.nn.functional as F
from torch import Tensor, nn

from howard.matting.person_maps import STRIDE_CHANNELS, PersonMaps


class PersonProjections(nn.Module):
    """1x1 convolutions from person maps to the encoder's channels at strides 4, 8 and 16.

    They start at zero, so that a trained network gains the branch without forgetting anything.

    Args:
        encoder_channels: of the encoder's features at strides 4, 8, 16.
    """

    def __init__(self, encoder_channels: tuple[int, int, int]) -> None:
        super().__init__()
        pairs = zip(STRIDE_CHANNELS, encoder_channels, strict=True)
        self.stride4, self.stride8, self.stride16 = (nn.Conv2d(*pair, 1, bias=False) for pair in pairs)
        for projection in self.children():
            assert isinstance(projection, nn.Conv2d)
            nn.init.zeros_(projection.weight)

    def forward(self, person: PersonMaps, features: tuple[Tensor, Tensor, Tensor]) -> list[Tensor]:
        """Add the projected maps to features at strides 4, 8, 16; shapes stay those of the features."""
        added = []
        for projection, maps, own in zip(self.children(), person[1:4], features, strict=True):
            projected = projection(maps.to(own.dtype))
            if projected.shape[2:] != own.shape[2:]:
                projected = F.interpolate(projected, size=own.shape[2:], mode="bilinear", align_corners=False)
            added.append(own + projected)
        return added
