"""Losses of temporal lifting and of its semi-supervised training (Pavllo et al. 2019, sections 4 and 5)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from orplugins.videopose3d.screen import project_screen


def mpjpe_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean per-joint position error.

    Args:
        predicted: (..., D).
        target: (..., D).

    Returns:
        () the mean distance.
    """
    return torch.linalg.norm(predicted - target, dim=-1).mean()


def weighted_mpjpe_loss(predicted: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean per-joint position error; the weight of a trajectory is 1 / depth.

    Args:
        predicted: (..., D).
        target: (..., D).
        weight: (...).

    Returns:
        () the mean of weight times distance.
    """
    return (weight * torch.linalg.norm(predicted - target, dim=-1)).mean()


def mean_bone_lengths(poses: Tensor, parents: Sequence[int]) -> Tensor:
    """Mean length of the bone to each joint's parent.

    Args:
        poses: (N, T, J, 3).
        parents: Of the J joints, -1 for the root.

    Returns:
        (J - 1,).
    """
    children = [j for j, parent in enumerate(parents) if parent >= 0]
    bones = poses[..., children, :] - poses[..., [parents[j] for j in children], :]
    return torch.linalg.norm(bones, dim=-1).mean(dim=tuple(range(poses.dim() - 2)))


def bone_length_loss(labelled: Tensor, unlabelled: Tensor, parents: Sequence[int]) -> Tensor:
    """Mean difference of the mean bone lengths of two batches of *predictions* (section 4 of the paper).

    Args:
        labelled: (N, T, J, 3).
        unlabelled: (M, T, J, 3).
        parents: Of the J joints, -1 for the root.

    Returns:
        () the loss.
    """
    return (mean_bone_lengths(labelled, parents) - mean_bone_lengths(unlabelled, parents)).abs().mean()


def projection_loss(
    pose: Tensor, trajectory: Tensor, intrinsics: Tensor, target: Tensor, distort: bool = True
) -> Tensor:
    """Back-projection of poses against the 2D input (section 4 of the paper).

    Args:
        pose: (N, T, J, 3) about the root, metres.
        trajectory: (N, T, 1, 3) the root in the camera's axes, metres.
        intrinsics: (N, 9) in screen units.
        target: (N, T, J, 2) screen units.
        distort: Apply the lens distortion.

    Returns:
        () the loss.

    Raises:
        ValueError: The 2D input has another joint set than the output: there is nothing to compare.
    """
    if pose.shape[:-1] != target.shape[:-1]:
        raise ValueError(
            f"projection loss: 2D input {tuple(target.shape[:-1])}, output {tuple(pose.shape[:-1])}: they need "
            "one joint set; with COCO input train with the bone lengths only (projection=False)"
        )
    return mpjpe_loss(project_screen(pose + trajectory, intrinsics, distort), target)
