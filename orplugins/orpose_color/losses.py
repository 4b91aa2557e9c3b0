"""Losses of a keypoint head that learns from hard and from soft labels (see `orplugins.orpose_color.network`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from orplugins.orpose_color.network import Keypoints3DNet

LOSSES = ("2D_hard", "2D_soft", "3D_hard", "3D_soft")
KINDS = ("hard", "soft")


def heatmap_targets(keypoints: Tensor, boxes: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Cell of each joint in its box's grid, as Mask R-CNN has it (He et al., ICCV 2017).

    Args:
        keypoints: (N, K, 3) x, y in continuous pixels; third column above 0: labelled.
        boxes: (N, 4) x1, y1, x2, y2 in continuous pixels.
        side: Cells per side.

    Returns:
        Labels row * side + column (N, K) int64, and which of them count (N, K) bool: labelled, finite, inside the box.
        A joint exactly on the box's right or lower edge is in the last cell; in a box without area none counts.
    """
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    xy = keypoints[..., :2]
    scaled = (xy - low) * (side / (high - low))
    cell = torch.where(xy == high, torch.full_like(scaled, side - 1), scaled.floor())
    valid = ((cell >= 0) & (cell < side) & (high > low)).all(dim=-1) & (keypoints[..., 2] > 0)
    cell = torch.where(valid[..., None], cell, torch.zeros_like(cell)).long()
    return cell[..., 1] * side + cell[..., 0], valid


def heatmap_loss(logits: Tensor, labels: Tensor, valid: Tensor, confidence: Tensor | None = None) -> Tensor:
    """Sum of the cross-entropies of the valid joints' maps.

    Args:
        logits: (N, K, S, S).
        labels: (N, K) cells, from `heatmap_targets`.
        valid: (N, K) bool, from `heatmap_targets`.
        confidence: (N, K) of soft labels: multiplies the logits, so it acts as a temperature, not as a weight.

    Returns:
        () the sum.
    """
    chosen = logits.flatten(2)[valid]
    if confidence is not None:
        chosen = chosen * confidence[valid][:, None]
    return functional.cross_entropy(chosen, labels[valid], reduction="sum")


def kept_rows(rows: Tensor) -> Tensor:
    """`orplugins.orpose_color.lifting.kept_rows` for tensors.

    Args:
        rows: (N, 32).

    Returns:
        (N,) bool.
    """
    return torch.fmod(rows.sum(dim=1).trunc(), 256) != 0


def lifting_loss(network: nn.Module, rows: Tensor, targets: Tensor, guarded: bool = True) -> Tensor | None:
    """Mean smooth L1 between lifted rows and their 3D targets.

    Args:
        network: (N, 32) -> (N, 48).
        rows: (N, 32); those that `kept_rows` does not keep are left out.
        targets: (N, 48).
        guarded: With fewer than two rows and batch norm in training mode there is nothing to normalise with: take them
            as none. If False, a single row is an error, as in the release.

    Returns:
        () the mean; None where there is no row to learn from.

    Raises:
        ValueError: A single row, if not ``guarded``.
    """
    keep = kept_rows(rows)
    count = int(keep.sum())
    batch_norm = any(isinstance(m, nn.modules.batchnorm._BatchNorm) and m.training for m in network.modules())
    if not count or (guarded and count < 2 and batch_norm):
        return None
    if not guarded and count == 1:
        raise ValueError("expected 2D or 3D input (got 1D input): a single lifter row, losses='published'")
    return functional.smooth_l1_loss(network(rows[keep]), targets[keep])


def mean_over_processes(counts: Tensor) -> Tensor:
    """Counts averaged over the processes of a distributed training, where there is one.

    A sum divided by this, averaged over the processes as their gradients are, is the sum over all of them divided by
    all that was counted: what one process with the whole batch computes. Every process has to call it in every step.

    Args:
        counts: (K,) of this process.

    Returns:
        (K,) means.
    """
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return counts
    counts = counts.clone()
    torch.distributed.all_reduce(counts)
    return counts / torch.distributed.get_world_size()


def nothing(logits: Tensor, *modules: nn.Module) -> Tensor:
    """A zero that depends on the logits and on all parameters of the modules, so that none lacks a gradient.

    Args:
        logits: Of any shape.
        *modules: Modules that took no part in the loss.

    Returns:
        () zero.
    """
    zero = logits.sum() * 0
    for module in modules:
        for parameter in module.parameters():
            zero = zero + parameter.sum() * 0
    return zero


def student_losses(
    head: Keypoints3DNet,
    features: Tensor,
    boxes: Tensor,
    labels: Callable[[str], Tensor],
    weights: Mapping[str, float],
    divisor: float | None,
    guarded: bool = True,
) -> tuple[dict[str, Tensor], bool]:
    """The four losses of a head that learns from a teacher's labels.

    Args:
        head: The network.
        features: (N, C, S, S) pooled features of
        boxes: (N, 4) proposals with a person.
        labels: Gives, of these people, ``gt_keypoints`` and ``gt_keypoints_soft`` (N, 17, 3), ``gt_keypoints2d_hard``
            and ``_soft`` (N, 32), ``gt_keypoints3d_hard`` and ``_soft`` (N, 48); raises ValueError where the targets
            have none. It is not called where N is 0.
        weights: Weight of each of `LOSSES`.
        divisor: Of both 2D losses; None: the number of joints that count.
        guarded: Never divide by zero joints, and leave out what has a weight of 0. If False, as in the release.

    Returns:
        Weighted loss by name, and whether there was no hard joint to learn from: all losses are 0 then.
    """
    hard, soft = head.heatmaps(features)
    there = len(boxes) > 0

    def targets_of(name: str) -> tuple[Tensor, Tensor]:
        if not there:
            return (boxes.new_zeros(0, head.num_keypoints, dtype=torch.bool),) * 2
        return heatmap_targets(labels(name), boxes, hard.shape[-1])

    targets, valid = targets_of("gt_keypoints")
    wanted = {name: there and (not guarded or weights[name] != 0) for name in LOSSES[1:]}
    soft_targets, soft_valid = targets_of("gt_keypoints_soft") if wanted["2D_soft"] else (targets[:0], valid[:0])
    rows = {k: labels(f"gt_keypoints2d_{k}") if wanted[f"3D_{k}"] else boxes.new_zeros(0, 1) for k in KINDS}
    counts = torch.stack([valid.sum(), soft_valid.sum(), *(kept_rows(rows[k]).sum() for k in KINDS)]).float()
    shared = mean_over_processes(counts) if guarded else counts
    if not valid.any():
        values = nothing(hard), nothing(soft), nothing(hard, head.nw2Dto3D_hard), nothing(soft, head.nw2Dto3D_soft)
        return {name: value * weights[name] for name, value in zip(LOSSES, values, strict=True)}, True

    losses = {"2D_hard": heatmap_loss(hard, targets, valid) / (divisor or shared[0]), "2D_soft": nothing(soft)}
    if wanted["2D_soft"]:
        # Without a soft joint anywhere the release divides 0 by 0.
        joints = divisor or (shared[1] if shared[1] or not guarded else 1.0)
        confidence = labels("gt_keypoints_soft")[..., 2]
        losses["2D_soft"] = heatmap_loss(soft, soft_targets, soft_valid, confidence) / joints
    for k, kind, network, maps in ((2, "hard", head.nw2Dto3D_hard, hard), (3, "soft", head.nw2Dto3D_soft, soft)):
        loss = None
        if wanted[f"3D_{kind}"]:
            loss = lifting_loss(network, rows[kind], labels(f"gt_keypoints3d_{kind}"), guarded)
        losses[f"3D_{kind}"] = nothing(maps, network) if loss is None else loss * counts[k] / shared[k]
    return {name: losses[name] * weights[name] for name in LOSSES}, False
