"""What is known of the people in a frame, laid into the frame: the input of the coarse network's semantic branch."""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn


class PersonMaps(NamedTuple):
    """Class probabilities and features of the person prior, in the frame's coordinates.

    The maps of stride s are s times smaller than the coarse network's input, rounded; other sizes are resized. Where no
    view of the prior covered the frame all channels are 0, the probabilities too.
    """

    probabilities: Tensor  # (B, 6, h, w) in [0, 1]: background, hair, body skin, face skin, clothes, other
    stride4: Tensor  # (B, 6 + C4, h / 4, w / 4): probabilities, then features
    stride8: Tensor  # (B, 6 + C8, h / 8, w / 8)
    stride16: Tensor  # (B, 6 + C16, h / 16, w / 16)

    def mirrored(self) -> "PersonMaps":
        """The maps of the frame mirrored left to right."""
        return PersonMaps(*(each.flip(-1) for each in self))

    def masked(self, weight: Tensor) -> "PersonMaps":
        """The maps times a weight (B, 1, 1, 1); 0 stands for a frame that the prior did not see."""
        return PersonMaps(*(each * weight for each in self))


class PersonProjections(nn.Module):
    """1x1 convolutions from person maps to the encoder's channels at strides 4, 8 and 16.

    They start at zero, so that a trained network gains the branch without forgetting anything.

    Args:
        person_channels: of the person maps at strides 4, 8, 16.
        encoder_channels: of the encoder's features at strides 4, 8, 16.
    """

    def __init__(self, person_channels: tuple[int, int, int], encoder_channels: tuple[int, int, int]) -> None:
        super().__init__()
        pairs = zip(person_channels, encoder_channels, strict=True)
        self.stride4, self.stride8, self.stride16 = (nn.Conv2d(*pair, 1, bias=False) for pair in pairs)
        for projection in self.children():
            assert isinstance(projection, nn.Conv2d)
            nn.init.zeros_(projection.weight)

    def forward(self, person: PersonMaps, features: tuple[Tensor, Tensor, Tensor]) -> list[Tensor]:
        """Add the projected maps to features at strides 4, 8, 16; shapes stay those of the features."""
        added = []
        for projection, maps, own in zip(self.children(), person[1:], features, strict=True):
            projected = projection(maps.to(own.dtype))
            if projected.shape[2:] != own.shape[2:]:
                projected = F.interpolate(projected, size=own.shape[2:], mode="bilinear", align_corners=False)
            added.append(own + projected)
        return added
