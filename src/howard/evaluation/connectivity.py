"""The connectivity error of mattes, whose connected components are found on the CPU.

C. Rhemann et al., "A Perceptually Motivated Online Benchmark for Image Matting", CVPR 2009. A pixel's level is the last
threshold up to which it belongs to the body: the largest 4-connected component of the pixels that predicted and true
alpha both reach the threshold in.
"""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from howard.machine import count_cores
from howard.parallel import ordered_map

_TOP = 10  # number of the highest threshold, 1; the published protocol has 0, 0.1, ... 1
# Largest float32 below the difference of alpha and level that counts, which is 0.15 in the protocol.
_BELOW_TOLERANCE = float(np.nextafter(np.float32(0.15), np.float32(0)))


def connectivity_error(predicted: Tensor, true: Tensor) -> Tensor:
    """Sum of absolute differences in connectedness, / 1e3.

    Components are not found by torch: the thresholds that each pixel reaches go to the CPU as one byte, its level comes
    back as one; everything else is computed on the device.

    Args:
        predicted: (B, 1, H, W) in [0, 1].
        true: like ``predicted``.

    Returns:
        (B,) float64.
    """
    predicted, true = predicted.float(), true.float()
    # The published figures compare float32 values with the steps: 153/255 then reaches the step 0.6.
    reached = torch.minimum(predicted, true).double().mul_(_TOP).clamp_(0, _TOP).nan_to_num_(0).byte()
    planes = reached[:, 0].cpu().numpy()
    levels = torch.from_numpy(np.stack(_all_levels(planes)))
    level = levels[:, None].to(true.device).float().mul_(1 / _TOP)
    change = _distance(predicted, level).sub_(_distance(true, level))
    return change.abs_().sum(dim=(1, 2, 3), dtype=torch.float64) / 1e3


def body_levels(reached: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Index of the last step up to which each pixel belongs to the body.

    Bodies are not nested, so a step that a pixel fails hides all above it.

    Args:
        reached: HxW, index of the highest step that a pixel reaches, 0 to 10.
    """
    levels = np.zeros_like(reached)
    alive = np.ones_like(reached)
    for body in reversed(_bodies(reached)):
        alive &= body
        levels += alive
    return levels


def _all_levels(planes: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    if len(planes) == 1:
        return [body_levels(planes[0])]
    # One thread per core: OpenCV releases the interpreter's lock.
    return list(ordered_map(body_levels, planes, workers=min(len(planes), count_cores())))


def _bodies(reached: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The largest 4-connected component of the pixels that reach each step, from the highest step to step 1.

    Each body is flood filled from a pixel of the one before, in a tenth of the time of finding all components: a
    component that holds more than half of the pixels is the largest. Where it does not, all are found.

    Returns:
        A mask HxW of 0 and 1 per step; all 0 where no pixel reaches the step.
    """
    height, width = reached.shape
    counts = np.cumsum(np.bincount(reached.ravel(), minlength=_TOP + 1)[::-1])[::-1]
    row, column = np.unravel_index(int(reached.argmax()), reached.shape)
    bodies: list[NDArray[np.uint8]] = []
    for step in range(_TOP, 0, -1):
        if bodies and counts[step] == counts[min(step + 1, _TOP)]:
            bodies.append(bodies[-1])
            continue
        mask = np.zeros((height + 2, width + 2), np.uint8)  # OpenCV's, with a border
        body = mask[1:-1, 1:-1]
        bodies.append(body)
        if counts[step] == 0:
            continue
        value = int(reached[row, column])
        below, above = value - step, _TOP - value
        flags = 4 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY | (1 << 8)
        area = cv2.floodFill(reached, mask, (int(column), int(row)), 0, below, above, flags)[0]
        if 2 * area <= counts[step]:
            body[...] = _largest_component(reached >= step)
            row, column = np.unravel_index(int(body.argmax()), body.shape)
    return bodies


def _largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    # OpenCV's own statistics of the components take twice as long as counting their labels.
    _, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)
    return labels == 1 + int(np.bincount(labels.ravel())[1:].argmax())


def _distance(alpha: Tensor, level: Tensor) -> Tensor:
    """How far alpha is above the level, 0 below the tolerance: 1 - connectedness."""
    return F.threshold(alpha - level, _BELOW_TOLERANCE, 0.0)
