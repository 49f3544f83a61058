"""Pretrained weights of encoder and ASPP, from published ImageNet encoders and DeepLabV3 networks."""

from pathlib import Path

from torch import nn

from howard.errors import WeightsError
from howard.matting.coarse_network import CoarseNetwork
from howard.matting.encoders import Encoder, EncoderEntry, six_channel_stem
from howard.matting.state_files import State, load_strictly, read_pth

_ENCODER = "backbone."
# Prefix of the ASPP's names in files of torchvision, and of VainF/DeepLabV3Plus-Pytorch, which the reference
# implementation uses; the rest of the names is the same in both and in this network.
_ASPP = ("classifier.classifier.0.", "classifier.0.")
# Unused parts of a DeepLabV3: the last layers of its segmentation head, and an auxiliary head.
_HEADS = ("classifier.", "aux_classifier.")
_BATCH_COUNTER = "num_batches_tracked"


def load_pretrained(network: CoarseNetwork, entry: EncoderEntry, path: Path) -> str:
    """Load published weights into a network's encoder, and into its ASPP if the file has one.

    Args:
        network: changed in place.
        entry: its encoder's entry in :data:`howard.matting.encoders.ENCODERS`.
        path: a ``.pth`` file: torchvision's ImageNet weights of an encoder, or a DeepLabV3 with a ResNet, torchvision's
            (``deeplabv3_resnet50_coco``) or that of VainF/DeepLabV3Plus-Pytorch.

    Returns:
        The names of the loaded parts.

    Raises:
        WeightsError: as :func:`load_strictly`; or the file is a whole matting network.
    """
    state = read_pth(path)
    if not any(name.startswith(_ENCODER) for name in state):
        load_imagenet_encoder(network.backbone, entry, path)
        return "encoder"
    if any(name.startswith("decoder.") for name in state):
        raise WeightsError(f"{path} is a whole matting network: give init={path} instead of encoder_weights")
    encoder, aspp = {}, {}
    for name, value in state.items():
        prefix = next((each for each in (_ENCODER, *_ASPP) if name.startswith(each)), None)
        if prefix is not None:
            (encoder if prefix == _ENCODER else aspp)[name.removeprefix(prefix)] = value
        elif not name.startswith(_HEADS):
            raise WeightsError(f"{path} has unexpected {name}; it is not a DeepLabV3 network")
    _load_encoder(network.backbone, encoder, path)
    _load(network.aspp, aspp, path)
    return "encoder and ASPP"


def load_imagenet_encoder(encoder: Encoder, entry: EncoderEntry, path: Path) -> None:
    """Load 3-channel ImageNet weights into an encoder, whose stem gets :func:`six_channel_stem`.

    The classifier (and last 1x1 block) of published ImageNet networks is dropped; all other names must fit.

    Args:
        encoder: changed in place.
        entry: the encoder's entry in :data:`howard.matting.encoders.ENCODERS`.
        path: a ``.pth`` file.

    Raises:
        WeightsError: as :func:`load_strictly`.
    """
    published = {entry.rename(name): value for name, value in read_pth(path).items()}
    state = {name: value for name, value in published.items() if not name.startswith(entry.imagenet_head)}
    _load_encoder(encoder, state, path)


def _load_encoder(encoder: Encoder, state: State, path: Path) -> None:
    kernel = state.get(encoder.stem_name)
    if kernel is not None and kernel.shape[1] == 3:
        state = state | {encoder.stem_name: six_channel_stem(kernel)}
    if encoder.extra_stem is not None:
        state = state | {"extra_stem.weight": encoder.extra_stem.weight.detach()}
    _load(encoder, state, path)


def _load(module: nn.Module, state: State, path: Path) -> None:
    # Files from before torch 0.4.1 lack these counters, which are used neither in evaluation nor with a momentum.
    counters = {name: value for name, value in module.state_dict().items() if name.endswith(_BATCH_COUNTER)}
    load_strictly(module, counters | state, path)
