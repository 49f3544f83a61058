"""A refiner in two processes of one run, of which the second's error map picks no patch: a program, started by a test.

``python two_ranks.py FOLDER [synced]`` takes two steps and saves each rank's gradients and weights as ``RANK.pt``.
``synced`` makes batch norm use both ranks' patches.
"""

import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce
from torch.nn.parallel import DistributedDataParallel

from howard.matting.coarse_network import HIDDEN_CHANNELS, CoarseMatte
from howard.matting.refiner import Refiner, RefineSettings

RANKS = 2
STEPS = 2  # DistributedDataParallel finds a missing gradient at the beginning of the second


class CpuSyncBatchNorm(nn.SyncBatchNorm):
    """Torch's own one is for GPUs alone: the same statistics, without the running ones."""

    def forward(self, input: Tensor) -> Tensor:
        channels = input.shape[1]
        sums = [input.sum(dim=(0, 2, 3)), input.square().sum(dim=(0, 2, 3))]
        total = all_reduce(torch.cat([input.new_tensor([input.numel() / channels]), *sums]))
        mean, square = (total[1:] / total[0]).split(channels)
        scale = self.weight * (square - mean.square() + self.eps).rsqrt()
        return (input - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


def make_inputs(rank: int) -> tuple[Tensor, Tensor, CoarseMatte]:
    """Source, plate and coarse matte of a rank; the error map is 0 on every one but the first."""
    rng = torch.Generator().manual_seed(rank)
    source, plate = torch.rand(2, 1, 3, 32, 32, generator=rng)
    alpha, residual, hidden = (torch.rand(1, count, 8, 8, generator=rng) for count in (1, 3, HIDDEN_CHANNELS))
    error = torch.full((1, 1, 8, 8), 0.0 if rank else 0.5)
    # As from a coarse network that is trained along.
    return source, plate, CoarseMatte(alpha.requires_grad_(), residual.requires_grad_(), residual, error, hidden)


def train(rank: int, folder: str, synced: bool) -> None:
    """The steps of one rank."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=RANKS)
    torch.manual_seed(0)
    refiner = Refiner().train()
    wrapped = DistributedDataParallel(refiner)
    if synced:  # only now: torch refuses to wrap such layers on a CPU
        for layer in (refiner.bn1, refiner.bn2, refiner.bn3):
            layer.__class__ = CpuSyncBatchNorm
    optimiser = torch.optim.SGD(refiner.parameters(), 0.1)
    for _ in range(STEPS):
        optimiser.zero_grad()
        refined = wrapped(*make_inputs(rank), RefineSettings(fraction=0.2))
        (refined.alpha.square().mean() + refined.residual.square().mean()).backward()
        optimiser.step()
    gradients = {name: parameter.grad for name, parameter in refiner.named_parameters()}
    torch.save({"gradients": gradients, "weights": refiner.state_dict()}, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    arguments = (str(Path(sys.argv[1])), "synced" in sys.argv[2:])
    torch.multiprocessing.start_processes(train, arguments, RANKS, start_method="spawn")
