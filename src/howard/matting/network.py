"""The whole matting network: coarse matte, then refined patches, at any image size (Lin et al. 2021, section 4)."""

from typing import Any, NamedTuple

import torch.nn.functional as F
from torch import Tensor

from howard.matting.coarse import CoarseMatte, CoarseNetwork
from howard.matting.person_maps import PersonMaps
from howard.matting.refiner import Refiner, RefineSettings, enlarge
from howard.matting.tiles import PATCH


class Matte(NamedTuple):
    """A finished matte; tensors on the network's device, or numpy arrays after :meth:`numpy`."""

    alpha: Any  # (B, 1, H, W) in [0, 1]
    foreground: Any  # (B, 3, H, W) sRGB in [0, 1], straight
    coarse: CoarseMatte  # at coarse resolution
    refined: Any  # (B, 1, H / 4, W / 4) rounded up, 1 where a patch was refined

    def numpy(self, *parts: str) -> "Matte":
        """The same with tensors as float32 numpy arrays on the CPU: those named in ``parts``, all where none is.

        "coarse" stands for all that is in it.
        """
        wanted = parts or self._fields
        return self._replace(
            **{
                name: CoarseMatte(*map(_array, self.coarse)) if name == "coarse" else _array(getattr(self, name))
                for name in wanted
            }
        )


class MattingNetwork(CoarseNetwork):
    """Coarse network and refiner. Constructor arguments as :class:`CoarseNetwork`.

    Args:
        has_refiner: False enlarges the coarse matte bilinearly and refines nothing, for weights of a coarse stage.
    """

    def __init__(
        self,
        encoder: str = "resnet50",
        aspp_channels: int = 256,
        decoder_widths: tuple[int, int, int] = (128, 64, 48),
        extra_inputs: tuple[str, ...] = (),
        has_refiner: bool = True,
        person_prior: bool = False,
    ) -> None:
        super().__init__(encoder, aspp_channels, decoder_widths, extra_inputs, has_refiner, person_prior)
        self.refiner = Refiner() if has_refiner else None

    def forward(  # type: ignore[override]
        self,
        source: Tensor,
        plate: Tensor,
        coverage: Tensor | None = None,
        person: PersonMaps | None = None,
        *,
        coarse_scale: float,
        refine: RefineSettings = RefineSettings(),  # noqa: B008 (immutable)
    ) -> Matte:
        """Matte a batch at full resolution.

        Args:
            source: (B, 3, H, W) sRGB in [0, 1], any H and W of at least 4.
            plate: like ``source``, aligned to it; 0 where not covered.
            coverage: (B, 1, H, W) in [0, 1] or None for everywhere.
            person: see :meth:`CoarseNetwork.forward`.
            coarse_scale: c; the coarse network runs at 1 / c of the size.
            refine: which patches the refiner works on.

        Raises:
            ValueError: shapes of source and plate differ.
        """
        if source.shape != plate.shape:
            raise ValueError(f"source {tuple(source.shape)} and plate {tuple(plate.shape)} differ in shape")
        height, width = source.shape[2:]
        source, plate = _pad_to_patches(source), _pad_to_patches(plate)
        coverage = None if coverage is None else _pad_to_patches(coverage)
        coarse = self.coarse_matte(source, plate, coverage, person, coarse_scale=coarse_scale)
        refined = self.refiner(source, plate, coarse, refine) if self.refiner else enlarge(coarse, source.shape[2:])
        alpha = refined.alpha.clamp(0, 1)[..., :height, :width]
        foreground = (refined.residual + source).clamp_(0, 1)[..., :height, :width]
        return Matte(alpha, foreground, coarse, refined.patches)

    def coarse_matte(
        self,
        source: Tensor,
        plate: Tensor,
        coverage: Tensor | None,
        person: PersonMaps | None = None,
        *,
        coarse_scale: float,
    ) -> CoarseMatte:
        """The coarse network alone on pictures of full size; arguments as :meth:`forward`."""
        size = [max(1, round(length / coarse_scale)) for length in source.shape[2:]]
        small = [F.interpolate(image, size=size, mode="bilinear", align_corners=False) for image in (source, plate)]
        if coverage is not None:
            coverage = F.interpolate(coverage, size=size, mode="bilinear", align_corners=False)
        return super().forward(small[0], small[1], coverage, person)


def coarse_scale(height: int, width: int, long_side: int = 480) -> float:
    """The factor c by which the coarse network runs smaller: max(2, long side / 480); 4 at 1080p, 8 at 4K."""
    return max(2.0, max(height, width) / long_side)


def _pad_to_patches(image: Tensor) -> Tensor:
    """Replicate the last row and column until both sides divide by the side of a patch."""
    height, width = image.shape[2:]
    missing = (0, -width % PATCH, 0, -height % PATCH)
    return F.pad(image, missing, mode="replicate") if any(missing) else image


def _array(tensor: Tensor) -> Any:
    return tensor.detach().float().cpu().numpy()
