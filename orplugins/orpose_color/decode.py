"""Joints from the heatmaps of regions, all regions at once."""

from __future__ import annotations

import torch
from torch import Tensor

_BLOCK = 4  # cells per side of the squares that a map is searched by
_CANDIDATES = 3  # squares with the highest cells of a map, in which its surface is looked at
_SAMPLES = 12  # maximum number of places per side where the surface is looked at within a square
_ROUNDING = 1e-4  # more than the rounding error of a number of pixels
_A = -0.75  # PyTorch's bicubic kernel


def _kernel(distance: Tensor) -> Tensor:
    x = distance.abs()
    near, far = x.clamp(max=1), x.clamp(1, 2)  # each part is 0 where the other one counts
    near = ((_A + 2) * near - (_A + 3)) * near * near + 1
    return near + ((_A * far - 5 * _A) * far + 8 * _A) * far - 4 * _A


def _places(step: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Where the published way looks at the surface, square by square along one axis: pixels of the box.

    Args:
        step: (N,) cells per pixel.
        side: Cells per side of a map.

    Returns:
        (N, side / _BLOCK, _SAMPLES) places in cells, a cell's centre being its index, and (N,) their distance: a pixel,
        or as many pixels as keep the places of a square to _SAMPLES.
    """
    # What ought to be a whole number may be a rounding error more.
    distance = step * (_BLOCK / _SAMPLES / step - _ROUNDING).ceil()
    start = _BLOCK * torch.arange(side // _BLOCK, device=step.device, dtype=step.dtype)
    end = (start + _BLOCK - 0.5)[:, None]
    first = ((start / step[:, None] - 0.5 - _ROUNDING).ceil() + 0.5) * step[:, None] - 0.5
    places = first[..., None] + distance[:, None, None] * torch.arange(_SAMPLES, device=step.device)
    # A pixel beyond the square is the next one's; a square between two pixels is looked at on its edge.
    return torch.where(places < end, places, torch.minimum(places[..., :1], end)), distance


def decode_batched(logits: Tensor, boxes: Tensor) -> Tensor:
    """Joints where each heatmap's bicubic surface is highest, to a fraction of a pixel.

    detectron2's `heatmaps_to_keypoints` enlarges each map to its box's pixels and takes the highest. Here, without a
    loop, the surface is looked at in the same pixels, but only in the few squares that hold a map's highest cells, and
    in large boxes not in each; then a parabola through it gives the fraction. It works on whole arrays, so it can be
    traced and exported.

    Args:
        logits: (R, K, S, S), S a multiple of 4 and at least 8, as every keypoint head's is; of any precision.
        boxes: (R, 4) x1, y1, x2, y2 pixels; sides below 1 count as 1.

    Returns:
        (R, K, 3): x, y in continuous pixels (a pixel's centre is its index + 0.5), and the score: the softmax over the
        map at the surface's maximum, which can exceed 1 a little.
    """
    regions, joints, side = logits.shape[0], logits.shape[1], logits.shape[-1]
    maps, squares = regions * joints, side // _BLOCK
    flat = logits.reshape(maps, side * side).to(boxes.dtype)
    rows = flat.view(maps, squares, _BLOCK, side).amax(dim=2)  # row by row first: in the order of the memory
    highest = rows.view(maps, squares * squares, _BLOCK).amax(dim=2)
    tops, chosen = highest.topk(_CANDIDATES, dim=1)
    square = torch.stack([chosen % squares, torch.div(chosen, squares, rounding_mode="floor")])  # across, down

    size = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1)
    step = (side / size.ceil()).T.reshape(-1)  # of all regions across, then down
    places, distance = _places(step, side)
    reach = torch.arange(-2, _BLOCK + 2, device=logits.device)
    start = _BLOCK * torch.arange(squares, device=logits.device)[:, None]
    weights = _kernel(places[..., None] - (start + reach)[:, None, :])
    region = torch.arange(regions, device=logits.device).repeat_interleave(joints)
    axes = torch.stack([region, region + regions])  # rows of `places`
    pick = (axes[..., None] * squares + square).flatten()
    weights = weights.flatten(0, 1).index_select(0, pick).unflatten(0, (2, maps * _CANDIDATES))

    # Bicubic resizing repeats the border, so indices are clamped instead of the map being padded.
    cells = (_BLOCK * square[..., None] + reach).clamp(0, side - 1)
    around = flat.gather(1, (cells[1][..., :, None] * side + cells[0][..., None, :]).flatten(1))
    around = around.view(maps * _CANDIDATES, _BLOCK + 4, _BLOCK + 4)
    surface = weights[1] @ around @ weights[0].transpose(1, 2)
    best, sample = surface.view(maps, _CANDIDATES * _SAMPLES**2).max(dim=1)

    # (2, maps): the place of the highest sample
    candidate = torch.div(sample, _SAMPLES**2, rounding_mode="floor")
    square = square.gather(2, candidate.expand(2, -1)[..., None])[..., 0]
    index = torch.stack([sample % _SAMPLES, torch.div(sample, _SAMPLES, rounding_mode="floor") % _SAMPLES])
    place = places.view(-1).take((axes * squares + square) * _SAMPLES + index)
    around = around.index_select(0, torch.arange(maps, device=logits.device) * _CANDIDATES + candidate)
    place = place + _fraction(around, place - _BLOCK * square, distance.take(axes))

    # The softmax's denominator.
    total = (flat - tops[:, :1]).exp_().sum(dim=1)
    score = (best - tops[:, 0]).exp() / total
    xy = ((place + 0.5) / side).clamp(0, 1).T.reshape(regions, joints, 2) * size[:, None] + boxes[:, None, :2]
    return torch.cat([xy, score.view(regions, joints, 1)], dim=2)


def _fraction(around: Tensor, place: Tensor, distance: Tensor) -> Tensor:
    """How far (2, N) from places (2, N), across and down, the vertices of parabolas through the surface are.

    Args:
        around: (N, _BLOCK + 4, _BLOCK + 4) a square's cells and those around it.
        place: In cells from the square's first one.
        distance: (2, N) that of the places looked at so far: no vertex is farther away than half of it.
    """
    apart = distance.clamp(max=1) / 2
    at = place[..., None] + apart[..., None] * torch.arange(-1, 2, device=around.device)  # (2, N, 3)
    weights = _kernel(at[..., None] - torch.arange(-2, _BLOCK + 2, device=around.device))
    lines = torch.stack([(weights[1, :, 1, None] @ around)[:, 0], (around @ weights[0, :, 1, :, None])[..., 0]])
    left, centre, right = (weights @ lines[..., None])[..., 0].unbind(-1)
    shift = 0.5 * (left - right) / (left - 2 * centre + right).clamp(max=-1e-12)
    return shift.clamp(-1, 1) * apart
