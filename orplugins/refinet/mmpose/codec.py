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
        unit: Millimetres (or pixels) that an output of 1 stands for: 1 as published. A network that has to learn
            outputs in the hundreds spends its first epochs on their size.
    """

    auxiliary_encode_keys = {"input_pose", "input_root"}

    def __init__(self, absolute: bool = False, apply: str = "subtract", unit: float = 1.0):
        if apply not in ("subtract", "add") or not unit > 0:
            raise ValueError(f"JointOffset: found apply {apply!r}, unit {unit!r}, expected subtract or add, above 0")
        self.absolute, self.apply, self.unit = absolute, apply, unit

    def encode(
        self,
        keypoints: np.ndarray,
        keypoints_visible: np.ndarray,
        input_pose: np.ndarray,
        input_root: np.ndarray | float = 0.0,
    ) -> dict:
        """Labels and weights.

        Args:
            keypoints: (N, K, D) truth, pixels or millimetres.
            keypoints_visible: (N, K).
            input_pose: (N, K, D).
            input_root: (N, 1, D) what predicted places are relative to.

        Returns:
            ``keypoint_labels`` (N, K, D) and ``keypoint_weights`` (N, K), float32.
        """
        target = keypoints - input_root if self.absolute else np.asarray(input_pose) - keypoints
        return dict(
            keypoint_labels=np.asarray(target / self.unit, dtype=np.float32),
            keypoint_weights=np.asarray(keypoints_visible, dtype=np.float32),
        )

    def refine(self, output, input_pose, input_root=0.0):
        """Refined poses of network output and input, arrays or tensors.

        Args:
            output: (N, K, D).
            input_pose: (N, K, D).
            input_root: (N, 1, D), see `encode`.

        Returns:
            (N, K, D).
        """
        output = output * self.unit if self.unit != 1 else output
        if self.absolute:
            return output + input_root
        return input_pose + output if self.apply == "add" else input_pose - output

    def decode(self, encoded: np.ndarray, input_pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Refined poses, in the form that mmpose's codecs give.

        Args:
            encoded: (N, K, D) network output.
            input_pose: (N, K, D).

        Returns:
            Refined poses (N, K, D), and scores (N, K) of one.
        """
        return self.refine(encoded, input_pose), np.ones(encoded.shape[:2], dtype=np.float32)
