"""The whole matting network: coarse matte, then refined patches, at any image size (Lin et al. 2021, section 4)."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from howard.matting.coarse import CoarseMatte, CoarseNetwork
from howard.matting.code_values import pad_to_multiple, resize
from howard.matting.lazy_foreground import LazyForeground, NetworkForeground
from howard.matting.person_maps import PersonMaps
from howard.matting.refiner import Refiner, RefineSettings, coarse_only
from howard.matting.tiles import PATCH


@dataclass(frozen=True)
class Matte:
    """A finished matte; tensors on the network's device, or numpy arrays after :meth:`numpy`."""

    alpha: Any  # (B, 1, H, W) in [0, 1]
    colour: Any  # the foreground, or a LazyForeground
    coarse: CoarseMatte  # at coarse resolution
    refined: Any  # (B, 1, H / 4, W / 4) rounded up, 1 where a patch was refined

    @cached_property
    def foreground(self) -> Any:
        """(B, 3, H, W) sRGB in [0, 1], straight; a :class:`LazyForeground` is computed when first asked for."""
        return self.colour.whole() if isinstance(self.colour, LazyForeground) else self.colour

    def numpy(self, *parts: str) -> "Matte":
        """The same with tensors as float32 numpy arrays on the CPU: those named in ``parts``, all where none is.

        "coarse" stands for all that is in it.
        """
        wanted = parts or ("alpha", "foreground", "coarse", "refined")
        arrays = {name: _array(getattr(self, name)) for name in wanted if name != "coarse"}
        if "foreground" in arrays:
            arrays["colour"] = arrays.pop("foreground")
        if "coarse" in wanted:
            arrays["coarse"] = CoarseMatte(*map(_array, self.coarse))
        return replace(self, **arrays)


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
            source: (B, 3, H, W) sRGB, code values (:data:`howard.matting.code_values.FULL_CODES`) or floating-point in
                [0, 1]; any H and W of at least 4.
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
        source, plate = pad_to_multiple(source, PATCH), pad_to_multiple(plate, PATCH)
        coverage = None if coverage is None else pad_to_multiple(coverage, PATCH)
        # Hidden features are computed where they are read, unless gradients are asked for or a graph is drawn.
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
        """The coarse network alone on pictures of full size; arguments as :meth:`forward`."""
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
    """The factor c by which the coarse network runs smaller: max(2, long side / 480); 4 at 1080p, 8 at 4K."""
    return max(2.0, max(height, width) / long_side)


def _array(tensor: Tensor) -> Any:
    return tensor.detach().float().cpu().numpy()
