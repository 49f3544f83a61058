"""Speed and memory of the network against an implementation like the paper's, in one run.

    python benchmarks/network.py                  # 1080p and 4K, one thread
    python benchmarks/network.py --sizes 1080p --repeats 9

"plain" is the network as trained, in contiguous fp32, with the refiner unfolding every window from full-size images.
"ours" is what the predictor runs; it computes the foreground where that is read, and no part of it here. Both take
turns; figures are medians of the processor time of a run, in core-ms. Both see the same drawn person before the same
drawn place. The weights are random, so the error map is drawn too: it follows the person's outline, as a trained
network's does, times a factor that the network computes, so that rounding can change which patches are refined. What
bf16 does to trained weights is shown on the sample clip.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.plain_refiner import PlainRefiner
from howard.matting import (
    CoarseMatte,
    CoarseNetwork,
    Matte,
    MattingNetwork,
    RefineSettings,
    coarse_scale,
    load_matting,
)
from howard.matting.coarse_modules import DecoderOutput
from howard.matting.inference import prepare_for_inference
from howard.media import open_reader, read_still

SIZES = {"180p": (180, 320), "540p": (540, 960), "1080p": (1080, 1920), "4K": (2160, 3840)}
USUAL_SIZES = ("1080p", "4K")
VARIANTS = ("plain", "ours", "ours bf16")
REFINE = RefineSettings()


class Frame(NamedTuple):
    """A source and its plate, (1, 3, H, W) float32 in [0, 1]."""

    source: Tensor
    plate: Tensor


def distance_to_figure(height: int, width: int) -> Tensor:
    """(height, width): below 1 inside a head and shoulders, above 1 outside."""
    rows, columns = torch.linspace(0, 1, height)[:, None], torch.linspace(-1, 1, width) * width / height
    body = ((columns / 0.42) ** 2 + ((rows - 1.0) / 0.6) ** 2).sqrt()
    head = ((columns / 0.13) ** 2 + ((rows - 0.28) / 0.17) ** 2).sqrt()
    return torch.minimum(body, head)


def draw_frame(height: int, width: int) -> Frame:
    """A bright figure before a textured place; the plate is a little noisier and darker than the source's place."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(1, 3, height // 40, width // 40, generator=generator)
    place = 0.2 + 0.4 * F.interpolate(coarse, size=(height, width), mode="bicubic").clamp(0, 1)
    alpha = torch.sigmoid((1 - distance_to_figure(height, width)) * 60)
    noise = 0.004 * torch.randn(2, 1, 3, height, width, generator=generator)
    source = (alpha * (place * 0.3 + 0.65) + (1 - alpha) * place + noise[0]).clamp(0, 1)
    return Frame(source, (0.99 * place + noise[1]).clamp(0, 1))


def follow_outline(decoder: nn.Module, inputs: object, decoded: DecoderOutput) -> DecoderOutput:
    """A hook of the decoder: its error map (channel 4) becomes a factor on a drawn one."""
    outline = torch.exp(-(distance_to_figure(*decoded.outputs.shape[2:]) - 1).abs() * 25)
    decoded.outputs[:, 4] = outline * (0.5 + decoded.outputs[:, 4].clamp(-0.4, 0.5))
    return decoded


def build_variant(name: str, encoder: str) -> MattingNetwork:
    """One of :data:`VARIANTS`, all with the same random weights."""
    torch.manual_seed(0)
    network = MattingNetwork(encoder).eval()
    assert network.refiner is not None
    if name == "plain":
        plain = PlainRefiner()
        plain.load_state_dict(network.refiner.state_dict())
        network.refiner = plain.eval()
    else:
        network = prepare_for_inference(network, torch.bfloat16 if name == "ours bf16" else torch.float32)
    network.decoder.register_forward_hook(follow_outline)
    return network


def in_its_layout(name: str, frame: Frame) -> Frame:
    """As each side is given pictures: channels-last comes free with decoded frames."""
    layout = torch.contiguous_format if name == "plain" else torch.channels_last
    return Frame(*(image.contiguous(memory_format=layout) for image in frame))


def small(frame: Frame) -> list[Tensor]:
    """The pictures at coarse size."""
    height, width = frame.source.shape[2:]
    size = [round(length / coarse_scale(height, width)) for length in (height, width)]
    return [F.interpolate(image, size=size, mode="bilinear", align_corners=False) for image in frame]


def scatter_errors(coarse: CoarseMatte) -> CoarseMatte:
    """The same with errors anywhere."""
    return coarse._replace(error=torch.rand(coarse.error.shape, generator=torch.Generator().manual_seed(2)))


def stages(name: str, encoder: str, frame: Frame) -> dict[str, Callable[[], object]]:
    """What is timed of a variant; the refiner's share starts from the variant's own coarse matte."""
    network, frame = build_variant(name, encoder), in_its_layout(name, frame)
    source, plate = small(frame)
    coarse = CoarseNetwork.forward(network, source, plate)
    scattered = scatter_errors(coarse)
    refiner = network.refiner
    assert refiner is not None
    scale = coarse_scale(*frame.source.shape[2:])
    return {
        "coarse": lambda: CoarseNetwork.forward(network, source, plate),
        "refiner, contour": lambda: refiner(*frame, coarse, REFINE),
        "refiner, scattered": lambda: refiner(*frame, scattered, REFINE),
        "whole": lambda: run_whole(name, network, frame, scale),
    }


def run_whole(name: str, network: MattingNetwork, frame: Frame, scale: float) -> Matte:
    """A matte; "plain" computes its foreground at once."""
    matte = network(frame.source, frame.plate, coarse_scale=scale, refine=REFINE)
    if name == "plain":
        _ = matte.foreground
    return matte


def measure(variants: dict[str, dict[str, Callable[[], object]]], repeats: int) -> dict[tuple[str, str], float]:
    """Median core-ms of every stage of every variant; the variants take turns."""
    spent: dict[tuple[str, str], list[float]] = {}
    for _ in range(repeats + 1):
        for stage in variants["plain"]:
            for name, timed in variants.items():
                started = time.process_time()
                timed[stage]()
                spent.setdefault((name, stage), []).append(1e3 * (time.process_time() - started))
    # The first round warms up.
    return {key: float(np.median(times[1:])) for key, times in spent.items()}


def memory_growth(name: str, encoder: str, size: str) -> float:
    """Peak minus before, in MiB, of one forward in a process of its own."""
    command = [sys.executable, __file__, "--measure-memory", name, "--encoder", encoder, "--sizes", size]
    return float(subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout)


def print_memory_growth(name: str, encoder: str, size: str) -> None:
    """The inside of :func:`memory_growth`; Linux only."""
    network, frame = build_variant(name, encoder), in_its_layout(name, draw_frame(*SIZES[size]))
    network(*(image[..., :128, :128] for image in frame), coarse_scale=2)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before = _status("VmRSS")
    network(frame.source, frame.plate, coarse_scale=coarse_scale(*frame.source.shape[2:]), refine=REFINE)
    print((_status("VmHWM") - before) / 1024)


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def compare_outputs(variants: dict[str, dict[str, Callable[[], object]]], console: Console) -> None:
    """Print how far each variant's matte is from the plain one's, outside patches chosen by one of them only."""
    plain = variants["plain"]["whole"]()
    for name in variants:
        if name == "plain":
            console.print(f"  patches refined: {int(plain.refined.sum())} of {plain.refined.numel()}")  # type: ignore[attr-defined]
            continue
        matte = variants[name]["whole"]()
        flipped = plain.refined != matte.refined  # type: ignore[attr-defined]
        difference = (plain.alpha - matte.alpha).abs()  # type: ignore[attr-defined]
        same = ~flipped.repeat_interleave(4, 2).repeat_interleave(4, 3)[..., : difference.shape[2], :]
        console.print(
            f"  {name}: |alpha difference| mean {difference.mean():.1e}, largest outside flipped patches "
            f"{(difference * same).max():.1e}; patches flipped {100 * flipped.float().mean():.4f} %"
        )


def report(size: str, encoder: str, repeats: int, console: Console) -> None:
    """Measure one size and print its table."""
    frame = draw_frame(*SIZES[size])
    variants = {name: stages(name, encoder, frame) for name in VARIANTS}
    spent = measure(variants, repeats)
    table = Table(title=f"{encoder}, {size}, core-ms (times faster than plain)")
    for heading in ("stage", *VARIANTS):
        table.add_column(heading, justify="left" if heading == "stage" else "right")
    for stage in variants["plain"]:
        plain = spent["plain", stage]
        cells = [f"{spent[name, stage]:.0f} ({plain / spent[name, stage]:.2f}x)" for name in VARIANTS[1:]]
        table.add_row(stage, f"{plain:.0f}", *cells)
    grown = {name: memory_growth(name, encoder, size) for name in VARIANTS}
    cells = [f"{grown[name]:.0f} ({grown[name] / grown['plain']:.2f} of it)" for name in VARIANTS[1:]]
    table.add_row("memory growth, MiB", f"{grown['plain']:.0f}", *cells)
    console.print(table)
    compare_outputs(variants, console)


def report_shipped(console: Console) -> None:
    """What bf16 changes with the weights that ship, on a frame of the sample clip and its true empty place."""
    folder = Path(__file__).parents[1] / "data" / "sample"
    with open_reader(folder / "shot.mp4") as shot:
        frame = shot[17]
    clean = read_still(sorted((folder / "clean").iterdir())[frame.index])
    full, half = (load_matting("default", "cpu", precision)(frame.image, clean) for precision in ("fp32", "bf16"))
    flipped = (full.refined != half.refined).float().sum()
    console.print(
        f"shipped weights, sample clip, frame {frame.number}: bf16 |alpha difference| mean "
        f"{(full.alpha - half.alpha).abs().mean():.1e}, patches flipped {int(flipped)} of {full.refined.numel()} "
        f"({100 * flipped / full.refined.numel():.3f} %), {int(full.refined.sum())} refined"
    )


def main() -> None:
    """Read the arguments and print a table for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=USUAL_SIZES)
    parser.add_argument("--encoder", default="mobilenetv2")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--measure-memory", choices=VARIANTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with torch.inference_mode():
        if arguments.measure_memory:
            print_memory_growth(arguments.measure_memory, arguments.encoder, arguments.sizes[0])
            return
        report_shipped(Console())
        for size in arguments.sizes:
            report(size, arguments.encoder, arguments.repeats, Console())


if __name__ == "__main__":
    main()
