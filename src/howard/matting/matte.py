"""The foreground of a matte, computed where it is read: a render reads it in soft pixels only."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from howard.matting.code_values import pad_to_multiple, to_unit
from howard.matting.refiner import Refined
from howard.matting.tiles import PATCH, Tiles, crop


class LazyForeground(ABC):
    """Straight sRGB colours in [0, 1] that have not been computed yet.

    They are made from the source's own memory, which must be the same still when they are read.
    """

    @abstractmethod
    def whole(self) -> Tensor:
        """All of them, (B, 3, H, W)."""

    def patches(self, picture: Tensor, row: Tensor, column: Tensor) -> Tensor:
        """Those of n patches of 4x4 pixels, (n, 4, 4, 3).

        Args:
            picture: (n,), which picture of the batch.
            row: (n,) in patches.
            column: (n,) in patches. Pixels beyond the picture's right and lower edges have no meaning.
        """
        return crop(pad_to_multiple(self.whole(), PATCH), Tiles(1, picture, row, column), 0)


@dataclass(frozen=True)
class NetworkForeground(LazyForeground):
    """The source plus the network's residual.

    ``source`` is (B, 3, H, W), code values or floating-point, of the size of ``refined``, which may be padded; ``size``
    is its height and width without the padding.
    """

    source: Tensor
    refined: Refined
    size: tuple[int, int]

    def whole(self) -> Tensor:
        """See :meth:`LazyForeground.whole`."""
        foreground = (self.refined.residual + to_unit(self.source)).clamp_(0, 1)
        return foreground[..., : self.size[0], : self.size[1]]

    def patches(self, picture: Tensor, row: Tensor, column: Tensor) -> Tensor:
        """See :meth:`LazyForeground.patches`."""
        source = to_unit(crop(pad_to_multiple(self.source, PATCH), Tiles(1, picture, row, column), 0))
        return (self.refined.residual_patches(picture, row, column) + source).clamp_(0, 1)


@dataclass(frozen=True)
class MirroredForeground(LazyForeground):
    """That of a mirrored picture, turned back. ``mirrored`` is of pictures whose width in pixels is ``width``."""

    mirrored: LazyForeground
    width: int

    def whole(self) -> Tensor:
        """See :meth:`LazyForeground.whole`."""
        return self.mirrored.whole().flip(-1)

    def patches(self, picture: Tensor, row: Tensor, column: Tensor) -> Tensor:
        """See :meth:`LazyForeground.patches`."""
        if self.width % PATCH == 0:
            return self.mirrored.patches(picture, row, self.width // PATCH - 1 - column).flip(2)
        # The mirrored picture's patches begin elsewhere.
        return super().patches(picture, row, column)


@dataclass(frozen=True)
class MeanForeground(LazyForeground):
    """The mean of several."""

    parts: tuple[LazyForeground, ...]

    def whole(self) -> Tensor:
        """See :meth:`LazyForeground.whole`."""
        return torch.stack([part.whole() for part in self.parts]).mean(dim=0)

    def patches(self, picture: Tensor, row: Tensor, column: Tensor) -> Tensor:
        """See :meth:`LazyForeground.patches`."""
        return torch.stack([part.patches(picture, row, column) for part in self.parts]).mean(dim=0)
