"""What a codec does to pictures and clips: block-wise quantisation, from frame to frame where it predicts.

All pictures are (N, C, H, W) in [0, 1], sRGB-encoded.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.synthesis.take import change_where

_BLOCK = 8
# Share of a step that is added before differences are rounded down, as H.264's reference encoder does for predicted
# frames. Rounding to the nearest would give the same as coding each frame by itself.
_ROUNDING = 1 / 6
# JPEG, ISO/IEC 10918-1, annex K: luminance and chrominance at quality 50, over 255.
_LUMINANCE = """16 11 10 16 24 40 51 61  12 12 14 19 26 58 60 55  14 13 16 24 40 57 69 56  14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77  24 35 55 64 81 104 113 92  49 64 78 87 103 121 120 101  72 92 95 98 112 100 103 99"""
_CHROMINANCE = """17 18 24 47 99 99 99 99  18 21 26 66 99 99 99 99  24 26 56 99 99 99 99 99  47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99"""
_TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))


def compress(image: Tensor, strength: Tensor) -> Tensor:
    """Quantise the cosine transform of 8x8 blocks as JPEG does, chroma at half size; ``strength`` (N,), 0 for none."""
    return change_where(strength > 0, _quantise, image, strength)


def compress_clips(image: Tensor, strength: Tensor, predicts: Tensor, frames: int) -> Tensor:
    """Compress clips; where ``predicts`` (N,) is 1, each frame but the first as its difference from the one before.

    Prediction is from the same place in the decoded frame before, without motion search. Differences are rounded
    towards 0, as encoders do: faint noise freezes, and what was uncovered keeps traces.

    Args:
        image: (N, C, H, W), clips of ``frames`` frames one after the other.
        strength: (N,), as of :func:`compress`.
        predicts: (N,).
        frames: of a clip; stills are only compressed.
    """
    coded = compress(image, strength)
    chosen = ((predicts > 0) & (strength > 0)).unflatten(0, (-1, frames))[:, 0]
    if frames == 1 or not chosen.any():
        return coded
    clips, steps = (each.unflatten(0, (-1, frames))[chosen] for each in (image, strength))
    decoded = [coded.unflatten(0, (-1, frames))[chosen, 0]]
    for time in range(1, frames):
        before = decoded[-1]
        difference = _code(clips[:, time] - before, steps[:, time], _ROUNDING)
        decoded.append((before + difference).clamp(0, 1))
    coded = coded.unflatten(0, (-1, frames)).clone()
    coded[chosen] = torch.stack(decoded, dim=1)
    return coded.flatten(0, 1)


def _quantise(image: Tensor, strength: Tensor) -> Tensor:
    return _code(image, strength).clamp(0, 1)


def _code(image: Tensor, strength: Tensor, rounding: float = 0.5) -> Tensor:
    """Code and decode a picture, or a difference of pictures; magnitudes are rounded up from 1 - ``rounding`` on."""
    height, width = image.shape[2:]
    to_ycc = image.new_tensor(_TO_YCC)
    wide = F.pad(image, (0, -width % (2 * _BLOCK), 0, -height % (2 * _BLOCK)), mode="replicate")
    colours = torch.einsum("dc,nchw->ndhw", to_ycc, wide)
    luma = _quantise_blocks(colours[:, :1], _table(_LUMINANCE, strength), rounding)
    chroma = _quantise_blocks(F.avg_pool2d(colours[:, 1:], 2), _table(_CHROMINANCE, strength), rounding)
    chroma = F.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False)
    coded = torch.einsum("dc,nchw->ndhw", torch.linalg.inv(to_ycc), torch.cat([luma, chroma], dim=1))
    return coded[..., :height, :width]


def _quantise_blocks(plane: Tensor, table: Tensor, rounding: float) -> Tensor:
    count, channels, height, width = plane.shape
    cosines = _cosines(plane.device)
    blocks = plane.view(count, channels, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK).transpose(3, 4)
    coefficients = cosines @ blocks @ cosines.T
    steps = coefficients / table
    steps = steps.round() if rounding == 0.5 else steps.sign() * (steps.abs() + rounding).floor()
    kept = steps * table
    return (cosines.T @ kept @ cosines).transpose(3, 4).reshape(plane.shape)


def _table(text: str, strength: Tensor) -> Tensor:
    """Quantiser's steps of each picture for values in [0, 1]: (N, 1, 1, 1, 8, 8)."""
    steps = strength.new_tensor([int(each) for each in text.split()]).view(_BLOCK, _BLOCK) / 255
    return strength.view(-1, 1, 1, 1, 1, 1) * steps


def _cosines(device: torch.device) -> Tensor:
    """The orthonormal cosine transform (DCT-II) of 8 values: (8, 8)."""
    index = torch.arange(_BLOCK, dtype=torch.float32, device=device)
    matrix = torch.cos(torch.pi / _BLOCK * (index + 0.5) * index[:, None]) * (2 / _BLOCK) ** 0.5
    matrix[0] /= 2**0.5
    return matrix
