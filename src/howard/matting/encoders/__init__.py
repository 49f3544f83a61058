"""The encoders, by name."""

from collections.abc import Callable

from howard.matting.encoders.base import Encoder, Features, six_channel_stem
from howard.matting.encoders.efficientnet_lite import EfficientNetLite0Encoder
from howard.matting.encoders.mobilenetv2 import MobileNetV2Encoder
from howard.matting.encoders.resnet import ResNetEncoder

ENCODERS: dict[str, Callable[[], Encoder]] = {
    "resnet50": lambda: ResNetEncoder((3, 4, 6, 3)),
    "resnet101": lambda: ResNetEncoder((3, 4, 23, 3)),
    "mobilenetv2": MobileNetV2Encoder,
    "efficientnet_lite0": EfficientNetLite0Encoder,
}


def build_encoder(name: str, extra_inputs: int = 0) -> Encoder:
    """Make an encoder with random weights (He initialisation).

    Raises:
        ValueError: no encoder has that name.
    """
    if name not in ENCODERS:
        raise ValueError(f"unknown encoder {name!r}; choose one of {', '.join(ENCODERS)}")
    encoder = ENCODERS[name]()
    encoder.add_extra_inputs(extra_inputs)
    return encoder


__all__ = ["ENCODERS", "Encoder", "Features", "build_encoder", "six_channel_stem"]
