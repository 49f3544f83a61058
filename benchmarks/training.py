"""What training costs: a plain step against ours in one run, and what a run of an experiment waits for.

``python benchmarks/training.py`` prints CPU time, wall time and peak memory of a coarse training step (forward, losses,
backward, Adam) at 256x256, batch 8, and their ratios: medians of alternating repeats, each way in a process of its own.
A CPU works on one thread. "plain" is fp32 on contiguous tensors with kornia's Sobel filter in the loss, as in the
reference implementation; "ours" is bf16 autocast, channels-last, with the loss's filter as differences and, as
``train.py`` asks for, freed memory used again.

``--experiment coarse_lite`` trains that for ``--steps`` steps, twice, and validates it, instead: it prints which share
of the second half was spent waiting for data (aim: 5 % on a CPU), and which share of the validation on the scores (aim:
3 %). Further arguments are settings, as of ``train.py``: ``data.root=data data.workers=2``.
"""

import argparse
import multiprocessing
import statistics
import sys
import time
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from kornia.filters import sobel
from rich.console import Console
from rich.table import Table
from torch import Tensor

from howard.data.dataset import Batch
from howard.machine import keep_freed_memory
from howard.matting import CoarseMatte, MattingNetwork
from howard.operating_system import peak_memory
from howard.training.modules import CoarseModule
from howard.training.network_settings import coarse_weights
from howard.training.optimiser import adam

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.training_shares import Shares, measure_shares

WAYS = ("plain", "ours")
RATES = {"encoder": 1e-4, "aspp": 5e-4, "decoder": 5e-4}


class Step(NamedTuple):
    """Seconds of one step."""

    cpu: float
    wall: float


class PlainModule(CoarseModule):
    """The base stage with the loss's gradients as convolutions."""

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


def trainer(way: str, encoder: str, size: int, count: int, device: str, pipe: Connection) -> None:
    """A process that does one step whenever it is asked, and ends when asked for its peak memory."""
    if way == "ours":
        keep_freed_memory()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    layout = torch.channels_last if way == "ours" else torch.contiguous_format
    stage = CoarseModule if way == "ours" else PlainModule
    module = stage(MattingNetwork(encoder, has_refiner=False), partial(adam, learning_rates=RATES), coarse_weights())
    module = module.to(device, memory_format=layout).train()  # type: ignore[call-overload]
    optimiser = module.optimiser(module.trained_parts(), lambda step: step / 1000)["optimizer"]
    batch = make_batch(size, count, layout, device)
    while pipe.recv() == "step":
        cpu, wall = time.process_time(), time.perf_counter()
        optimiser.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=way == "ours"):
            _, terms = module.losses(batch, None)
        torch.stack(list(terms.values())).sum().backward()
        optimiser.step()
        if device == "cuda":
            torch.cuda.synchronize()
        pipe.send(Step(time.process_time() - cpu, time.perf_counter() - wall))
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else peak_memory() or 0
    pipe.send(peak)


def measure(
    encoder: str, size: int, count: int, repeats: int, device: str
) -> tuple[dict[str, list[Step]], dict[str, int]]:
    """Steps of both ways, alternating, after two that warm up; and peak memory in bytes."""
    context = multiprocessing.get_context("spawn")
    pipes = {}
    for way in WAYS:
        pipes[way], other = context.Pipe()
        context.Process(target=trainer, args=(way, encoder, size, count, device, other), daemon=True).start()
    steps: dict[str, list[Step]] = {way: [] for way in WAYS}
    for _ in range(repeats + 2):
        for way in WAYS:
            pipes[way].send("step")
            steps[way].append(pipes[way].recv())
    peaks = {}
    for way in WAYS:
        pipes[way].send("peak")
        peaks[way] = pipes[way].recv()
    return {way: each[2:] for way, each in steps.items()}, peaks


def print_shares(shares: Shares) -> None:
    print(f"{shares.samples_per_second:.2f} samples a second")
    print(f"waiting for data: {shares.data_wait:.1%} of training")
    print(f"scores: {shares.scoring:.1%} of validation")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", default="mobilenetv2")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--experiment", help="measure what a run of it waits for, instead of steps")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("settings", nargs="*", help="of the experiment: KEY=VALUE")
    asked = parser.parse_intermixed_args()
    if asked.experiment:
        print_shares(measure_shares(asked.experiment, asked.steps, asked.settings))
        return
    steps, peaks = measure(asked.encoder, asked.size, asked.batch, asked.repeats, asked.device)
    table = Table(title=f"{asked.encoder}, {asked.size}x{asked.size}, batch {asked.batch}, {asked.device}")
    for heading in ("", "plain", "ours", "plain / ours"):
        table.add_column(heading, justify="right")
    for name in Step._fields:
        seconds = [statistics.median(getattr(step, name) for step in steps[way]) for way in WAYS]
        table.add_row(f"{name} time, s a step", *(f"{each:.3f}" for each in seconds), f"{seconds[0] / seconds[1]:.2f}")
        if name == "wall":
            rates = [asked.batch / each for each in seconds]
            table.add_row("images a second", *(f"{each:.1f}" for each in rates), f"{rates[0] / rates[1]:.2f}")
    table.add_row(
        "peak memory, MB", *(f"{peaks[way] / 1e6:.0f}" for way in WAYS), f"{peaks['plain'] / peaks['ours']:.2f}"
    )
    Console().print(table)


if __name__ == "__main__":
    main()
