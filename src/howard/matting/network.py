"""The matting network: a coarse matte, then refined patches, at any image size (Lin et al. 2021, section 4)."""

import torch
from torch import Tensor

from howard.matting.coarse_network import CoarseMatte, CoarseNetwork
from howard.matting.code_values import check_same_shape, pad_to_multiple, resize
from howard.matting.matte import Matte, NetworkForeground
from howard.matting.person_maps import PersonMaps
from howard.matting.refiner import Refiner, RefineSettings, coarse_only
from howard.matting.tiles import PATCH


class MattingNetwork(CoarseNetwork):
    """Coarse network and refiner. Constructor arguments as :class:`CoarseNetwork`.

    Args:
        has_refiner: False upsamples the coarse matte bilinearly without refinement, for weights of coarse training.
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
            source: (B, 3, H, W) sRGB, code values (:data:`howard.matting.code_values.FULL_CODES`) or floating-point in
                [0, 1]; any H and W of at least 4.
            plate: like ``source``, aligned to it; 0 where not covered.
            coverage: (B, 1, H, W) in [0, 1] or None for everywhere.
            person: see :meth:`CoarseNetwork.forward`.
            coarse_scale: c; the coarse network runs at 1 / c of the size.
            refine: which patches are refined.

        Raises:
            ValueError: shapes of source and plate differ.
        """
        check_same_shape(source, plate)
        height, width = source.shape[2:]
        source, plate = pad_to_multiple(source, PATCH), pad_to_multiple(plate, PATCH)
        coverage = None if coverage is None else pad_to_multiple(coverage, PATCH)
        # Lazy hidden features support neither gradients nor the export of a graph.
        is_lazy = source.device.type == "cpu" and not torch.is_grad_enabled() and not torch.compiler.is_exporting()
        coarse = self._coarse_matte(source, plate, coverage, person, coarse_scale, is_lazy)
        if self.refiner is None:
            refined = coarse_only(coarse, source.shape[2:])
        else:
            refined = self.refiner(source, plate, coarse, refine)
        alpha = refined.alpha.clamp_(0, 1)[..., :height, :width]
        foreground = NetworkForeground(source, refined, (height, width))
        coarse = coarse if isinstance(coarse.hidden, Tensor) else coarse.without_hidden()
        return Matte(alpha, foreground, coarse, refined.patches)

    def coarse_matte(
        self,
        source: Tensor,
        plate: Tensor,
        coverage: Tensor | None = None,
        person: PersonMaps | None = None,
        *,
        coarse_scale: float,
    ) -> CoarseMatte:
        """The coarse network alone, for images of full size; arguments as :meth:`forward`."""
        return self._coarse_matte(source, plate, coverage, person, coarse_scale, is_lazy=False)

    def _coarse_matte(
        self,
        source: Tensor,
        plate: Tensor,
        coverage: Tensor | None,
        person: PersonMaps | None,
        coarse_scale: float,
        is_lazy: bool,
    ) -> CoarseMatte:
        size = max(1, round(source.shape[2] / coarse_scale)), max(1, round(source.shape[3] / coarse_scale))
        source, plate = resize(source, size), resize(plate, size)
        coverage = None if coverage is None else resize(coverage, size).clamp(0, 1)
        return super().forward(source, plate, coverage, person, lazy_hidden=is_lazy)


def coarse_scale(height: int, width: int, long_side: int = 480) -> float:
    """The factor c by which images are reduced for the coarse network: max(2, long side / 480); 4 at 1080p, 8 at 4K."""
    return max(2.0, max(height, width) / long_side)
