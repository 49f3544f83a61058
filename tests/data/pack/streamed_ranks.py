"""An epoch of a streamed pack in two processes with two workers each: a program, started by a test.

``python streamed_ranks.py PACK FOLDER`` saves the sample numbers and the persons' names of each rank as ``RANK.json``.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
import torch.distributed as dist
from torch.utils.data import DataLoader

from howard.data.pack.reading import read_complete_manifest
from howard.data.pack.streaming import StreamedDataset, find_stream_source
from howard.data.sample_order import ClipFrame
from howard.data.sample_sources import SampleSources

RANKS = 2
WORKERS = 2
BATCH = 2


class Recorder:
    """In place of what makes samples: which number, and which person."""

    seed = 0
    sources: SampleSources

    def prepare(self, number: int, first_person: ClipFrame) -> tuple[int, str]:
        return number, first_person.clip.name


def stream(rank: int, pack: str, folder: str) -> None:
    """The epoch of one rank."""
    dist.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=RANKS)
    source = find_stream_source(Path(pack), read_complete_manifest(Path(pack)), ["people"], ["places"], [])
    trainer: Any = SimpleNamespace(world_size=RANKS, global_rank=rank, current_epoch=0)
    samples: Any = Recorder()
    streamed = StreamedDataset(source, samples, BATCH, WORKERS, trainer)
    batches = list(DataLoader(streamed, BATCH, num_workers=WORKERS, collate_fn=list))
    assert all(len(batch) == BATCH for batch in batches)
    assert len(batches) * BATCH == len(streamed)
    Path(folder, f"{rank}.json").write_text(json.dumps([sample for batch in batches for sample in batch]))
    dist.destroy_process_group()


if __name__ == "__main__":
    torch.multiprocessing.start_processes(stream, (sys.argv[1], sys.argv[2]), RANKS, start_method="fork")
