"""Reads the layers with weights of a TensorFlow Lite model, in execution order."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from howard.errors import InputError
from howard.requirements import require

_IDENTIFIER = slice(4, 8)  # bytes of the file that are "TFL3"


class Layer(NamedTuple):
    """One operation with its constants, float64.

    ``kind`` is ``conv``, ``depthwise``, ``transposed`` or ``affine`` (a scale or an offset per channel).
    """

    kind: str
    weight: Tensor  # conv: (out, in, h, w); depthwise: (C, 1, h, w); transposed: (in, out, h, w); affine: (C,)
    bias: Tensor  # (out,); empty for affine


def read_tflite_layers(path: Path) -> list[Layer]:
    """Read the constants of a float32 model, channels first.

    Raises:
        InputError: the file is missing or is not a TensorFlow Lite model.
        MissingPackageError: the package ``tflite`` is missing.
    """
    tflite = require("tflite", "reading TensorFlow Lite models")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from None
    if data[_IDENTIFIER] != b"TFL3":
        raise InputError(f"{path} is not a TensorFlow Lite model")
    model = tflite.Model.GetRootAsModel(data, 0)
    graph = model.Subgraphs(0)
    kinds = {
        tflite.BuiltinOperator.CONV_2D: "conv",
        tflite.BuiltinOperator.DEPTHWISE_CONV_2D: "depthwise",
        tflite.BuiltinOperator.TRANSPOSE_CONV: "transposed",
        tflite.BuiltinOperator.MUL: "affine",
        tflite.BuiltinOperator.ADD: "affine",
    }
    layers = []
    for number in range(graph.OperatorsLength()):
        operator = graph.Operators(number)
        code = model.OperatorCodes(operator.OpcodeIndex())
        kind = kinds.get(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))
        constants = [_constant(model, graph.Tensors(int(index))) for index in operator.InputsAsNumpy()]
        floats = [value for value in constants if value is not None]
        if kind is not None and floats:
            layers.append(_layer(kind, *floats))
    return layers


def _constant(model: Any, tensor: Any) -> Tensor | None:
    """A float32 constant as float64; None if the tensor is not constant or has another type."""
    buffer = model.Buffers(tensor.Buffer())
    if tensor.Type() != 0 or not buffer.DataLength():  # 0 is FLOAT32
        return None
    values = torch.frombuffer(bytearray(buffer.DataAsNumpy().tobytes()), dtype=torch.float32)
    return values.reshape(tensor.ShapeAsNumpy().tolist()).double()


def _layer(kind: str, weight: Tensor, bias: Tensor | None = None) -> Layer:
    axes = {"conv": (0, 3, 1, 2), "depthwise": (3, 0, 1, 2), "transposed": (3, 0, 1, 2), "affine": (0,)}[kind]
    return Layer(kind, weight.permute(axes), torch.empty(0, dtype=torch.float64) if bias is None else bias)
