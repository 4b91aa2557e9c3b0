"""Targets of temporal lifting: root-centred poses, the root's path, and what semi-supervised training needs."""

from __future__ import annotations

import numpy as np
from mmpose.codecs import VideoPoseLifting

from orplugins.registry import KEYPOINT_CODECS
from orplugins.videopose3d.sequence import output_frames


@KEYPOINT_CODECS.register_module()
class VideoPoseCodec(VideoPoseLifting):
    """mmpose's ``VideoPoseLifting`` with a trajectory to learn.

    It adds the labels ``trajectory_target`` (T, 1, 3), the root in camera axes; ``trajectory_weights`` (T, 1), 1 /
    depth (mmpose's are visibilities); ``keypoints_target`` (T, K, 2), the 2D input at the output frames, in screen
    units; and ``intrinsics`` (T, 9), the same in every frame.

    Args:
        causal: The outputs belong to the last frames of a window, not to the middle ones.
        **kwargs: Those of ``VideoPoseLifting``.
    """

    label_mapping_table = dict(
        **VideoPoseLifting.label_mapping_table,
        trajectory_target="trajectory_target",
        keypoints_target="keypoints_target",
        intrinsics="intrinsics",
    )

    def __init__(self, causal: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.causal = causal

    def encode(
        self, keypoints, keypoints_visible=None, lifting_target=None, lifting_target_visible=None, camera_param=None
    ) -> dict:
        """Labels of a window.

        Args:
            keypoints: (T, K, 2) pixels.
            keypoints_visible: (T, K).
            lifting_target: (T, J, 3) metres in the camera's axes, root included.
            lifting_target_visible: (T, J).
            camera_param: With ``intrinsics`` (9,) in screen units.

        Returns:
            Those of ``VideoPoseLifting.encode``, and the labels above.
        """
        encoded = super().encode(keypoints, keypoints_visible, lifting_target, lifting_target_visible, camera_param)
        root = encoded["target_root"][:, None].astype(np.float32)
        encoded["trajectory_target"] = root
        # Clips without 3D have zeros for a target: their weight is never used.
        encoded["trajectory_weights"] = 1 / np.maximum(root[..., 2], 1e-3)
        frames, joints = keypoints.shape[:2]
        inputs = encoded["keypoint_labels"].reshape(joints, -1, frames).transpose(2, 0, 1)
        encoded["keypoint_labels"] = encoded["keypoint_labels"].astype(np.float32)
        encoded["keypoints_target"] = output_frames(inputs, len(root), self.causal).astype(np.float32)
        # mmpose packs labels of one length only: the same numbers for every frame.
        encoded["intrinsics"] = np.repeat(np.asarray(camera_param["intrinsics"], dtype=np.float32)[None], len(root), 0)
        return encoded
