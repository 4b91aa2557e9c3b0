"""Offsets of joints as a mmpose codec."""

from __future__ import annotations

import numpy as np
from mmpose.codecs.base import BaseKeypointCodec

from orplugins.registry import KEYPOINT_CODECS


@KEYPOINT_CODECS.register_module()
class JointOffset(BaseKeypointCodec):
    """What RefiNet's modules predict: input minus truth, or the place itself.

    Args:
        absolute: The network predicts places (module B on ITOP as published), not offsets.
        apply: ``"subtract"`` the offset, or ``"add"`` it, as the published Baracca program does against its training.
    """

    auxiliary_encode_keys = {"input_pose"}

    def __init__(self, absolute: bool = False, apply: str = "subtract"):
        if apply not in ("subtract", "add"):
            raise ValueError(f"JointOffset: apply: found {apply!r}, expected 'subtract' or 'add'")
        self.absolute, self.apply = absolute, apply

    def encode(self, keypoints: np.ndarray, keypoints_visible: np.ndarray, input_pose: np.ndarray) -> dict:
        """Labels and weights (float32) for truth (N, K, D), visibility (N, K) and input poses (N, K, D)."""
        target = keypoints if self.absolute else np.asarray(input_pose) - keypoints
        return dict(keypoint_labels=np.asarray(target, dtype=np.float32),
                    keypoint_weights=np.asarray(keypoints_visible, dtype=np.float32))  # fmt: skip

    def refine(self, output, input_pose):
        """Refined poses of network output and input, arrays or tensors of one shape."""
        if self.absolute:
            return output
        return input_pose + output if self.apply == "add" else input_pose - output

    def decode(self, encoded: np.ndarray, input_pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Refined poses (N, K, D), and scores (N, K) of one."""
        return self.refine(encoded, input_pose), np.ones(encoded.shape[:2], dtype=np.float32)
