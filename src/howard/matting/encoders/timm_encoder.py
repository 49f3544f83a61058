"""Encoders of the optional package timm: ``model.encoder=timm/convnextv2_atto``."""

import re
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from howard.errors import SettingsError
from howard.matting.encoders.base import Encoder, Features, initialise_convolutions, six_channel_stem
from howard.requirements import require

PREFIX = "timm/"
# Names of timm's built-in architectures only: opening a weights file must not trigger a download.
_NAME = re.compile(r"[A-Za-z0-9_]+")
_STRIDES = (4, 8, 16)  # of the features that an architecture must have
_STEM_CHANNELS = 32  # at stride 2, for architectures that begin with stride 4
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as in the training of timm's weights


class TimmEncoder(Encoder):
    """A network of timm up to stride 16, with an additional convolution for stride 2 if the network has none.

    Extra inputs are added to the six input channels after a 1x1 convolution.

    Args:
        name: of the architecture, without the tag of its weights.

    Raises:
        MissingPackageError: timm is not installed.
        SettingsError: timm has no such architecture, or it has no features at strides 4, 8 and 16.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.indices, channels, self.has_stride2 = _choose_levels(name)
        self.body = _create(name, 6, self.indices)
        self.stem: nn.Module | None = None
        if not self.has_stride2:
            self.stem = nn.Sequential(
                nn.Conv2d(6, _STEM_CHANNELS, 3, 2, 1, bias=False), nn.BatchNorm2d(_STEM_CHANNELS), nn.ReLU(inplace=True)
            )
            initialise_convolutions(self.stem)
            channels = (_STEM_CHANNELS, *channels)
        self.channels: tuple[int, int, int, int] = channels  # type: ignore[misc]
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.tensor(_MEAN * 2).view(1, 6, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION * 2).view(1, 6, 1, 1), persistent=False)

    def add_extra_inputs(self, count: int) -> None:
        if count:
            self.extra_stem = nn.Conv2d(count, 6, 1, bias=False)
            nn.init.zeros_(self.extra_stem.weight)

    def forward(self, pair: Tensor, extra: Tensor | None = None) -> Features:
        """(B, 6, H, W) source and plate in [0, 1], extra inputs (B, n, H, W) or None, to four feature maps."""
        height, width = pair.shape[2:]
        x = self.with_extra((pair - self.mean.to(pair.dtype)) / self.deviation.to(pair.dtype), extra)
        # Stems without padding drop the pixels of incomplete patches.
        x = F.pad(x, (0, -width % 16, 0, -height % 16), mode="replicate")
        found = list(self.body(x))
        if self.stem is not None:
            found.insert(0, self.stem(x))
        maps = []
        for each, stride, channels in zip(found, (2, 4, 8, 16), self.channels, strict=True):
            if each.shape[1] != channels:
                raise SettingsError(f"model.encoder={PREFIX}{self.name} has its channels last, which is not supported")
            maps.append(each[..., : -(-height // stride), : -(-width // stride)])
        return Features(*maps)

    def load_pretrained(self) -> None:
        """Load timm's published weights from its cache or the internet; the first layer gets :func:`six_channel_stem`.

        Raises:
            SettingsError: there are no weights, or they cannot be loaded.
        """
        try:
            published = _create(self.name, 3, self.indices, pretrained=True).state_dict()
        except (RuntimeError, OSError) as error:
            line = " ".join(str(error).split())
            raise SettingsError(f"timm has no pretrained weights of {self.name} at hand: {line}") from error
        ours = self.body.state_dict()
        for name, value in published.items():
            if value.ndim == 4 and value.shape[1] == 3 and ours[name].shape[1] == 6:
                published[name] = six_channel_stem(value)
        self.body.load_state_dict(published)


def is_timm_name(encoder: str) -> bool:
    """Whether an encoder's name has the form of a timm architecture; timm is not imported to check that it exists."""
    return encoder.startswith(PREFIX) and _NAME.fullmatch(encoder.removeprefix(PREFIX)) is not None


def _choose_levels(name: str) -> tuple[tuple[int, ...], tuple[int, ...], bool]:
    """Indices and channels of the deepest features of each stride, and whether there are features at stride 2."""
    info = _create(name, 3, None).feature_info
    deepest = {stride: index for index, stride in enumerate(info.reduction())}
    lacking = [stride for stride in _STRIDES if stride not in deepest]
    if lacking:
        raise SettingsError(f"model.encoder={PREFIX}{name} has no features at stride {lacking[0]}; choose another")
    indices = tuple(deepest[stride] for stride in (2, *_STRIDES) if stride in deepest)
    return indices, tuple(info.channels()[index] for index in indices), 2 in deepest


def _create(name: str, channels: int, indices: Sequence[int] | None, pretrained: bool = False) -> Any:
    timm = require("timm", f"model.encoder={PREFIX}{name}")
    if name not in timm.list_models():
        raise SettingsError(f"timm has no model '{name}'; timm.list_models() lists them")
    chosen = {} if indices is None else {"out_indices": tuple(indices)}
    return timm.create_model(name, pretrained=pretrained, features_only=True, in_chans=channels, **chosen)
