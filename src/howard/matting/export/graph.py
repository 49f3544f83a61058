"""Exports a network with its weights as a graph of fixed shapes: ONNX, or a PyTorch exported program."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from howard.errors import OutputError, SettingsError
from howard.matting.baseline import BaselineNetwork
from howard.matting.inference import prepare_for_inference
from howard.matting.network import MattingNetwork, coarse_scale
from howard.matting.person_maps import PersonMaps, no_people
from howard.matting.person_prior import CLASSES
from howard.matting.weights import METADATA_KEY, WeightsMetadata
from howard.requirements import require

_ONNX_MODULES = ("onnx", "onnxscript")
_OUTPUTS = ("alpha", "foreground", "refined")


class _FixedNetwork(nn.Module):
    """The network with fixed settings, as a function of its images."""

    def __init__(self, network: MattingNetwork | BaselineNetwork, metadata: WeightsMetadata, scale: float) -> None:
        super().__init__()
        self.network, self.scale, self.refine = network, scale, metadata.refine

    def forward(
        self, source: Tensor, plate: Tensor, coverage: Tensor | None = None, person: tuple[Tensor, ...] | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        maps = None if person is None else _maps(*person)
        matte = self.network(source, plate, coverage, maps, coarse_scale=self.scale, refine=self.refine)
        return matte.alpha, matte.foreground, matte.refined


def export_network(
    network: MattingNetwork | BaselineNetwork,
    metadata: WeightsMetadata,
    path: Path,
    form: str,
    *,
    height: int,
    width: int,
) -> None:
    """Write the network for images of one size; the file is written atomically and includes the weights' metadata.

    Inputs of the graph are ``source`` and ``plate``, (1, 3, height, width) float32 RGB in [0, 1]. Depending on the
    weights, further inputs are ``coverage``, (1, 1, height, width) in [0, 1], and the person prior's maps at strides 4,
    8 and 16 (see :class:`howard.matting.PersonMaps`). Outputs are ``alpha`` (1, 1, height, width), ``foreground``
    (1, 3, height, width), and ``refined``, (1, 1, height / 4, width / 4) rounded up, as in
    :class:`howard.matting.Matte`.

    Args:
        network: on the CPU; a copy of it is optimised for inference.
        metadata: of its weights.
        path: of the file to write.
        form: one of :data:`FORMATS`.
        height: in pixels, at least 64.
        width: in pixels, at least 64.

    Raises:
        SettingsError: the form is unknown, the size is too small, or the weights refine by thresholding, so that the
            number of patches is not fixed.
        MissingPackageError: packages required for the form are missing.
        OutputError: the file cannot be written.
    """
    _check_exportable(metadata, form, height, width)
    program = _trace(network, metadata, height, width)
    partial = path.with_name(path.name + ".partial")
    try:
        FORMATS[form](program, partial, json.dumps(asdict(metadata) | {"refine": metadata.refine._asdict()}))
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}); choose another place") from error
    finally:
        partial.unlink(missing_ok=True)


def _check_exportable(metadata: WeightsMetadata, form: str, height: int, width: int) -> None:
    """Raise SettingsError if the form is unknown or the network has no graph of fixed shapes."""
    if form not in FORMATS:
        raise SettingsError(f"format={form} is unknown; choose {' or '.join(FORMATS)}")
    if min(height, width) < 64:
        raise SettingsError(f"{width}x{height} is too small; both sides need at least 64 pixels")
    if metadata.has_refiner and metadata.refine.mode == "thresholding":
        raise SettingsError("these weights refine by thresholding, whose shapes are not fixed; use sampling or full")


def _trace(
    network: MattingNetwork | BaselineNetwork, metadata: WeightsMetadata, height: int, width: int
) -> ExportedProgram:
    """Trace a copy of the network, optimised for inference, as a program for images of one size."""
    scale = coarse_scale(height, width, metadata.coarse_long_side)
    inputs = _example_inputs(metadata, height, width, scale)
    prepared = prepare_for_inference(network).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    with torch.no_grad():
        return torch.export.export(_FixedNetwork(prepared, metadata, scale), inputs)


def _example_inputs(metadata: WeightsMetadata, height: int, width: int, scale: float) -> tuple:
    """Positional inputs of :class:`_FixedNetwork` with the shapes of the graph."""
    source, plate, coverage = (torch.rand(1, channels, height, width) for channels in (3, 3, 1))
    known = coverage if "coverage" in metadata.extra_inputs else None
    if not metadata.person_prior:
        return (source, plate) if known is None else (source, plate, known)
    empty = no_people(1, (round(height / scale), round(width / scale)))
    return source, plate, known, (empty.stride4, empty.stride8, empty.stride16)


def _maps(stride4: Tensor, stride8: Tensor, stride16: Tensor) -> PersonMaps:
    """Person maps from the maps at the strides, the only ones that the network reads."""
    probabilities = stride4[:, : len(CLASSES)]
    return PersonMaps(probabilities, stride4, stride8, stride16, probabilities[:, :1])


def _write_onnx(program: ExportedProgram, path: Path, described: str) -> None:
    for module in _ONNX_MODULES:
        require(module, "format=onnx")
    onnx_program = torch.onnx.export(program, dynamo=True, output_names=_OUTPUTS, verbose=False)
    assert onnx_program is not None
    onnx_program.model.metadata_props[METADATA_KEY] = described
    with path.open("wb") as file:
        file.write(onnx_program.model_proto.SerializeToString())


def _write_program(program: ExportedProgram, path: Path, described: str) -> None:
    with path.open("wb") as file:
        torch.export.save(program, file, extra_files={METADATA_KEY: described})


FORMATS: dict[str, Callable[[ExportedProgram, Path, str], None]] = {
    "onnx": _write_onnx,
    "torch_export": _write_program,
}
