"""Patches of soft edges with true alpha, on which the fusion of two alpha estimates is fitted.

They come from batches of training samples and from clips with ground truth that are aligned and matted as in a render.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from howard.align import PlateAligner
from howard.compositing.edge_solver import MODEL, describe_pixels
from howard.compositing.edges import gather_known
from howard.compositing.patches import Patches, find_unknown, pad_to_patches, read_cells, read_patches
from howard.data.dataset import Batch
from howard.evaluation.true_clip import TrueClip
from howard.matting import MattingPredictor
from howard.matting.person_prior import CLASSES
from howard.media import open_reader
from howard.pipeline.frame_tensors import FrameTensors, foreground_of, matte_frame
from howard.pipeline.pipeline_types import AlignedFrame
from howard.training.batches import flatten_frames, sample_boxes

# Most patches that are taken of a batch or a frame; each then stands for several.
_MOST = 4000
# Of frames of a clip one in so many is taken, since neighbours are alike.
_FRAME_STEP = 3
_HAIR = CLASSES.index("hair")


class EdgePatches(NamedTuple):
    """Patches of 16 pixels: ``features`` (n, C, 16) fp16, true ``alpha`` (n, 16) fp16, and their ``weight`` (n,).

    ``weight`` is the number of patches in the images that one stands for, and larger in hair.
    """

    features: Tensor
    alpha: Tensor
    weight: Tensor


def join_patches(parts: Iterable[EdgePatches]) -> EdgePatches:
    """All patches of several images."""
    return EdgePatches(*(torch.cat(each) for each in zip(*parts, strict=True)))


def patches_of_batches(
    batches: Iterable[Batch],
    predictor: MattingPredictor,
    scales: Sequence[float],
    hair_weight: float,
    rng: np.random.Generator,
) -> Iterator[EdgePatches]:
    """The patches of batches of training samples.

    Args:
        batches: with named (B, C, H, W) tensors, or (B, T, C, H, W).
        predictor: mattes them.
        scales: the coarse network runs at 1 / a random one of these.
        hair_weight: weight that is added where the person prior is sure of hair.
        rng: generator of scales, boxes of people, and the choice of patches.
    """
    metadata = predictor.metadata
    for batch in map(flatten_frames, batches):
        side = max(batch["source"].shape[2:])
        predictor.metadata = replace(metadata, coarse_long_side=round(side / scales[int(rng.integers(len(scales)))]))
        yield _patches_of_batch(batch, predictor, hair_weight, rng)
    predictor.metadata = metadata


@torch.inference_mode()
def _patches_of_batch(
    batch: Batch, predictor: MattingPredictor, hair_weight: float, rng: np.random.Generator
) -> EdgePatches:
    source, plate = (_to_codes(batch[name]) for name in ("source", "plate"))
    coverage = batch["coverage"].movedim(1, 3).contiguous()
    assert predictor.find_people is not None
    person = predictor.find_people.find(source.numpy(), sample_boxes(batch["alpha"], rng))
    person = person.masked(batch["has_person_prior"])
    matte = predictor(source.numpy(), plate.numpy(), coverage[..., 0].numpy(), person=person)
    tensors = FrameTensors(source, plate, coverage)
    return _choose(tensors, matte, person, batch["alpha"].movedim(1, 3), hair_weight, rng)


@torch.inference_mode()
def patches_of_clip(
    folder: Path, predictor: MattingPredictor, hair_weight: float, rng: np.random.Generator
) -> Iterator[EdgePatches]:
    """The patches of every third frame of a clip with ground truth; other arguments as `patches_of_batches`."""
    clip = TrueClip(folder)
    with open_reader(clip.shot) as shot, open_reader(clip.plate) as plate:
        aligner = PlateAligner(plate)
        for index in range(_FRAME_STEP // 2, len(shot), _FRAME_STEP):
            frame = shot[index]
            matted = matte_frame(AlignedFrame(frame, aligner.align(frame)), predictor)
            true = torch.from_numpy(clip.alpha(index))[None, ..., None]
            yield _choose(matted.tensors, matted.matte, matted.person, true, hair_weight, rng)


def _choose(
    tensors: FrameTensors, matte: Any, person: Any, true: Tensor, hair_weight: float, rng: np.random.Generator
) -> EdgePatches:
    """Some patches of a matted batch; ``true`` is (B, H, W, 1)."""
    alpha = torch.as_tensor(matte.alpha).movedim(1, 3).contiguous()
    found = find_unknown(pad_to_patches(alpha), torch.as_tensor(matte.refined))
    count = len(found.row)
    chosen = torch.from_numpy(np.sort(rng.choice(count, min(count, _MOST), replace=False)))
    patches = Patches(*(each[chosen] for each in found))
    known = gather_known(*tensors, alpha, foreground_of(matte), patches, person.person(), True, MODEL)
    features, _ = describe_pixels(known)
    cells = [-(-side // 4) for side in alpha.shape[1:3]]
    hair = read_cells(F.interpolate(person.probabilities[:, _HAIR : _HAIR + 1].float(), cells), patches, 4)
    weight = (count / max(1, len(chosen))) * (1 + hair_weight * hair.mean(dim=(0, 2)))
    return EdgePatches(
        features.transpose(0, 1).half(), read_patches(pad_to_patches(true), patches)[0].half(), weight.float()
    )


def _to_codes(images: Tensor) -> Tensor:
    """(B, 3, H, W) in [0, 1] to (B, H, W, 3) uint8."""
    return (images.clamp(0, 1) * 255).round().byte().movedim(1, 3).contiguous()
