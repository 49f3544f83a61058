"""Speed and memory of the network beside an implementation like the paper's, in one run.

    python benchmarks/network.py                  # 1080p and 4K, one thread
    python benchmarks/network.py --sizes 1080p --repeats 9

"plain" is the network as trained, in contiguous fp32, with a refiner that unfolds every window from full-size images.
"ours" is what the predictor runs; it computes the foreground on access, which is not measured here. Figures are medians
of alternating runs in core-ms. All see the same drawn person before the same drawn background. Weights are random, so
the error map is drawn, too: it follows the person's outline, times a factor that the network computes, so that rounding
can change which patches are refined. The effect of bf16 on trained weights is measured on the sample clip.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import SAMPLE, alternate, median_ms, print_table
from benchmarks.plain_refiner import PlainRefiner
from howard.matting import (
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
DEFAULT_SIZES = ("1080p", "4K")
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


def render_frame(height: int, width: int) -> Frame:
    """A bright figure before a textured background; the plate has other noise and is a little darker."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(1, 3, height // 40, width // 40, generator=generator)
    background = 0.2 + 0.4 * F.interpolate(coarse, size=(height, width), mode="bicubic").clamp(0, 1)
    alpha = torch.sigmoid((1 - distance_to_figure(height, width)) * 60)
    noise = 0.004 * torch.randn(2, 1, 3, height, width, generator=generator)
    source = (alpha * (background * 0.3 + 0.65) + (1 - alpha) * background + noise[0]).clamp(0, 1)
    return Frame(source, (0.99 * background + noise[1]).clamp(0, 1))


def follow_outline(decoder: nn.Module, inputs: object, decoded: DecoderOutput) -> DecoderOutput:
    """Decoder hook: multiplies its error map (channel 4) with one that follows the outline."""
    outline = torch.exp(-(distance_to_figure(*decoded.outputs.shape[2:]) - 1).abs() * 25)
    decoded.outputs[:, 4] = outline * (0.5 + decoded.outputs[:, 4].clamp(-0.4, 0.5))
    return decoded


def build_variant(name: str, encoder: str) -> MattingNetwork:
    """A network of :data:`VARIANTS`, all with the same random weights."""
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


Runs = dict[str, Callable[[], object]]


def list_runs(name: str, encoder: str, frame: Frame) -> Runs:
    """The measured parts of a variant, which work on the variant's own coarse matte."""
    network = build_variant(name, encoder)
    # Decoded frames are channels-last already, so that ours has no conversion to pay for.
    layout = torch.contiguous_format if name == "plain" else torch.channels_last
    frame = Frame(*(image.contiguous(memory_format=layout) for image in frame))
    scale = coarse_scale(*frame.source.shape[2:])
    size = [round(length / scale) for length in frame.source.shape[2:]]
    source, plate = (F.interpolate(image, size=size, mode="bilinear", align_corners=False) for image in frame)
    coarse = CoarseNetwork.forward(network, source, plate)
    scattered = coarse._replace(error=torch.rand(coarse.error.shape, generator=torch.Generator().manual_seed(2)))
    refiner = network.refiner
    assert refiner is not None
    return {
        "coarse": lambda: CoarseNetwork.forward(network, source, plate),
        "refiner, contour": lambda: refiner(*frame, coarse, REFINE),
        "refiner, scattered": lambda: refiner(*frame, scattered, REFINE),
        "whole": lambda: run_whole(name, network, frame, scale),
    }


def run_whole(name: str, network: MattingNetwork, frame: Frame, scale: float) -> Matte:
    """A matte; "plain" computes its foreground, too."""
    matte = network(frame.source, frame.plate, coarse_scale=scale, refine=REFINE)
    if name == "plain":
        _ = matte.foreground
    return matte


def memory_growth(name: str, encoder: str, size: str) -> float:
    """Peak memory of one forward pass minus that before it, in MiB, in a new process."""
    command = [sys.executable, __file__, "--measure-memory", name, "--encoder", encoder, "--sizes", size]
    return float(subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout)


def print_memory_growth(name: str, encoder: str, size: str) -> None:
    """What the process of :func:`memory_growth` runs; Linux only."""
    network = build_variant(name, encoder)
    layout = torch.contiguous_format if name == "plain" else torch.channels_last
    frame = Frame(*(image.contiguous(memory_format=layout) for image in render_frame(*SIZES[size])))
    network(*(image[..., :128, :128] for image in frame), coarse_scale=2)
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = _status("VmRSS")
    network(frame.source, frame.plate, coarse_scale=coarse_scale(*frame.source.shape[2:]), refine=REFINE)
    print((_status("VmHWM") - before) / 1024)


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def print_differences(variants: dict[str, Runs]) -> None:
    """Print the difference of each variant's alpha from the plain one's, where both refined the same patches."""
    plain = variants["plain"]["whole"]()
    print(f"  patches refined: {int(plain.refined.sum())} of {plain.refined.numel()}")  # type: ignore[attr-defined]
    for name in VARIANTS[1:]:
        matte = variants[name]["whole"]()
        changed = plain.refined != matte.refined  # type: ignore[attr-defined]
        difference = (plain.alpha - matte.alpha).abs()  # type: ignore[attr-defined]
        same = ~changed.repeat_interleave(4, 2).repeat_interleave(4, 3)[..., : difference.shape[2], :]
        print(
            f"  {name}: |alpha difference| mean {difference.mean():.1e}, largest outside changed patches "
            f"{(difference * same).max():.1e}; patches changed {100 * changed.float().mean():.4f} %"
        )


def report(size: str, encoder: str, repeats: int) -> None:
    """Measure one size and print its table."""
    frame = render_frame(*SIZES[size])
    variants = {name: list_runs(name, encoder, frame) for name in VARIANTS}
    parts = list(variants["plain"])
    times = alternate({(name, part): variants[name][part] for part in parts for name in VARIANTS}, repeats)
    rows = [[part, *(median_ms(times[name, part]) for name in VARIANTS)] for part in parts]
    rows.append(["memory growth, MiB", *(memory_growth(name, encoder, size) for name in VARIANTS)])
    cells = [
        [label, f"{plain:.0f}", *(f"{value:.0f} ({plain / value:.2f}x)" for value in ours)]
        for label, plain, *ours in rows
    ]
    print_table(f"{encoder}, {size}, core-ms (ratio of plain to it)", ("", *VARIANTS), cells)
    print_differences(variants)


def report_shipped() -> None:
    """Print the effect of bf16 on the shipped weights, on a frame of the sample clip and its true background."""
    with open_reader(SAMPLE / "shot.mp4") as shot:
        frame = shot[17]
    clean = read_still(sorted((SAMPLE / "clean").iterdir())[frame.index])
    full, half = (load_matting("default", "cpu", precision)(frame.image, clean) for precision in ("fp32", "bf16"))
    changed = (full.refined != half.refined).float().sum()
    print(
        f"shipped weights, sample clip, frame {frame.number}: bf16 |alpha difference| mean "
        f"{(full.alpha - half.alpha).abs().mean():.1e}, patches changed {int(changed)} of {full.refined.numel()} "
        f"({100 * changed / full.refined.numel():.3f} %), {int(full.refined.sum())} refined"
    )


def main() -> None:
    """Read the arguments and print a table for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=DEFAULT_SIZES)
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
        report_shipped()
        for size in arguments.sizes:
            report(size, arguments.encoder, arguments.repeats)


if __name__ == "__main__":
    main()
