"""The network's result: a matte whose foreground is computed on demand, since renders use soft pixels only."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from howard.matting.coarse_network import CoarseMatte
from howard.matting.code_values import pad_to_multiple, to_unit
from howard.matting.refiner import Refined
from howard.matting.tiles import PATCH, Tiles, crop


class LazyForeground(ABC):
    """Straight sRGB foreground colours in [0, 1], computed on demand.

    They are computed from the source's memory, which must not change before that.
    """

    @abstractmethod
    def whole(self) -> Tensor:
        """The whole foreground, (B, 3, H, W)."""

    def patches(self, picture: Tensor, row: Tensor, column: Tensor) -> Tensor:
        """The foreground of n patches of 4x4 pixels, (n, 4, 4, 3).

        Args:
            picture: (n,) index of the image in the batch.
            row: (n,) in patches.
            column: (n,) in patches. Pixels beyond the image's right and lower edges are undefined.
        """
        return crop(pad_to_multiple(self.whole(), PATCH), Tiles(1, picture, row, column), 0)


@dataclass(frozen=True)
class NetworkForeground(LazyForeground):
    """The source plus the network's residual.

    ``source`` is (B, 3, H, W), code values or floating-point, of the size of ``refined``, which may include padding;
    ``size`` is the height and width without padding.
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
    """The foreground of mirrored images, mirrored back; ``width`` is the images' width in pixels."""

    mirrored: LazyForeground
    width: int

    def whole(self) -> Tensor:
        """See :meth:`LazyForeground.whole`."""
        return self.mirrored.whole().flip(-1)

    def patches(self, picture: Tensor, row: Tensor, column: Tensor) -> Tensor:
        """See :meth:`LazyForeground.patches`."""
        if self.width % PATCH == 0:
            return self.mirrored.patches(picture, row, self.width // PATCH - 1 - column).flip(2)
        # The patches of the mirrored image do not coincide with those of the image.
        return super().patches(picture, row, column)


@dataclass(frozen=True)
class MeanForeground(LazyForeground):
    """The mean of several foregrounds."""

    parts: tuple[LazyForeground, ...]

    def whole(self) -> Tensor:
        """See :meth:`LazyForeground.whole`."""
        return torch.stack([part.whole() for part in self.parts]).mean(dim=0)

    def patches(self, picture: Tensor, row: Tensor, column: Tensor) -> Tensor:
        """See :meth:`LazyForeground.patches`."""
        return torch.stack([part.patches(picture, row, column) for part in self.parts]).mean(dim=0)


@dataclass(frozen=True)
class Matte:
    """The result of a matting network: tensors on the network's device, or numpy arrays after :meth:`numpy`."""

    alpha: Any  # (B, 1, H, W) in [0, 1]
    colour: Any  # the foreground, or a LazyForeground
    coarse: CoarseMatte  # at coarse resolution
    refined: Any  # (B, 1, H / 4, W / 4) rounded up, 1 where a patch was refined

    @cached_property
    def foreground(self) -> Any:
        """(B, 3, H, W) sRGB in [0, 1], straight; a :class:`LazyForeground` is computed at the first access."""
        return self.colour.whole() if isinstance(self.colour, LazyForeground) else self.colour

    def numpy(self, *parts: str) -> "Matte":
        """The matte with the tensors named in ``parts`` as float32 numpy arrays; all tensors if none is named.

        "coarse" means all tensors of the coarse matte.
        """
        wanted = parts or ("alpha", "foreground", "coarse", "refined")
        arrays = {name: _to_array(getattr(self, name)) for name in wanted if name != "coarse"}
        if "foreground" in arrays:
            arrays["colour"] = arrays.pop("foreground")
        if "coarse" in wanted:
            arrays["coarse"] = CoarseMatte(*map(_to_array, self.coarse))
        return replace(self, **arrays)


def _to_array(tensor: Tensor) -> Any:
    return tensor.detach().float().cpu().numpy()
