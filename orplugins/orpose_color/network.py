"""Keypoint head with hard and soft heatmap branches, each followed by a network that lifts its pose to 3D.

Source: Srivastav, Gangi, Padoy, MICCAI 2020 (arXiv 2007.08354); the lifting network is that of Martinez et al., ICCV
2017. Parameter names are the release's, so that its checkpoints load as they are.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from orplugins.orpose_color.lifting import COCO_TO_H36, LIFTER_JOINTS, ROW, TARGET, PoseStatistics


def _initialise(module: nn.Module) -> None:
    for name, parameter in module.named_parameters():
        if "batch_norm" in name:
            continue
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        else:
            nn.init.kaiming_normal_(parameter, mode="fan_out", nonlinearity="relu")


class _Residual(nn.Module):
    def __init__(self, width: int, dropout: float):
        super().__init__()
        self.w1, self.batch_norm1 = nn.Linear(width, width), nn.BatchNorm1d(width)
        self.w2, self.batch_norm2 = nn.Linear(width, width), nn.BatchNorm1d(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        y = self.dropout(self.batch_norm1(self.w1(x)).relu())
        return x + self.dropout(self.batch_norm2(self.w2(y)).relu())


class LiftingNetwork(nn.Module):
    """Normalised 2D rows (N, 32) to normalised 3D targets (N, 48) (Martinez et al., ICCV 2017).

    Args:
        width: Features of every hidden layer.
        blocks: Residual blocks.
        dropout: Rate after every hidden layer.
    """

    def __init__(self, width: int = 1024, blocks: int = 2, dropout: float = 0.5):
        super().__init__()
        self.w1, self.batch_norm1 = nn.Linear(ROW, width), nn.BatchNorm1d(width)
        self.linear_stages = nn.ModuleList(_Residual(width, dropout) for _ in range(blocks))
        self.w2 = nn.Linear(width, TARGET)
        self.dropout = nn.Dropout(dropout)
        _initialise(self)

    def forward(self, rows: Tensor) -> Tensor:
        """Lift 2D rows to 3D.

        Args:
            rows: (N, 32) normalised.

        Returns:
            (N, 48) normalised targets.
        """
        x = self.dropout(self.batch_norm1(self.w1(rows)).relu())
        for stage in self.linear_stages:
            x = stage(x)
        return self.w2(x)


class JointStatistics(nn.Module):
    """Normalisation as tensors that follow the model's device.

    Args:
        statistics: What to normalise with; None leaves NaN, to be filled from a checkpoint that stores them.
        stored: Put them into the state dict. The release does not, so its checkpoints have none.
    """

    row_mean: Tensor
    row_std: Tensor
    target_mean: Tensor
    target_std: Tensor

    def __init__(self, statistics: PoseStatistics | None, stored: bool):
        super().__init__()
        if statistics is None:
            arrays = [np.full(size, np.nan) for size in (ROW, ROW, TARGET, TARGET)]
        else:
            arrays = [*statistics.row, *statistics.target]
        for name, array in zip(("row_mean", "row_std", "target_mean", "target_std"), arrays, strict=True):
            self.register_buffer(name, torch.tensor(array, dtype=torch.float32), persistent=stored)

    def _load_from_state_dict(self, state_dict, prefix, *args):
        # A training without 3D knows none: its weights do not undo those that are given.
        for name, own in self.named_buffers():
            if torch.isnan(state_dict.get(prefix + name, own)).all():
                state_dict[prefix + name] = own
        super()._load_from_state_dict(state_dict, prefix, *args)

    @property
    def known(self) -> bool:
        """Whether there are statistics to normalise with."""
        return bool(torch.isfinite(self.target_mean).all())

    def row(self, h36: Tensor) -> Tensor:
        """2D joints as normalised rows.

        Args:
            h36: (N, 17, 2 or more) H36M-17 joints in pixels.

        Returns:
            (N, 32).
        """
        return (h36[:, LIFTER_JOINTS.tolist(), :2].flatten(1) - self.row_mean) / self.row_std

    def metres(self, targets: Tensor) -> Tensor:
        """Normalised targets as root-relative poses.

        Args:
            targets: (N, 48).

        Returns:
            (N, 17, 3) metres.
        """
        millimetres = (targets * self.target_std + self.target_mean).view(-1, 16, 3)
        return functional.pad(millimetres, (0, 0, 1, 0)) / 1000


class Keypoints3DNet(nn.Module):
    """Pooled features (R, C, S, S) to hard and soft heatmap logits (R, K, 4 S, 4 S); poses to 3D.

    Args:
        in_channels: C.
        conv_dims: Widths of the 3x3 convolutions.
        num_keypoints: K; the lifting needs COCO's 17.
        lifter_width, lifter_dropout: See `LiftingNetwork`.
        statistics, store_statistics: See `JointStatistics`.

    Raises:
        ValueError: ``num_keypoints`` is not 17.
    """

    coco_to_h36: Tensor

    def __init__(
        self,
        in_channels: int,
        conv_dims: tuple[int, ...] = (512,) * 8,
        num_keypoints: int = 17,
        lifter_width: int = 1024,
        lifter_dropout: float = 0.5,
        statistics: PoseStatistics | None = None,
        store_statistics: bool = False,
    ):
        super().__init__()
        if num_keypoints != 17:
            raise ValueError(f"num_keypoints: found {num_keypoints}, expected 17 (COCO), which the lifting reads")
        self.num_keypoints, self.num_convs = num_keypoints, len(conv_dims)
        channels = in_channels
        for k, width in enumerate(conv_dims, start=1):
            self.add_module(f"conv_fcn{k}", nn.Conv2d(channels, width, 3, padding=1))
            channels = width
        self.score_lowres = nn.ConvTranspose2d(channels, num_keypoints, 4, stride=2, padding=1)
        self.score_lowres_soft = nn.ConvTranspose2d(channels, num_keypoints, 4, stride=2, padding=1)
        self.nw2Dto3D_hard = LiftingNetwork(lifter_width, dropout=lifter_dropout)
        self.nw2Dto3D_soft = LiftingNetwork(lifter_width, dropout=lifter_dropout)
        self.statistics = JointStatistics(statistics, store_statistics)
        self.register_buffer("coco_to_h36", torch.tensor(COCO_TO_H36, dtype=torch.float32), persistent=False)
        _initialise(self)

    def _load_from_state_dict(self, state_dict, prefix, *args):
        # A Keypoint R-CNN has one branch: both of ours start from it.
        for part in ("weight", "bias"):
            hard, soft = f"{prefix}score_lowres.{part}", f"{prefix}score_lowres_soft.{part}"
            if hard in state_dict and soft not in state_dict:
                state_dict[soft] = state_dict[hard]
        super()._load_from_state_dict(state_dict, prefix, *args)

    def heatmaps(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Hard and soft logits.

        Args:
            features: (R, C, S, S).

        Returns:
            Two of (R, K, 4 S, 4 S).
        """
        x = features
        for k in range(1, self.num_convs + 1):
            x = getattr(self, f"conv_fcn{k}")(x).relu_()
        hard, soft = (
            functional.interpolate(branch(x), scale_factor=2, mode="bilinear", align_corners=False)
            for branch in (self.score_lowres, self.score_lowres_soft)
        )
        return hard, soft

    def lift(self, hard: Tensor, soft: Tensor, branches: str = "both") -> tuple[Tensor, Tensor]:
        """Lift the two branches' poses.

        Args:
            hard: (R, 17, 3) COCO joints of the hard branch, pixels.
            soft: (R, 17, 3) of the soft branch.
            branches: "both" gives their means, "hard" or "soft" one branch alone.

        Returns:
            H36M-17 joints (R, 17, 3) in pixels and normalised 3D targets (R, 48).

        Raises:
            ValueError: No statistics are known.
        """
        if not self.statistics.known:
            raise ValueError(
                "no joint statistics: set DATASETS.H36_STATS_PATH to the published h36stats.json, or load weights that "
                "store their own"
            )
        poses = [self.coco_to_h36 @ pose for pose in (hard, soft)]
        lifted = [
            network(self.statistics.row(pose))
            for network, pose in zip((self.nw2Dto3D_hard, self.nw2Dto3D_soft), poses, strict=True)
        ]
        if branches != "both":
            one = ("hard", "soft").index(branches)
            return poses[one], lifted[one]
        return (poses[0] + poses[1]) / 2, (lifted[0] + lifted[1]) / 2
