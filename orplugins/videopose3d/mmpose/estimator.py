"""Temporal lifting on mmpose's PoseLifter: whole clips, mirrored averaging, trajectory, semi-supervised training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.logging import MessageHub
from mmengine.runner.checkpoint import CheckpointLoader
from mmengine.structures import InstanceData
from mmpose.models.pose_estimators import PoseLifter

from orplugins.hosts.mmpose.state_dict import CheckpointMixin
from orplugins.registry import MODELS
from orplugins.skeletons import SKELETONS
from orplugins.videopose3d.checkpoint import SCHEME, convert_published, is_published, read_checkpoint
from orplugins.videopose3d.losses import bone_length_loss, projection_loss
from orplugins.videopose3d.sequence import StreamingLifter, lift_sequence

ROOTS = ("target", "trajectory", "none")


@CheckpointLoader.register_scheme(prefixes=SCHEME, force=True)
def load_published(filename: str, map_location=None) -> dict:
    """Read ``videopose3d://FILE`` for mmengine: a published checkpoint, read without executing its pickle.

    Args:
        filename: With the scheme.
        map_location: Not used.

    Returns:
        ``state_dict`` in mmpose's names.
    """
    return {"state_dict": convert_published(read_checkpoint(filename))}


@MODELS.register_module()
class VideoPoseLifter(CheckpointMixin, PoseLifter):
    """mmpose's lifter with what VideoPose3D needs beside it.

    Args:
        source, target: Joint sets of the 2D input and of the 3D output.
        semi: Semi-supervised training; None: supervised. ``parents`` of the output joints, ``warmup_epochs`` without
            unlabelled data, ``projection`` (back-projection loss; needs one joint set in and out), ``distort`` (with
            lens distortion). Batches mix samples whose ``labelled`` is set and not.
        test_cfg: ``flip_test`` averages with the mirrored clip; ``root`` is what is added to the root-centred poses:
            "target" (the true root, as mmpose's metrics expect), "trajectory" or "none".
        **kwargs: Arguments of ``PoseLifter`` without ``semi_loss``.
    """

    strict_checkpoint = False  # a model without a trajectory takes the pose of a checkpoint that has both

    def __init__(self, source: str = "coco_17", target: str = "h36m_17", semi: dict | None = None, **kwargs):
        super().__init__(**kwargs)
        self.source, self.target, self.semi = SKELETONS[source], SKELETONS[target], semi
        if semi is not None and not self.with_traj:
            raise ValueError("VideoPoseLifter: semi-supervised training needs a traj_head")
        if semi is not None and semi.get("projection", True) and source != target:
            raise ValueError(
                f"VideoPoseLifter: the projection loss needs one joint set, found {source} in and {target} out; "
                "set semi.projection=False"
            )
        if self.test_cfg.get("root", "target") not in ROOTS:
            raise ValueError(f"VideoPoseLifter: test_cfg.root is {self.test_cfg['root']!r}, expected one of {ROOTS}")

    def renamed(self, state: dict) -> dict:
        """Translate published names. See `CheckpointMixin`."""
        return convert_published(state) if is_published(state) else state

    def dense(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Poses and trajectory of every output frame.

        Args:
            inputs: (B, 2 K, T + R - 1) screen units.

        Returns:
            (B, T, J, 3) and (B, T, 1, 3) or None, metres.
        """
        feats = self.extract_feat(inputs)
        if not self.with_traj:
            return self.head.dense(feats), None
        return self.head.dense(feats[0]), self.traj_head.dense(feats[1])

    def loss(self, inputs, data_samples) -> dict:
        """Supervised losses, and after the warm-up those of the unlabelled samples."""
        if self.semi is None:
            return super().loss(inputs, data_samples)
        labelled = [i for i, sample in enumerate(data_samples) if sample.metainfo["labelled"]]
        rest = [i for i, sample in enumerate(data_samples) if not sample.metainfo["labelled"]]
        epoch = MessageHub.get_current_instance().get_info("epoch", 0)
        warm = epoch >= self.semi.get("warmup_epochs", 1)
        used = labelled + (rest if warm else [])
        feats, traj_feats = self.extract_feat(inputs[used])
        count, samples = len(labelled), [data_samples[i] for i in labelled]
        losses = self.head.loss([f[:count] for f in feats], samples, train_cfg=self.train_cfg)
        losses |= self.traj_head.loss([f[:count] for f in traj_feats], samples, train_cfg=self.train_cfg)
        if warm and rest and labelled:
            poses = self.head.dense(feats)
            losses["loss_bone"] = bone_length_loss(poses[:count], poses[count:], self.semi["parents"])
            if self.semi.get("projection", True):
                labels = [data_samples[i].gt_instance_labels for i in rest]
                losses["loss_projection"] = projection_loss(
                    poses[count:],
                    self.traj_head.dense([f[count:] for f in traj_feats]),
                    torch.stack([label.intrinsics[0] for label in labels]),
                    torch.stack([label.keypoints_target for label in labels]),
                    self.semi.get("distort", True),
                )
        return losses

    def predict(self, inputs, data_samples):
        """Poses of every output frame.

        Args:
            inputs: (B, 2 K, T + R - 1) screen units.
            data_samples: One per sequence.

        Returns:
            The samples with ``pred_instances.keypoints`` (T, J, 3), metres, with the root as asked for.
        """
        poses, trajectory = self._averaged(inputs) if self.test_cfg.get("flip_test", False) else self.dense(inputs)
        for k, sample in enumerate(data_samples):
            keypoints = poses[k].detach().float().cpu().numpy()
            instances = InstanceData(
                keypoints=keypoints, keypoint_scores=np.ones(keypoints.shape[:2], dtype=np.float32)
            )
            if trajectory is not None:
                instances.trajectory = trajectory[k].detach().float().cpu().numpy()
            root = self.test_cfg.get("root", "target")
            if root == "target" and "target_root" in sample.metainfo:
                instances.keypoints = keypoints + sample.metainfo["target_root"].reshape(-1, 1, 3)
            elif root == "trajectory" and trajectory is not None:
                instances.keypoints = keypoints + instances.trajectory
            sample.pred_instances = instances
        return data_samples

    def _averaged(self, inputs):
        joints = inputs.unflatten(1, (-1, 2))
        sign = inputs.new_tensor([-1.0, 1.0])[:, None]
        mirrored = (joints[:, list(self.source.flip_indices)] * sign).flatten(1, 2)
        poses, trajectory = self.dense(torch.cat([inputs, mirrored]))
        sign = inputs.new_tensor([-1.0, 1.0, 1.0])
        plain, other = poses.chunk(2)
        poses = (plain + other[..., list(self.target.flip_indices), :] * sign) / 2
        if trajectory is not None:
            plain, other = trajectory.chunk(2)
            trajectory = (plain + other * sign) / 2
        return poses, trajectory

    def _network(self, trajectory: bool):
        device = next(self.parameters()).device

        @torch.no_grad()
        def run(windows: np.ndarray) -> np.ndarray:
            inputs = torch.from_numpy(np.ascontiguousarray(windows)).to(device).permute(0, 2, 3, 1).flatten(1, 2)
            if trajectory:
                return self.traj_head.dense(self.traj_backbone(inputs)).float().cpu().numpy()
            return self.head.dense(self.backbone(inputs)).float().cpu().numpy()

        return run

    def _flip(self, flip: bool, trajectory: bool):
        return (self.source, None if trajectory else self.target) if flip else None

    def lift(self, keypoints: np.ndarray, size: Sequence[int], flip: bool = True, **options) -> dict[str, np.ndarray]:
        """Lift a clip.

        Args:
            keypoints: (F, K, 2) pixels.
            size: (width, height) of the video.
            flip: Average with the mirrored clip.
            **options: ``fps`` and ``resample_hz``, see `orplugins.videopose3d.sequence.lift_sequence`.

        Returns:
            ``pose`` (F, J, 3) about the pelvis and, with a trajectory network, ``trajectory`` (F, 1, 3), metres.
        """
        self.eval()
        out = {}
        for name, wanted in (("pose", True), ("trajectory", self.with_traj_backbone)):
            if wanted:
                network, mirrored = self._network(name == "trajectory"), self._flip(flip, name == "trajectory")
                out[name] = lift_sequence(
                    network, keypoints, tuple(size), self.backbone.receptive_field, self.causal, mirrored, **options
                )
        return out

    def stream(self, size: Sequence[int] | None = None, flip: bool = False) -> StreamingLifter:
        """Live lifting, one frame at a time (causal networks only).

        Args:
            size: (width, height) of the video; None: frames are in screen units.
            flip: Average with the mirrored frames.

        Returns:
            The lifter.

        Raises:
            ValueError: The network is not causal.
        """
        if not self.causal:
            raise ValueError(
                "VideoPoseLifter: streaming needs a causal network; a symmetric one waits for later frames"
            )
        self.eval()
        return StreamingLifter(self._network(False), self.backbone.receptive_field, size, self._flip(flip, False))
