"""Person prior: a network that segments an image of a person into classes, and whose features are used as well.

It is MediaPipe's "Selfie Multiclass" (Google, Apache License 2.0): a MobileNet-like trunk, linear attention between the
pixels at the same position in 4x4 patches (Mehta & Rastegari, "Separable Self-attention for Mobile Vision
Transformers", 2022), and a feature pyramid (Lin et al., CVPR 2017). Consecutive linear layers without an activation are
merged into one layer; :mod:`howard.matting.convert` converts the published weights accordingly.
"""

import json
from pathlib import Path
from typing import NamedTuple

import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from howard.errors import WeightsError
from howard.matting.state_files import load_strictly

CLASSES = ("background", "hair", "body_skin", "face_skin", "clothes", "other")
INPUT_SIZE = 256  # side of the square input that the network was trained with, in pixels
METADATA_KEY = "howard_person_prior"
_PATCH = 4  # side of the patches of the attention, in pixels of its feature map
PRIOR_WEIGHTS = Path(__file__).parent.parent / "pretrained" / "person_prior.safetensors"


class PriorMaps(NamedTuple):
    """The prior's output for a batch of square images of side S; features have the precision of the weights."""

    logits: Tensor  # (B, 6, S, S), of CLASSES, in the dtype of the image
    stride4: Tensor  # (B, 128, S / 4, S / 4)
    stride8: Tensor  # (B, 128, S / 8, S / 8)
    stride16: Tensor  # (B, 192, S / 16, S / 16)


class InvertedBottleneck(nn.Module):
    """1x1 expand, 3x3 depthwise, linear 1x1 projection (Sandler et al., CVPR 2018), optionally with a shortcut."""

    def __init__(
        self, in_channels: int, width: int, out_channels: int, stride: int = 1, has_shortcut: bool = False
    ) -> None:
        super().__init__()
        self.expand = nn.Conv2d(in_channels, width, 1)
        self.depthwise = _depthwise(width) if stride == 1 else _strided(width, width, groups=width)
        self.project = nn.Conv2d(width, out_channels, 1)
        self.has_shortcut = has_shortcut

    def forward(self, x: Tensor) -> Tensor:
        widened = self.depthwise(self.expand(x).relu_()).relu_()
        return x + self.project(widened) if self.has_shortcut else self.project(widened)


class PatchAttention(nn.Module):
    """Linear attention and a linear feed-forward layer in parallel, both added to their input.

    A pixel attends to the pixels at the same position in all patches: their mean, weighted by a softmax over the
    patches of one score per pixel, gates the pixel's values. The shape (B, positions in a patch, patches, C) is kept.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.score = nn.Linear(channels, 1)
        self.value = nn.Linear(channels, channels)
        self.context = nn.Linear(channels, channels)
        self.output = nn.Linear(channels, channels)
        self.feed_forward = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        weights = self.score(x).softmax(dim=2)
        context = self.context(weights.transpose(2, 3) @ x)  # (B, positions, 1, C)
        return self.feed_forward(x).add_(self.output(self.value(x).relu_() * context)).add_(x)


class AttentionBlock(nn.Module):
    """3x3 and 1x1 convolutions with ReLU, then attention between 4x4 patches: (B, C, h, w) to (B, channels, h, w)."""

    def __init__(self, in_channels: int, channels: int, depth: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.mix = nn.Conv2d(channels, channels, 1)
        self.attention = nn.Sequential(*[PatchAttention(channels) for _ in range(depth)])

    def forward(self, x: Tensor) -> Tensor:
        x = self.mix(self.reduce(x).relu_()).relu_()
        rows, columns = x.shape[2] // _PATCH, x.shape[3] // _PATCH
        patches = x.unflatten(3, (columns, _PATCH)).unflatten(2, (rows, _PATCH))  # (B, C, rows, 4, columns, 4)
        attended = self.attention(patches.permute(0, 3, 5, 2, 4, 1).flatten(3, 4).flatten(1, 2))
        patches = attended.unflatten(2, (rows, columns)).unflatten(1, (_PATCH, _PATCH))
        return patches.permute(0, 5, 3, 1, 4, 2).flatten(4, 5).flatten(2, 3)


class SeparableConv(nn.Module):
    """3x3 depthwise and 1x1 convolution; each followed by a ReLU if ``activated``."""

    def __init__(self, in_channels: int, out_channels: int, activated: bool) -> None:
        super().__init__()
        self.depthwise = _depthwise(in_channels)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1)
        self.activated = activated

    def forward(self, x: Tensor) -> Tensor:
        if self.activated:
            return self.pointwise(self.depthwise(x).relu_()).relu_()
        return self.pointwise(self.depthwise(x))


class Pyramid(nn.Module):
    """Feature pyramid: merges features from stride 16 to stride 2 and sums all levels at stride 2, in 64 channels."""

    WIDTH = 64

    def __init__(self, channels: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(nn.Conv2d(each, self.WIDTH, 1) for each in channels)
        self.smooth = nn.ModuleList(SeparableConv(self.WIDTH, self.WIDTH, activated=False) for _ in channels)

    def forward(self, features: list[Tensor]) -> Tensor:
        """Features from stride 16 to stride 2, (B, C, h, w) each, to (B, 64, H / 2, W / 2)."""
        size = features[-1].shape[2:]
        level = total = None
        for feature, lateral, smooth in zip(features, self.laterals, self.smooth, strict=True):
            current = lateral(feature)
            level = current if level is None else _add_enlarged(current, level)
            smoothed = smooth(level)
            if smoothed.shape[2:] != size:
                smoothed = F.interpolate(smoothed, size=size, mode="bilinear", align_corners=False)
            total = smoothed if total is None else total.add_(smoothed)
        assert total is not None
        return total


class PersonPrior(nn.Module):
    """Segments images of people into :data:`CLASSES`; all classes but ``background`` are the person."""

    CLASSES = CLASSES
    FEATURE_CHANNELS = (128, 128, 192)  # at strides 4, 8, 16

    def __init__(self) -> None:
        super().__init__()
        self.stem = _strided(3, 16)
        self.to_stride2 = InvertedBottleneck(16, 96, 64)
        self.to_stride4 = nn.Sequential(
            InvertedBottleneck(64, 384, 128, stride=2), InvertedBottleneck(128, 768, 128, has_shortcut=True)
        )
        self.to_stride8 = nn.Sequential(InvertedBottleneck(128, 768, 256, stride=2), AttentionBlock(256, 128, depth=2))
        self.to_stride16 = nn.Sequential(
            InvertedBottleneck(128, 1536, 384, stride=2), AttentionBlock(384, 192, depth=4)
        )
        self.pyramid = Pyramid((192, 128, 128, 16))
        self.head = nn.Sequential(
            SeparableConv(64, 32, activated=True), *[SeparableConv(32, 32, activated=True) for _ in range(4)]
        )
        self.classify = nn.Conv2d(32, 4 * len(CLASSES), 1)  # 2x2 pixels, before a pixel shuffle

    def forward(self, image: Tensor) -> PriorMaps:
        """Segment a batch of square images.

        Args:
            image: (B, 3, 256, 256) sRGB in [0, 1]; other sizes must be multiples of 64, and the network was not trained
                with them.
        """
        centred = (image * 2 - 1).to(self.stem.weight.dtype)
        stem = self.stem(centred).relu_()
        stride4 = self.to_stride4(self.to_stride2(stem))
        stride8 = self.to_stride8(stride4)
        stride16 = self.to_stride16(stride8)
        decoded = self.head(self.pyramid([stride16, stride8, stride4, stem]))
        logits = F.pixel_shuffle(self.classify(decoded), 2)
        return PriorMaps(logits.to(image.dtype), stride4, stride8, stride16)


def load_person_prior(path: Path = PRIOR_WEIGHTS) -> PersonPrior:
    """Load the prior in evaluation mode, without gradients, float32, on the CPU.

    Raises:
        WeightsError: the file is missing or is not a weights file of the prior.
    """
    try:
        with safe_open(path, framework="pt") as file:
            description = (file.metadata() or {}).get(METADATA_KEY)
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is not a weights file of the person prior: {error}") from None
    if description is None or json.loads(description).get("format") != 1:
        raise WeightsError(f"{path} does not contain the person prior; make it with python -m howard.matting.convert")
    network = PersonPrior()
    load_strictly(network, state, path)
    return network.eval().requires_grad_(False)


def _add_enlarged(fine: Tensor, coarse: Tensor) -> Tensor:
    """Add (B, C, h, w), upsampled to nearest, to (B, C, 2 h, 2 w) in place, without a copy at the larger size."""
    cells = fine.unflatten(3, (-1, 2)).unflatten(2, (-1, 2))
    cells.add_(coarse[:, :, :, None, :, None])
    return fine


def _depthwise(channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, 3, padding=1, groups=channels)


def _strided(in_channels: int, out_channels: int, groups: int = 1) -> nn.Conv2d:
    """A 3x3 convolution with stride 2 and padding below and to the right only, as with TensorFlow's "same".

    The kernel is 4x4 with a first row and column of 0: symmetric padding then gives the same result without a copy.
    """
    return nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, groups=groups)
