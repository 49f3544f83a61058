"""The coarse network and the person prior in other runtimes, on one thread, beside PyTorch as the predictor runs it.

    python benchmarks/runtimes.py --compile
    python benchmarks/runtimes.py --network prior

Prints core-ms (medians of alternating runs), the seconds until the first result, and the largest difference of alpha,
or of the person's probability, from the first row. Runtimes take part where they are installed: ``onnxruntime`` and
``openvino`` for the coarse network at 480x270, ``ai-edge-litert`` and the published model (``--model``) for the person
prior. ``--compile`` adds ``torch.compile``, which takes minutes. Int8 is calibrated on noise: its time is meaningful,
its difference is not.
"""

import argparse
import importlib.util
import logging
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import DATA, SAMPLE, alternate, median_ms, print_table, time_once, use_one_thread
from howard.matting import CoarseNetwork, MattingNetwork
from howard.matting.inference import prepare_for_inference
from howard.matting.person_prior_predictor import prepare_prior
from howard.matting.person_prior_views import crop_views, whole_frame
from howard.media import open_reader

PRIOR_MODEL = DATA.parent / "reference" / "person" / "selfie_multiclass_256x256.tflite"
Run = Callable[[], np.ndarray]


class Coarse(nn.Module):
    """The coarse network alone, with the plain tuple as output that other runtimes need."""

    def __init__(self, network: MattingNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, source: Tensor, plate: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        matte = CoarseNetwork.forward(self.network, source, plate)
        return matte.alpha, matte.residual, matte.error, matte.hidden


def coarse_runs(height: int, width: int, with_compiled: bool) -> dict[str, Run]:
    """The coarse network in every installed runtime; a run returns alpha."""
    network = MattingNetwork("mobilenetv2").eval()
    source, plate = torch.rand(2, 1, 3, height, width)
    layout = [image.contiguous(memory_format=torch.channels_last) for image in (source, plate)]
    runs = {
        "PyTorch, as trained": _in_pytorch(Coarse(network), source, plate),
        "PyTorch, prepared (used by the predictor)": _in_pytorch(Coarse(prepare_for_inference(network)), *layout),
        "PyTorch, prepared, bf16": _in_pytorch(Coarse(prepare_for_inference(network, torch.bfloat16)), *layout),
    }
    if importlib.util.find_spec("onnxruntime") and importlib.util.find_spec("onnxscript"):
        runs["ONNX Runtime"] = _in_onnxruntime(Coarse(network), source, plate)
        runs["ONNX Runtime, int8"] = _in_onnxruntime(Coarse(network), source, plate, is_int8=True)
    if importlib.util.find_spec("openvino"):
        for precision in ("f32", "bf16"):
            runs[f"OpenVINO, {precision}"] = _in_openvino(Coarse(network), source, plate, precision)
    if with_compiled:
        compiled = torch.compile(Coarse(prepare_for_inference(network)), options={"freezing": True})
        runs["torch.compile"] = _in_pytorch(compiled, *layout)
    return runs


def prior_runs(model: Path) -> dict[str, Run]:
    """The person prior in PyTorch and LiteRT; a run returns the person's probability, (256, 256)."""
    with open_reader(SAMPLE / "shot.mp4") as shot:
        frame = torch.from_numpy(shot[0].image).permute(2, 0, 1)[None].float() / 255
    _, _, height, width = frame.shape
    picture = crop_views(frame, whole_frame(height, width))[:1]
    runs: dict[str, Run] = {}
    for name, dtype in (("PyTorch, fp32", torch.float32), ("PyTorch, bf16", torch.bfloat16)):
        prior = prepare_prior(torch.device("cpu"), dtype)
        runs[name] = lambda prior=prior: 1 - prior(picture).logits.softmax(dim=1)[0, 0].numpy()
    if importlib.util.find_spec("ai_edge_litert") and model.is_file():
        runs["LiteRT, fp32"] = _in_litert(picture[0].permute(1, 2, 0).numpy(), model)
    else:
        print(f"without LiteRT, which needs `pip install ai-edge-litert` and {model}")
    return runs


def _in_pytorch(network: Callable, source: Tensor, plate: Tensor) -> Run:
    return lambda: network(source, plate)[0].numpy()


def _in_onnxruntime(network: nn.Module, source: Tensor, plate: Tensor, *, is_int8: bool = False) -> Run:
    """Exported to ONNX, on one thread; ``is_int8`` quantises weights and activations statically."""
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coarse.onnx"
        torch.onnx.export(network, (source, plate), path, dynamo=True, external_data=False, verbose=False)
        if is_int8:
            path = _quantise(path, source, plate)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options)
    pictures = {"source": source.numpy(), "plate": plate.numpy()}
    return lambda: np.asarray(session.run(None, pictures)[0])


def _quantise(path: Path, source: Tensor, plate: Tensor) -> Path:
    """An ONNX graph in int8, with one scale per channel of the weights."""
    from onnxruntime.quantization import CalibrationDataReader, quantize_static

    class Calibration(CalibrationDataReader):
        pictures = iter([{"source": source.numpy(), "plate": plate.numpy()}])

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self.pictures, None)

    quantised = path.with_name("int8.onnx")
    quantize_static(path, quantised, Calibration(), per_channel=True, extra_options={"ActivationSymmetric": False})
    return quantised


def _in_openvino(network: nn.Module, source: Tensor, plate: Tensor, precision: str) -> Run:
    """Traced and compiled, on one thread; ``precision`` is f32 or bf16."""
    import openvino  # pyright: ignore[reportMissingImports]

    shape = list(source.shape)
    model = openvino.convert_model(network, example_input=(source, plate), input=[shape, shape])
    settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
    request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
    return lambda: np.asarray(request.infer([source.numpy(), plate.numpy()])[0])


def _in_litert(picture: np.ndarray, model: Path) -> Run:
    """The published model of the person prior on one thread; ``picture`` (256, 256, 3) float32 in [0, 1]."""
    from ai_edge_litert.interpreter import Interpreter  # pyright: ignore[reportMissingImports]

    interpreter = Interpreter(str(model), num_threads=1)
    interpreter.allocate_tensors()
    [source], [target] = interpreter.get_input_details(), interpreter.get_output_details()

    def run() -> np.ndarray:
        interpreter.set_tensor(source["index"], 2 * picture[None] - 1)
        interpreter.invoke()
        logits = torch.from_numpy(interpreter.get_tensor(target["index"])[0])
        return 1 - logits.softmax(dim=2)[..., 0].numpy()

    return run


def main() -> None:
    """Build the runs, alternate them and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=("coarse", "prior"), default="coarse")
    parser.add_argument("--height", type=int, default=270, help="of the coarse network's pictures (default: 270)")
    parser.add_argument("--width", type=int, default=480, help="of the coarse network's pictures (default: 480)")
    parser.add_argument("--repeats", type=int, default=9, help="timed runs of each (default: 9)")
    parser.add_argument("--compile", action="store_true", help="add torch.compile, which takes minutes")
    parser.add_argument("--model", type=Path, default=PRIOR_MODEL, help="published model of the person prior")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    use_one_thread()
    torch.manual_seed(0)
    if arguments.network == "prior":
        runs = prior_runs(arguments.model)
    else:
        runs = coarse_runs(arguments.height, arguments.width, arguments.compile)
    with torch.inference_mode():
        results: dict[str, np.ndarray] = {}
        first = {name: time_once(lambda: results.update({name: run()})) for name, run in runs.items()}  # noqa: B023
        times = alternate(runs, arguments.repeats)
    expected = results[next(iter(runs))]
    rows = [
        [
            name,
            f"{median_ms(each):.0f}",
            f"{first[name].wall / 1e3:.1f}",
            f"{np.abs(results[name] - expected).max():.1e}",
        ]
        for name, each in times.items()
    ]
    headings = ("runtime", "core-ms", "first result, s", "largest difference")
    print_table(f"{arguments.network} network, one thread", headings, rows)


if __name__ == "__main__":
    main()
