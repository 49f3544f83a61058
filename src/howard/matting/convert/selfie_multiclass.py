"""Converts MediaPipe's Selfie Multiclass to the weights of :class:`howard.matting.person_prior.PersonPrior`.

The published model has sequences of linear operations without an activation between them: 1x1 depthwise convolutions,
channelwise scales and offsets before linear layers, and pairs of linear layers. Each sequence is merged into one layer,
computed in float64.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.errors import InputError
from howard.matting.convert.tflite_layers import Layer, read_tflite_layers
from howard.matting.person_prior import PersonPrior
from howard.matting.state_files import State, load_strictly

METADATA = {
    "format": 1,
    "name": "person_prior",
    "source": "MediaPipe Selfie Multiclass, selfie_multiclass_256x256.tflite, float32, Google",
    "licence": "Apache-2.0",
}
# Names of tensors stored in float32: fp16 kernels in the first layers change the person's probability by up to 0.03.
FLOAT32_PREFIXES = ("stem.", "to_stride2.", "to_stride4.")
_LAYERS = 98  # layers with weights in the published model


def convert_selfie_multiclass(path: Path) -> State:
    """Read the weights of a :class:`PersonPrior`, float32, from ``selfie_multiclass_256x256.tflite``.

    Raises:
        InputError: the file is not that model.
    """
    layers = read_tflite_layers(path)
    if len(layers) != _LAYERS:
        raise InputError(f"{path} has {len(layers)} layers with weights, Selfie Multiclass has {_LAYERS}")
    try:
        state = {name: value.float() for name, value in _assemble(iter(layers)).items()}
    except (RuntimeError, ValueError) as error:  # consecutive layers with incompatible shapes
        raise InputError(f"{path} is not Selfie Multiclass ({error})") from None
    load_strictly(PersonPrior(), state, path)
    return state


def _assemble(layers: Iterator[Layer]) -> State:
    """Build the state from layers in the execution order of the published model."""
    state: State = {}

    def put(name: str, layer: Layer) -> None:
        state[f"{name}.weight"], state[f"{name}.bias"] = layer.weight, layer.bias

    def put_linear(name: str, layer: Layer) -> None:
        put(name, layer._replace(weight=_matrix(layer)))

    def put_bottleneck(name: str, expand: Layer, is_strided: bool) -> None:
        put(f"{name}.expand", expand)
        put(f"{name}.depthwise", _pad_kernel(next(layers)) if is_strided else next(layers))
        put(f"{name}.project", next(layers))

    def put_attention(name: str, depth: int) -> Layer:
        """Put an attention block, and return its last linear layer, which is merged into the layers that follow."""
        put(f"{name}.reduce", next(layers))
        put(f"{name}.mix", next(layers))
        for number in range(depth):
            scale, offset = next(layers).weight, next(layers).weight
            first, second = next(layers), next(layers)
            block = f"{name}.attention.{number}"
            put_linear(f"{block}.feed_forward", _merge_affine(_chain(first, second), scale, offset))
            for part in ("score", "context", "value"):
                put_linear(f"{block}.{part}", _merge_affine(next(layers), scale, offset))
            put_linear(f"{block}.output", next(layers))
        return next(layers)

    put("stem", _pad_kernel(next(layers)))
    put("pyramid.laterals.3", _chain(next(layers), next(layers)))
    put_bottleneck("to_stride2", next(layers), is_strided=False)
    put_bottleneck("to_stride4.0", next(layers), is_strided=True)
    put_bottleneck("to_stride4.1", next(layers), is_strided=False)
    put("pyramid.laterals.2", _chain(next(layers), next(layers)))
    put_bottleneck("to_stride8.0", next(layers), is_strided=True)
    end = put_attention("to_stride8.1", depth=2)
    put("pyramid.laterals.1", _chain(end, _chain(next(layers), next(layers))))
    put_bottleneck("to_stride16.0", _chain(end, next(layers)), is_strided=True)
    end = put_attention("to_stride16.1", depth=4)
    put("pyramid.laterals.0", _chain(end, _chain(next(layers), next(layers))))
    for number in range(4):
        put(f"pyramid.smooth.{number}.depthwise", next(layers))
        put(f"pyramid.smooth.{number}.pointwise", next(layers))
    for number in range(5):
        put(f"head.{number}.depthwise", next(layers))
        put(f"head.{number}.pointwise", next(layers))
    put("classify", _subpixels(next(layers), next(layers)))
    return state


def _matrix(layer: Layer) -> Tensor:
    """A 1x1 convolution as a matrix (out, in); a 1x1 depthwise one as a diagonal matrix."""
    return layer.weight.flatten().diag() if layer.kind == "depthwise" else layer.weight.flatten(1)


def _chain(first: Layer, second: Layer) -> Layer:
    """Two consecutive 1x1 convolutions merged into one."""
    weight = _matrix(second) @ _matrix(first)
    return Layer("conv", weight[..., None, None], _matrix(second) @ first.bias + second.bias)


def _merge_affine(layer: Layer, scale: Tensor, offset: Tensor) -> Layer:
    """A 1x1 convolution of ``scale * x + offset`` as one of x."""
    return _chain(Layer("depthwise", scale, offset), layer)


def _pad_kernel(layer: Layer) -> Layer:
    """Pad a 3x3 kernel to 4x4 with a first row and column of 0."""
    return layer._replace(weight=F.pad(layer.weight, (1, 0, 1, 0)))


def _subpixels(transposed: Layer, classify: Layer) -> Layer:
    """Merge a 2x2 transposed convolution of stride 2 and a 1x1 one into a 1x1 convolution before a pixel shuffle."""
    weight = torch.einsum("co,iohw->chwi", _matrix(classify), transposed.weight)
    bias = _matrix(classify) @ transposed.bias + classify.bias
    return Layer("conv", weight.flatten(0, 2)[..., None, None], bias.repeat_interleave(4))
