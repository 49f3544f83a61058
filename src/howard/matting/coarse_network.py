"""The coarse network ("base"): the whole matte at a fraction of the resolution (Lin et al. 2021, section 4.1)."""

from functools import reduce
from itertools import product
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from howard.matting.coarse_modules import ASPP, Decoder, LazyHidden, PersonProjections
from howard.matting.encoders import Features, build_encoder
from howard.matting.network_operations import clamp_inward, concat_channels, split_channels
from howard.matting.person_maps import PersonMaps

HIDDEN_CHANNELS = 32
# Possible inputs in addition to source and plate.
EXTRA_INPUTS = ("coverage", "difference")
_MATTE_CHANNELS = 1 + 3 + 1  # alpha, residual, error


class CoarseMatte(NamedTuple):
    """The coarse network's output for one batch, at its own resolution (h, w).

    ``residual`` is not clamped, as the refiner needs it; ``error`` is the predicted |alpha - true alpha|.
    """

    alpha: Tensor  # (B, 1, h, w) in [0, 1]
    residual: Tensor  # (B, 3, h, w), foreground - source
    foreground: Tensor  # (B, 3, h, w) in [0, 1], clamp(source + residual)
    error: Tensor  # (B, 1, h, w) in [0, 1]
    # Features for the refiner: (B, 32, h, w), >= 0, or a LazyHidden that computes them; (B, 0, h, w) if not needed.
    hidden: Any

    def without_hidden(self) -> "CoarseMatte":
        """The matte without its hidden features, which become (B, 0, h, w)."""
        return self._replace(hidden=self.alpha[:, :0])


class CoarseNetwork(nn.Module):
    """Encoder, ASPP and decoder over a source and its plate.

    Args:
        encoder: one of :data:`howard.matting.encoders.ENCODERS`.
        aspp_channels: 256 in the paper.
        decoder_widths: (128, 64, 48) in the paper.
        extra_inputs: additional input channels, of :data:`EXTRA_INPUTS`: the plate's coverage, and
            :func:`tolerant_difference`, which the network computes itself.
        gives_hidden: whether the output includes the features for the refiner; their weights exist in any case.
        person_prior: whether the network takes :class:`PersonMaps`, so that it recognises people where their colour is
            that of the plate.

    Raises:
        ValueError: an encoder or extra input is unknown.
    """

    def __init__(
        self,
        encoder: str = "resnet50",
        aspp_channels: int = 256,
        decoder_widths: tuple[int, int, int] = (128, 64, 48),
        extra_inputs: tuple[str, ...] = (),
        gives_hidden: bool = True,
        person_prior: bool = False,
    ) -> None:
        super().__init__()
        unknown = set(extra_inputs) - set(EXTRA_INPUTS)
        if unknown:
            raise ValueError(f"unknown extra input {sorted(unknown)[0]!r}; choose from {', '.join(EXTRA_INPUTS)}")
        self.extra_inputs, self.gives_hidden = tuple(extra_inputs), gives_hidden
        self.backbone = build_encoder(encoder, len(extra_inputs))
        channels = self.backbone.channels
        self.aspp = ASPP(channels[3], aspp_channels)
        self.decoder = Decoder(aspp_channels, channels[:3], decoder_widths, _MATTE_CHANNELS + HIDDEN_CHANNELS)
        self.person: PersonProjections | None = None
        if person_prior:
            self.person = PersonProjections(channels[1:])

    def forward(
        self,
        source: Tensor,
        plate: Tensor,
        coverage: Tensor | None = None,
        person: PersonMaps | None = None,
        *,
        lazy_hidden: bool = False,
    ) -> CoarseMatte:
        """Matte a batch at the resolution of the input.

        Args:
            source: (B, 3, h, w) sRGB in [0, 1].
            plate: (B, 3, h, w) sRGB in [0, 1], aligned to the source; 0 where not covered.
            coverage: (B, 1, h, w) in [0, 1], 1 where the plate shows the background; None means everywhere. Ignored by
                a network without that input.
            person: the person prior's maps of the source; None means that the subject may be anything. Ignored by a
                network without that input.
            lazy_hidden: whether ``hidden`` of the result is a :class:`LazyHidden`.
        """
        extra = self._extra(source, plate, coverage)
        # Weights may be in half precision; inputs and outputs keep their own type.
        dtype = self.decoder.conv4.weight.dtype
        pair = concat_channels(source, plate).to(dtype)
        features = self.backbone(pair, extra if extra is None else extra.to(dtype))
        if self.person is not None and person is not None:
            features = Features(features.stride2, *self.person(person, features[1:]))
        has_hidden = self.gives_hidden and not lazy_hidden
        decoded = self.decoder(self.aspp(features.stride16), features, pair, None if has_hidden else _MATTE_CHANNELS)
        outputs = decoded.outputs.to(source.dtype)
        alpha, residual, error, raw_hidden = split_channels(outputs, 1, 3, 1, HIDDEN_CHANNELS if has_hidden else 0)
        hidden: Tensor | LazyHidden = raw_hidden.relu()
        if self.gives_hidden and lazy_hidden:
            last = slice(_MATTE_CHANNELS, _MATTE_CHANNELS + HIDDEN_CHANNELS)
            conv = self.decoder.conv4
            hidden = LazyHidden(decoded.features, conv.weight[last], conv.bias[last], source.dtype)  # type: ignore[index]
        return CoarseMatte(alpha.clamp(0, 1), residual, (source + residual).clamp(0, 1), clamp_inward(error), hidden)

    def _extra(self, source: Tensor, plate: Tensor, coverage: Tensor | None) -> Tensor | None:
        """The extra inputs, in the order of ``extra_inputs``, (B, n, h, w); None if there are none."""
        inputs = []
        for name in self.extra_inputs:
            if name == "difference":
                inputs.append(tolerant_difference(source, plate))
            else:
                inputs.append(torch.ones_like(source[:, :1]) if coverage is None else coverage)
        return concat_channels(*inputs) if inputs else None


def tolerant_difference(source: Tensor, plate: Tensor, radius: int = 2) -> Tensor:
    """The smallest difference of a source pixel from the plate pixels around it, which tolerates a small misalignment.

    Args:
        source: (B, C, h, w).
        plate: like ``source``.
        radius: of the square of plate pixels that are compared, in pixels.

    Returns:
        (B, 1, h, w), the mean over the channels of the absolute difference.
    """
    height, width = source.shape[2:]
    padded = F.pad(plate, (radius,) * 4, mode="replicate")
    differences = (
        (source - padded[..., down : down + height, right : right + width]).abs().mean(dim=1, keepdim=True)
        for down, right in product(range(2 * radius + 1), repeat=2)
    )
    return reduce(torch.minimum, differences)
