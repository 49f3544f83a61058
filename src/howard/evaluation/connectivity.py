"""The connectivity error of mattes; its connected components are computed on the CPU.

C. Rhemann et al., "A Perceptually Motivated Online Benchmark for Image Matting", CVPR 2009. At each threshold, the body
is the largest 4-connected component of the pixels where both predicted and true alpha reach the threshold. The level of
a pixel is the last threshold up to which it belongs to all bodies.
"""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from howard.evaluation.image_means import mean_absolute
from howard.machine import count_cores
from howard.parallel import ordered_map

_TOP = 10  # index of the highest threshold, 1; the published protocol has 0, 0.1, ... 1
_LEAST_SHARED = 2**18  # fewest pixels of an image for which threads save more time than they take
# Largest float32 below the difference of alpha and level that counts, which is 0.15 in the protocol.
_BELOW_TOLERANCE = float(np.nextafter(np.float32(0.15), np.float32(0)))


def connectivity_error(predicted: Tensor, true: Tensor) -> Tensor:
    """Sum of absolute differences in connectedness, / 1e3.

    Everything but the components is computed on the device; one byte per pixel is copied to the CPU and back.

    Args:
        predicted: (B, 1, H, W) in [0, 1].
        true: like ``predicted``.

    Returns:
        (B,) float64.
    """
    predicted, true = predicted.float(), true.float()
    # The published protocol compares float32 values with the thresholds: 153/255 then reaches 0.6.
    reached = torch.minimum(predicted, true).clamp_(0, 1).nan_to_num_(0).double().mul_(_TOP).byte()
    planes = reached[:, 0].cpu().numpy()
    levels = torch.from_numpy(np.stack(_all_levels(planes)))
    level = levels[:, None].to(true.device).float().mul_(1 / _TOP)
    return mean_absolute(_distance(predicted, level), _distance(true, level)) * (level[0].numel() / 1e3)


def body_levels(reached: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Index of the last threshold up to which each pixel belongs to all bodies.

    Bodies are not nested: a pixel may belong to the body of a higher threshold again, which does not count.

    Args:
        reached: HxW, index of the highest threshold that a pixel reaches, 0 to 10.
    """
    levels = np.zeros_like(reached)
    left, top, width, height = cv2.boundingRect(reached)  # of the pixels that reach any threshold
    inside = np.s_[top : top + height, left : left + width]
    if width == 0:
        return levels
    alive, cropped = np.ones((height, width), np.uint8), np.zeros((height, width), np.uint8)
    for body in reversed(_bodies(np.ascontiguousarray(reached[inside]))):
        alive &= body
        cropped += alive
    levels[inside] = cropped
    return levels


def _all_levels(planes: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    if len(planes) == 1 or planes[0].size < _LEAST_SHARED:
        return [body_levels(plane) for plane in planes]
    # Threads run in parallel, because OpenCV releases the GIL.
    return list(ordered_map(body_levels, planes, workers=min(len(planes), count_cores())))


def _bodies(reached: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The largest 4-connected component of the pixels that reach each threshold, from the highest threshold to 0.1.

    Each body is flood filled from a pixel of the previous one, which takes a tenth of the time of labelling all
    components. A component with more than half of the pixels is the largest; otherwise all components are labelled.

    Returns:
        For each threshold a mask HxW of 0 and 1, all 0 if no pixel reaches the threshold.
    """
    height, width = reached.shape
    row, column = np.unravel_index(int(reached.argmax()), reached.shape)
    bodies: list[NDArray[np.uint8]] = []
    previous = -1
    for step in range(_TOP, 0, -1):
        is_reached = reached >= step
        count = np.count_nonzero(is_reached)
        if count == previous:
            bodies.append(bodies[-1])
            continue
        previous = count
        mask = np.zeros((height + 2, width + 2), np.uint8)  # floodFill needs a border of one pixel
        body = mask[1:-1, 1:-1]
        bodies.append(body)
        if count == 0:
            continue
        value = int(reached[row, column])
        below, above = value - step, _TOP - value
        flags = 4 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY | (1 << 8)
        area = cv2.floodFill(reached, mask, (int(column), int(row)), 0, below, above, flags)[0]
        if 2 * area <= count:
            body[...] = _largest_component(is_reached)
            row, column = np.unravel_index(int(body.argmax()), body.shape)
    return bodies


def _largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    # OpenCV's own statistics of the components take twice as long as counting their labels.
    _, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)
    return labels == int(np.bincount(labels[mask]).argmax())


def _distance(alpha: Tensor, level: Tensor) -> Tensor:
    """How far alpha is above the level, 0 below the tolerance: 1 - connectedness."""
    return F.threshold(alpha - level, _BELOW_TOLERANCE, 0.0)
