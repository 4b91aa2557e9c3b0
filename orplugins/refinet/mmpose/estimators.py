"""RefiNet's modules alone, and one after the other."""

from __future__ import annotations

import numpy as np
from mmengine.structures import InstanceData
from mmpose.models.pose_estimators import PoseLifter
from mmpose.models.pose_estimators.base import BasePoseEstimator

from orplugins.hosts.mmpose.checkpoints import guard_checkpoints
from orplugins.hosts.mmpose.state_dict import CheckpointMixin
from orplugins.refinet.chain import RefineChain
from orplugins.refinet.checkpoint import bare_state_dict, options_of, part_of_chain, which_network
from orplugins.registry import MODELS


class _RefiNetCheckpoint(CheckpointMixin):
    """Says which option of a network a checkpoint needs."""

    def advice(self, lines: list[str], state: dict, expected: dict) -> str:
        options = options_of(lines)
        return f"\nLook at the option {', '.join(options)}" if options else ""


@MODELS.register_module()
class RefiNetModule(_RefiNetCheckpoint, PoseLifter):
    """One of RefiNet's modules: mmpose's lifter, which also loads published checkpoints, strictly.

    Args:
        **kwargs: Those of `mmpose.models.PoseLifter`.
    """

    def renamed(self, state: dict) -> dict:
        """Translate published names, and take the module's part of a chain. See `CheckpointMixin`."""
        part = part_of_chain(state, which_network(self.state_dict()))
        if part:
            return {f"backbone.net.{name}": value for name, value in part.items()}
        if which_network(state) is None or any(name.startswith("backbone.") for name in state):
            return state
        return {f"backbone.net.{name}": value for name, value in bare_state_dict(state).items()}


@MODELS.register_module()
class DepthPoseRefiner(_RefiNetCheckpoint, BasePoseEstimator):
    """The chain for testing: modules A, B and C, each optional.

    Modules train alone (`RefiNetModule`); ``tools/refinet_files.py merge-weights`` puts their checkpoints together.

    ``inputs`` are depth images (1, H, W) in millimetres; a sample's people are its ``gt_instance_labels.input_pose``
    (M, 15, 2) with ``input_valid``, and its camera is in the metainfo.

    ``pred_instances``: ``keypoints`` (M, 15, 2), ``keypoints_3d`` (M, 15, 3) mm with y up, ``keypoint_scores``,
    ``keypoints_valid``, ``cloud_counts`` (M, 15).

    Args:
        patch_net, skeleton_net, point_net: Backbone configs of modules A, B and C.
        stages: Also give the pose after each stage, as ``stage_input``, ``stage_a``, ``stage_b``, ``stage_c``.
        data_preprocessor, init_cfg, metainfo, train_cfg, test_cfg: As in mmpose.
        **chain: Other arguments of `orplugins.refinet.chain.RefineChain`.
    """

    def __init__(
        self,
        patch_net: dict | None = None,
        skeleton_net: dict | None = None,
        point_net: dict | None = None,
        stages: bool = True,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
        metainfo: dict | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        **chain,
    ):
        guard_checkpoints()
        # The parent insists on a backbone.
        super(BasePoseEstimator, self).__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.metainfo = self._load_metainfo(metainfo)
        self.train_cfg, self.test_cfg = train_cfg or {}, test_cfg or {}
        nets = dict(patch_net=patch_net, skeleton_net=skeleton_net, point_net=point_net)
        self.chain = RefineChain(**{k: MODELS.build(v) for k, v in nets.items() if v is not None}, **chain)
        self.stages = stages
        self._register_load_state_dict_pre_hook(self._load_state_dict_pre_hook)

    def extract_feat(self, inputs):
        """Not possible: each module's input is prepared from the one before."""
        raise NotImplementedError("DepthPoseRefiner prepares each module's input from the one before: use predict")

    def loss(self, inputs, data_samples):
        """Not possible: modules are trained alone."""
        raise NotImplementedError("the chain is not trained as one: train its modules (refinet-a, -b, -c configs)")

    def _forward(self, inputs, data_samples=None):
        return self.predict(inputs, data_samples)

    def predict(self, inputs, data_samples):
        """Refined people of every image.

        Args:
            inputs: Depth images (1, H, W), millimetres.
            data_samples: One per image.

        Returns:
            The samples, with ``pred_instances``.

        Raises:
            ValueError: An input pose is not in pixels.
        """
        for depth, sample in zip(inputs, data_samples, strict=True):
            labels, meta = sample.gt_instance_labels, sample.metainfo
            if meta["input_unit"] != "px":
                found = f"frame {meta.get('frame_id')}: found input poses in {meta['input_unit']}"
                raise ValueError(f"{found}, expected pixels: the chain begins with a 2D pose")
            people = labels.input_pose.shape[0]
            result = self.chain.refine(
                depth[0].cpu().numpy(),
                labels.input_pose.cpu().numpy(),
                labels.input_valid.cpu().numpy() > 0,
                meta["camera"],
                meta.get("half_depth", False),
                meta.get("cloud_camera"),
            )
            scores = np.broadcast_to(np.atleast_2d(meta["input_scores"]), result.valid.shape)
            instances = InstanceData(
                keypoints=result.pixels,
                keypoints_3d=result.points,
                keypoints_valid=result.valid,
                keypoint_scores=(scores * result.valid).astype(np.float32),
                cloud_counts=result.counts,
            )
            if self.stages and people:
                for name, poses in result.stages.items():
                    instances.set_field(poses, f"stage_{name}")
            sample.pred_instances = instances
        return data_samples
