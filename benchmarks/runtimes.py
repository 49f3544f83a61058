"""The coarse network in every runtime that is installed, on one thread: why the predictor needs none beside PyTorch.

    python benchmarks/runtimes.py

Prints core-ms at 480x270 (medians, taking turns), and the largest difference of alpha from the network as trained.
``onnxruntime`` and ``openvino`` take part where they are installed.
"""

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


def in_onnxruntime(network: nn.Module, source: Tensor, plate: Tensor) -> Run:
    """Exported to ONNX, one thread."""
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coarse.onnx"
        torch.onnx.export(network, (source, plate), path, dynamo=True, external_data=False, verbose=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options)
    pictures = {"source": source.numpy(), "plate": plate.numpy()}
    return lambda: np.asarray(session.run(None, pictures)[0])


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
    warnings.simplefilter("ignore")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = MattingNetwork("mobilenetv2").eval()
    source, plate = torch.rand(2, 1, 3, HEIGHT, WIDTH)
    layout = [image.contiguous(memory_format=torch.channels_last) for image in (source, plate)]
    runs = {
        "PyTorch, as trained": in_pytorch(Coarse(network), source, plate),
        "PyTorch, prepared (what the predictor runs)": in_pytorch(Coarse(prepare_for_inference(network)), *layout),
        "PyTorch, prepared, bf16": in_pytorch(Coarse(prepare_for_inference(network, torch.bfloat16)), *layout),
    }
    if importlib.util.find_spec("onnxruntime") and importlib.util.find_spec("onnxscript"):
        runs["ONNX Runtime"] = in_onnxruntime(Coarse(network), source, plate)
    if importlib.util.find_spec("openvino"):
        for precision in ("f32", "bf16"):
            runs[f"OpenVINO, {precision}"] = in_openvino(Coarse(network), source, plate, precision)
    spent: dict[str, list[float]] = {name: [] for name in runs}
    with torch.inference_mode():
        expected = runs["PyTorch, as trained"]()
        difference = {name: np.abs(run() - expected).max() for name, run in runs.items()}
        for _ in range(REPEATS):
            for name, run in runs.items():
                started = time.process_time()
                run()
                spent[name].append(1e3 * (time.process_time() - started))
    table = Table("runtime", "core-ms", "largest difference", title=f"coarse network, mobilenetv2, {WIDTH}x{HEIGHT}")
    for name, times in spent.items():
        table.add_row(name, f"{np.median(times):.0f}", f"{difference[name]:.1e}")
    Console().print(table)


if __name__ == "__main__":
    main()
