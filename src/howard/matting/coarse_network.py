"""The coarse network ("base"): a whole matte at a fraction of the resolution (Lin et al. 2021, section 4.1)."""

from functools import reduce
from itertools import product
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from howard.matting.aspp import ASPP
from howard.matting.decoder import Decoder
from howard.matting.encoders import Features, build_encoder
from howard.matting.inward_clamp import clamp_inward
from howard.matting.joining import join, part
from howard.matting.lazy_hidden import LazyHidden
from howard.matting.person_maps import PersonMaps
from howard.matting.person_projections import PersonProjections

HIDDEN_CHANNELS = 32
# What a network can be given beside source and plate.
EXTRA_INPUTS = ("coverage", "difference")
_MATTE_CHANNELS = 1 + 3 + 1  # alpha, residual, error


class CoarseMatte(NamedTuple):
    """What the coarse network sees in one batch, all at its own resolution (h, w).

    ``residual`` is unclamped, as the refiner needs it; ``error`` estimates |alpha - true alpha|.
    """

    alpha: Tensor  # (B, 1, h, w) in [0, 1]
    residual: Tensor  # (B, 3, h, w), foreground - source
    foreground: Tensor  # (B, 3, h, w) in [0, 1], clamp(source + residual)
    error: Tensor  # (B, 1, h, w) in [0, 1]
    # (B, 32, h, w), >= 0, or a LazyHidden that computes it; (B, 0, h, w) where nobody has a use for it.
    hidden: Any

    def without_hidden(self) -> "CoarseMatte":
        """The same without the hidden features."""
        return self._replace(hidden=self.alpha[:, :0])


class CoarseNetwork(nn.Module):
    """Encoder, ASPP and decoder over a source and its plate.

    Args:
        encoder: one of :data:`howard.matting.encoders.ENCODERS`.
        aspp_channels: 256 in the paper.
        decoder_widths: (128, 64, 48) in the paper.
        extra_inputs: channels beside source and plate, of :data:`EXTRA_INPUTS`: the plate's coverage, and
            :func:`tolerant_difference`, which the network makes itself.
        gives_hidden: whether the features that a refiner starts from are wanted; their weights are there in any case.
        person_prior: whether the network takes :class:`PersonMaps`, so that it knows people where the plate looks
            like them.
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
            raise ValueError(f"unknown extra input {sorted(unknown)[0]!r}; choose of {', '.join(EXTRA_INPUTS)}")
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
        """Matte a batch at the resolution it is given in.

        Args:
            source: (B, 3, h, w) sRGB in [0, 1].
            plate: (B, 3, h, w) sRGB in [0, 1], aligned to the source; 0 where not covered.
            coverage: (B, 1, h, w) in [0, 1], 1 where the plate saw the place; None means everywhere. Ignored by a
                network without that input.
            person: the person prior's maps of the source; None means that the subject may be anything. Ignored by a
                network without that input.
            lazy_hidden: whether the hidden features are left to be computed where they are read.
        """
        extra = self._extra(source, plate, coverage)
        # Inference in half precision keeps the weights in it; what comes in and goes out stays as it is.
        dtype = self.decoder.conv4.weight.dtype
        pair = join(source, plate).to(dtype)
        features = self.backbone(pair, extra if extra is None else extra.to(dtype))
        if self.person is not None and person is not None:
            features = Features(features.stride2, *self.person(person, features[1:]))
        gives_whole = self.gives_hidden and not lazy_hidden
        decoded = self.decoder(self.aspp(features.stride16), features, pair, None if gives_whole else _MATTE_CHANNELS)
        outputs = decoded.outputs.to(source.dtype)
        alpha, residual, error, whole = part(outputs, 1, 3, 1, HIDDEN_CHANNELS if gives_whole else 0)
        hidden: Tensor | LazyHidden = whole.relu()
        if self.gives_hidden and lazy_hidden:
            last = slice(_MATTE_CHANNELS, _MATTE_CHANNELS + HIDDEN_CHANNELS)
            conv = self.decoder.conv4
            hidden = LazyHidden(decoded.features, conv.weight[last], conv.bias[last], source.dtype)  # type: ignore[index]
        return CoarseMatte(alpha.clamp(0, 1), residual, (source + residual).clamp(0, 1), clamp_inward(error), hidden)

    def _extra(self, source: Tensor, plate: Tensor, coverage: Tensor | None) -> Tensor | None:
        """The extra inputs in the order that the network was built with, (B, n, h, w)."""
        made = []
        for name in self.extra_inputs:
            if name == "difference":
                made.append(tolerant_difference(source, plate))
            else:
                made.append(torch.ones_like(source[:, :1]) if coverage is None else coverage)
        return join(*made) if made else None


def tolerant_difference(source: Tensor, plate: Tensor, reach: int = 2) -> Tensor:
    """The smallest difference of a source pixel from any plate pixel near it: what a misalignment does not explain.

    Args:
        source: (B, C, h, w).
        plate: like ``source``.
        reach: how far a plate pixel may be away, in rows and in columns.

    Returns:
        (B, 1, h, w), the mean of the channels' absolute differences.
    """
    height, width = source.shape[2:]
    padded = F.pad(plate, (reach,) * 4, mode="replicate")
    differences = (
        (source - padded[..., down : down + height, right : right + width]).abs().mean(dim=1, keepdim=True)
        for down, right in product(range(2 * reach + 1), repeat=2)
    )
    return reduce(torch.minimum, differences)
