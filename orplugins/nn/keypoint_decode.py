"""Joints from the heatmaps of regions, all regions at once."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

_REACH = 3  # pixels on either side of the highest one that its neighbourhood's bicubic surface depends on
_STEPS = 4  # samples of the surface a pixel
_A = -0.75  # PyTorch's bicubic kernel
_BAND = 4  # rows of a map that its highest cell is looked for in at a time


def _kernel(distance: np.ndarray) -> np.ndarray:
    x = np.abs(distance)
    near = (_A + 2) * x**3 - (_A + 3) * x**2 + 1
    far = _A * x**3 - 5 * _A * x**2 + 8 * _A * x - 4 * _A
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


@lru_cache(maxsize=1)
def _weights() -> np.ndarray:
    """((2 * _STEPS + 1)^2, (2 * _REACH + 1)^2): bicubic samples from one pixel before the middle to one after it."""
    at = np.linspace(-1, 1, 2 * _STEPS + 1)
    line = _kernel(at[:, None] - np.arange(-_REACH, _REACH + 1))
    return np.kron(line, line).astype(np.float32)


def decode_batched(logits: Tensor, boxes: Tensor) -> Tensor:
    """Joints where each heatmap's bicubic surface is highest, to a fraction of a pixel.

    detectron2's `heatmaps_to_keypoints` enlarges each map to its box and takes the highest pixel. Here the same
    surface is sampled, without a loop, around the map's own highest pixel only, and a parabola through the highest
    sample and its neighbours gives the fraction. It works on whole arrays, so it can be traced and exported.

    Args:
        logits: (R, K, S, S), S a multiple of 4, as every keypoint head's is.
        boxes: (R, 4) x1, y1, x2, y2 pixels; sides below 1 count as 1.

    Returns:
        (R, K, 3): x, y in continuous pixels (a pixel's centre is its index + 0.5), and the score: the softmax over the
        map at the surface's maximum, which can exceed 1 a little.
    """
    regions, joints, side = logits.shape[0], logits.shape[1], logits.shape[-1]
    maps = regions * joints
    flat = logits.reshape(maps, side * side)
    # On a CPU a maximum without its index is several times as fast as one with it: first the highest band of rows.
    bands = flat.view(maps, side // _BAND, _BAND * side)
    top, band = bands.amax(dim=2).max(dim=1)
    first = torch.arange(maps, device=logits.device)
    peak = bands.flatten(0, 1).index_select(0, first * (side // _BAND) + band).max(dim=1).indices
    column, row = peak % side, torch.div(peak, side, rounding_mode="floor") + band * _BAND

    # Bicubic resizing repeats the border, so indices are clamped instead of the map being padded.
    near = torch.arange(-_REACH, _REACH + 1, device=logits.device)
    columns = (column[:, None] + near).clamp(0, side - 1)
    rows = (row[:, None] + near).clamp(0, side - 1)
    around = flat.gather(1, (rows[:, :, None] * side + columns[:, None, :]).flatten(1))
    weights = torch.as_tensor(_weights(), device=logits.device).to(logits.dtype)
    samples = 2 * _STEPS + 1
    surface = around @ weights.T
    best, sample = surface.max(dim=1)
    index = torch.stack([sample % samples, torch.div(sample, samples, rounding_mode="floor")])  # across, down

    # A parabola through the highest sample and its neighbours along each axis; at the rim of the surface there is none.
    inner = index.clamp(1, samples - 2)
    stride = torch.tensor([[1], [samples]], device=logits.device)
    centre = first * samples**2 + sample + (inner - index) * stride
    left, middle, right = surface.take(torch.stack([centre - stride, centre, centre + stride]))
    shift = (0.5 * (left - right) / (left - 2 * middle + right).clamp(max=-1e-12)).clamp(-0.5, 0.5)
    fine = (index + shift * (inner == index)) / _STEPS - 1
    xy = (torch.stack([column, row]) + fine + 0.5).clamp(0, side)
    # exp(best) over the map's sum of exponentials. The softmax, one fused operation, has exp(top) over it at the peak.
    score = flat.softmax(dim=1).gather(1, (row * side + column)[:, None])[:, 0] * (best - top).exp()

    size = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1)
    places = xy.T.reshape(regions, joints, 2) * (size / side)[:, None] + boxes[:, None, :2]
    return torch.cat([places, score.view(regions, joints, 1)], dim=2)


def decode_reference(logits: Tensor, boxes: Tensor) -> Tensor:
    """The same by the plain way, region by region: the surface enlarged eight times, its highest pixel. For tests."""
    out = []
    for maps, box in zip(logits, boxes, strict=True):
        big = functional.interpolate(maps[None], scale_factor=8, mode="bicubic", align_corners=False)[0]
        width = (box[2:] - box[:2]).clamp(min=1)
        top, peak = big.flatten(1).max(dim=1)
        xy = torch.stack([peak % big.shape[2], peak // big.shape[2]], dim=1) + 0.5
        score = 1 / (maps.flatten(1) - top[:, None]).exp().sum(dim=1)
        out.append(torch.cat([xy / big.shape[2] * width + box[:2], score[:, None]], dim=1))
    return torch.stack(out) if out else logits.new_zeros(0, logits.shape[1], 3)
