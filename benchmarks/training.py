"""Time of training: a plain step and ours in one run, or fractions of time of an experiment.

``python benchmarks/training.py`` prints CPU time, wall time and peak memory of a coarse training step (forward, losses,
backward, Adam) at 256x256, batch 8, and their ratios: medians of alternating steps, each variant in a new process, on
one thread of a CPU. "plain" is fp32 on contiguous tensors with kornia's Sobel filter in the loss, as in the paper's
implementation. "ours" is bf16 autocast, channels-last, with differences in place of the filter and, as ``train.py``
sets it, reuse of freed memory.

``--experiment coarse_lite`` instead trains ``--steps`` steps of that experiment, twice, and validates it. It prints the
fraction of the second half spent waiting for data (target: 5 % on a CPU) and of validation spent on scores (target:
3 %). Further arguments are settings of ``train.py``: ``data.root=data data.workers=2``.
"""

import argparse
import multiprocessing
import sys
import time
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import torch
import torch.nn.functional as F
from kornia.filters import sobel
from torch import Tensor

from howard.data.dataset import Batch
from howard.machine import keep_freed_memory
from howard.matting import CoarseMatte, MattingNetwork
from howard.operating_system import peak_memory
from howard.training.modules import CoarseModule
from howard.training.network_settings import coarse_weights
from howard.training.optimiser import adam

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.measuring import Time, median_ms, print_table
from benchmarks.training_time import measure_fractions

VARIANTS = ("plain", "ours")
LEARNING_RATES = {"encoder": 1e-4, "aspp": 5e-4, "decoder": 5e-4}


class PlainModule(CoarseModule):
    """The coarse stage with convolutions in the gradient loss."""

    def terms(self, coarse: CoarseMatte, batch: Batch, frames: int) -> dict[str, Tensor]:
        alpha = batch["alpha"]
        gradient = F.l1_loss(sobel(coarse.alpha), sobel(alpha))
        error = (coarse.alpha.detach() - alpha).abs()
        person = alpha != 0
        return {
            "alpha": F.l1_loss(coarse.alpha, alpha),
            "alpha_gradient": gradient,
            "foreground": F.l1_loss(coarse.foreground * person, batch["foreground"] * person),
            "error": F.mse_loss(coarse.error, error),
        }


def make_batch(size: int, count: int, layout: torch.memory_format, device: str) -> dict[str, torch.Tensor]:
    channels = {"source": 3, "plate": 3, "coverage": 1, "alpha": 1, "foreground": 3}
    return {
        name: torch.rand(count, depth, size, size).to(device, memory_format=layout) for name, depth in channels.items()
    }


def train_on_request(variant: str, encoder: str, size: int, count: int, device: str, pipe: Connection) -> None:
    """Do one step at each request "step", and return the peak memory in bytes at the next other request."""
    if variant == "ours":
        keep_freed_memory()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    layout = torch.channels_last if variant == "ours" else torch.contiguous_format
    module_class = CoarseModule if variant == "ours" else PlainModule
    module = module_class(
        MattingNetwork(encoder, has_refiner=False), partial(adam, learning_rates=LEARNING_RATES), coarse_weights()
    )
    module = module.to(device, memory_format=layout).train()  # type: ignore[call-overload]
    optimiser = module.optimiser(module.trained_parts(), lambda step: step / 1000)["optimizer"]
    batch = make_batch(size, count, layout, device)
    while pipe.recv() == "step":
        cpu, wall = time.process_time(), time.perf_counter()
        optimiser.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=variant == "ours"):
            _, terms = module.losses(batch, None)
        torch.stack(list(terms.values())).sum().backward()
        optimiser.step()
        if device == "cuda":
            torch.cuda.synchronize()
        pipe.send(Time(1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu)))
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else peak_memory() or 0
    pipe.send(peak)


def measure(
    encoder: str, size: int, count: int, repeats: int, device: str
) -> tuple[dict[str, list[Time]], dict[str, int]]:
    """Alternating steps of both variants after two that warm up, and peak memory in bytes."""
    context = multiprocessing.get_context("spawn")
    pipes = {}
    for variant in VARIANTS:
        pipes[variant], other = context.Pipe()
        context.Process(
            target=train_on_request, args=(variant, encoder, size, count, device, other), daemon=True
        ).start()
    steps: dict[str, list[Time]] = {variant: [] for variant in VARIANTS}
    for _ in range(repeats + 2):
        for variant in VARIANTS:
            pipes[variant].send("step")
            steps[variant].append(pipes[variant].recv())
    peaks = {}
    for variant in VARIANTS:
        pipes[variant].send("peak")
        peaks[variant] = pipes[variant].recv()
    return {variant: each[2:] for variant, each in steps.items()}, peaks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", default="mobilenetv2")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--experiment", help="measure fractions of time of this experiment instead")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("settings", nargs="*", help="settings of the experiment: KEY=VALUE")
    asked = parser.parse_intermixed_args()
    if asked.experiment:
        fractions = measure_fractions(asked.experiment, asked.steps, asked.settings)
        print(f"{fractions.samples_per_second:.2f} samples a second")
        print(f"waiting for data: {fractions.data_wait:.1%} of training")
        print(f"scores: {fractions.scoring:.1%} of validation")
        return
    steps, peaks = measure(asked.encoder, asked.size, asked.batch, asked.repeats, asked.device)
    rows = []
    for clock in ("cpu", "wall"):
        plain, ours = (median_ms(steps[variant], clock) / 1e3 for variant in VARIANTS)
        rows.append([f"{clock} time, s a step", f"{plain:.3f}", f"{ours:.3f}", plain / ours])
        if clock == "wall":
            rows.append(["images a second", f"{asked.batch / plain:.1f}", f"{asked.batch / ours:.1f}", ours / plain])
    plain, ours = (peaks[variant] / 1e6 for variant in VARIANTS)
    rows.append(["peak memory, MB", f"{plain:.0f}", f"{ours:.0f}", plain / ours])
    title = f"{asked.encoder}, {asked.size}x{asked.size}, batch {asked.batch}, {asked.device}"
    print_table(title, ("", "plain", "ours", "ratio"), rows)


if __name__ == "__main__":
    main()
