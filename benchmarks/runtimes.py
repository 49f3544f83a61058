"""The coarse network in every runtime that is installed, on one thread: why the predictor needs none beside PyTorch.

    python benchmarks/runtimes.py --compile

Prints core-ms at 480x270 (medians, taking turns), the seconds until the first result, and the largest difference of
alpha from the network as trained. ``onnxruntime`` and ``openvino`` take part where they are installed; ``--compile``
adds ``torch.compile``, which takes minutes. Int8 is calibrated on noise: its time counts, its difference does not.
"""

import argparse
import importlib.util
import logging
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1]))

from howard.matting import CoarseNetwork, MattingNetwork
from howard.matting.inference import prepare_for_inference

HEIGHT, WIDTH = 270, 480
REPEATS = 9
Run = Callable[[], np.ndarray]


class Coarse(nn.Module):
    """The coarse network alone, as the plain tuple that runtimes ask for."""

    def __init__(self, network: MattingNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, source: Tensor, plate: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        matte = CoarseNetwork.forward(self.network, source, plate)
        return matte.alpha, matte.residual, matte.error, matte.hidden


def in_pytorch(network: nn.Module, source: Tensor, plate: Tensor) -> Run:
    """As it is called here."""
    return lambda: network(source, plate)[0].numpy()


def in_compiled_pytorch(network: nn.Module, source: Tensor, plate: Tensor) -> Run:
    """Compiled with constant weights."""
    import torch._inductor.config

    torch._inductor.config.freezing = True
    compiled = torch.compile(network)
    return lambda: compiled(source, plate)[0].numpy()


def in_onnxruntime(network: nn.Module, source: Tensor, plate: Tensor, *, is_int8: bool = False) -> Run:
    """Exported to ONNX, one thread; ``is_int8`` quantises weights and activations, statically."""
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coarse.onnx"
        torch.onnx.export(network, (source, plate), path, dynamo=True, external_data=False, verbose=False)
        if is_int8:
            path = quantise(path, source, plate)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options)
    pictures = {"source": source.numpy(), "plate": plate.numpy()}
    return lambda: np.asarray(session.run(None, pictures)[0])


def quantise(path: Path, source: Tensor, plate: Tensor) -> Path:
    """An ONNX graph in int8, a scale for each channel of the weights."""
    from onnxruntime.quantization import CalibrationDataReader, quantize_static

    class Calibration(CalibrationDataReader):
        pictures = iter([{"source": source.numpy(), "plate": plate.numpy()}])

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self.pictures, None)

    quantised = path.with_name("int8.onnx")
    quantize_static(path, quantised, Calibration(), per_channel=True, extra_options={"ActivationSymmetric": False})
    return quantised


def in_openvino(network: nn.Module, source: Tensor, plate: Tensor, precision: str) -> Run:
    """Traced and compiled, one thread; ``precision`` is f32 or bf16."""
    import openvino  # pyright: ignore[reportMissingImports]

    shape = list(source.shape)
    model = openvino.convert_model(network, example_input=(source, plate), input=[shape, shape])
    settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
    request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
    return lambda: np.asarray(request.infer([source.numpy(), plate.numpy()])[0])


def main() -> None:
    """Build what is there, take turns, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--height", type=int, default=HEIGHT, help="of the pictures, in pixels")
    parser.add_argument("--width", type=int, default=WIDTH, help="of the pictures, in pixels")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="turns of each runtime")
    parser.add_argument("--compile", action="store_true", help="torch.compile as well, which takes minutes")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = MattingNetwork("mobilenetv2").eval()
    source, plate = torch.rand(2, 1, 3, asked.height, asked.width)
    layout = [image.contiguous(memory_format=torch.channels_last) for image in (source, plate)]
    runs = {
        "PyTorch, as trained": in_pytorch(Coarse(network), source, plate),
        "PyTorch, prepared (what the predictor runs)": in_pytorch(Coarse(prepare_for_inference(network)), *layout),
        "PyTorch, prepared, bf16": in_pytorch(Coarse(prepare_for_inference(network, torch.bfloat16)), *layout),
    }
    if importlib.util.find_spec("onnxruntime") and importlib.util.find_spec("onnxscript"):
        runs["ONNX Runtime"] = in_onnxruntime(Coarse(network), source, plate)
        runs["ONNX Runtime, int8"] = in_onnxruntime(Coarse(network), source, plate, is_int8=True)
    if importlib.util.find_spec("openvino"):
        for precision in ("f32", "bf16"):
            runs[f"OpenVINO, {precision}"] = in_openvino(Coarse(network), source, plate, precision)
    if asked.compile:
        runs["torch.compile"] = in_compiled_pytorch(Coarse(prepare_for_inference(network)), *layout)
    spent: dict[str, list[float]] = {name: [] for name in runs}
    with torch.inference_mode():
        expected = runs["PyTorch, as trained"]()
        difference, first = {}, {}
        for name, run in runs.items():
            started = time.perf_counter()
            difference[name] = np.abs(run() - expected).max()
            first[name] = time.perf_counter() - started
        for _ in range(asked.repeats):
            for name, run in runs.items():
                started = time.process_time()
                run()
                spent[name].append(1e3 * (time.process_time() - started))
    columns = ("runtime", "core-ms", "first result, s", "largest difference")
    table = Table(*columns, title=f"coarse network, mobilenetv2, {asked.width}x{asked.height}")
    for name, times in spent.items():
        table.add_row(name, f"{np.median(times):.0f}", f"{first[name]:.1f}", f"{difference[name]:.1e}")
    Console().print(table)


if __name__ == "__main__":
    main()
