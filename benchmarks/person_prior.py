"""The person prior on one thread, beside LiteRT with the published model: how much longer it takes here.

    python benchmarks/person_prior.py [--model selfie_multiclass_256x256.tflite]

Prints core-ms for one picture, the median over rounds in which every runtime runs once, the median of the ratios to
LiteRT within a round, and the largest difference of the person's probability. Needs the package ``ai-edge-litert`` for
the comparison.
"""

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from howard.matting.person_prior_predictor import prepare_prior
from howard.matting.person_prior_views import crop_views, whole_frame
from howard.media import read_still

ROOT = Path(__file__).parents[1]
MODEL = ROOT.parent / "shared" / "reference" / "person" / "selfie_multiclass_256x256.tflite"
PICTURE = ROOT / "docs" / "images" / "shot.jpg"
# Rounds that bf16 takes part in: on processors without it a run takes seconds.
BF16_ROUNDS = 4
Run = Callable[[], np.ndarray]


def read_picture() -> np.ndarray:
    """A letterboxed frame of the sample shot as the prior sees it, (256, 256, 3) float32 in [0, 1]."""
    frame = torch.from_numpy(read_still(PICTURE)).permute(2, 0, 1)[None].float() / 255
    height, width = frame.shape[2:]
    return crop_views(frame, whole_frame(height, width))[0].permute(1, 2, 0).numpy()


def in_pytorch(picture: np.ndarray, dtype: torch.dtype) -> Run:
    """As the predictor runs it; gives the person's probability, (256, 256)."""
    prior = prepare_prior(torch.device("cpu"), dtype)
    image = torch.from_numpy(picture).permute(2, 0, 1)[None]
    return lambda: 1 - prior(image).logits.softmax(dim=1)[0, 0].numpy()


def in_litert(picture: np.ndarray, model: Path) -> Run:
    """The published model on one thread; gives the person's probability, (256, 256)."""
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
    """Run what is there in turns, and print the table."""
    parser = argparse.ArgumentParser(description="The person prior's time, beside LiteRT's.")
    parser.add_argument("--model", type=Path, default=MODEL, help="the published model")
    parser.add_argument("--repeats", type=int, default=31, help="timed runs of each (default: 31)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    console = Console()
    picture = read_picture()
    reference, halved = "PyTorch, fp32", "PyTorch, bf16"
    runs = {reference: in_pytorch(picture, torch.float32), halved: in_pytorch(picture, torch.bfloat16)}
    if importlib.util.find_spec("ai_edge_litert") is None:
        console.print("LiteRT is left out: pip install ai-edge-litert")
    elif not options.model.is_file():
        console.print(f"LiteRT is left out: {options.model} is not there")
    else:
        reference = "LiteRT, fp32"
        runs[reference] = in_litert(picture, options.model)
    spent: dict[str, list[float]] = {name: [] for name in runs}
    with torch.inference_mode():
        expected = runs[reference]()
        difference = {name: np.abs(run() - expected).max() for name, run in runs.items()}
        for number in range(options.repeats):
            for name, run in runs.items():
                if name == halved and number >= BF16_ROUNDS:
                    continue
                started = time.process_time()
                run()
                spent[name].append(1e3 * (time.process_time() - started))
    table = Table("runtime", "core-ms", f"ratio to {reference}", "largest difference")
    for name, times in spent.items():
        ratio = np.median(np.divide(times, spent[reference][: len(times)]))
        table.add_row(name, f"{np.median(times):.1f}", f"{ratio:.2f}", f"{difference[name]:.1e}")
    console.print(table)


if __name__ == "__main__":
    main()
