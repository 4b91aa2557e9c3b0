"""Heatmaps and part affinity fields as a mmpose codec."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from mmpose.codecs.base import BaseKeypointCodec

from orplugins.depthpose.paf import PafDecodeSettings, PafPoses, decode_in_input, encode_paf_targets
from orplugins.registry import KEYPOINT_CODECS


@KEYPOINT_CODECS.register_module()
class PAFCodec(BaseKeypointCodec):
    """COCO-17 keypoints to OpenPose-18 heatmaps and part affinity fields, and back.

    Args:
        input_size: (width, height) of the network's input.
        map_size: (width, height) of its maps; the input's by default.
        frame_stride: Pixels of the target frame per map cell. The frame in which ``sigma`` is measured is this many
            times the map: for DepthPose, the super-resolved image.
        sigma: Spread of a heatmap peak in frame pixels.
        half_width: Half width of a limb's field in map cells.
        ear_limbs: Draw the shoulder-ear fields to the ``"ear"``, as decoders read them, or to the ``"eye"``, as a
            published training code does.
        decode: ``"published"`` or ``"fast"``, see `orplugins.depthpose.paf.decode_pafs`.
        decode_scale: Enlargement of the maps before published decoding, 10 for 64x48; ``"fast"`` only counts its pixels
            by it.
        settings: Thresholds that differ from `orplugins.depthpose.paf.PafDecodeSettings`' defaults.
    """

    auxiliary_encode_keys = set()
    field_mapping_table = dict(heatmaps="heatmaps", pafs="pafs")

    def __init__(
        self,
        input_size: tuple[int, int],
        map_size: tuple[int, int] | None = None,
        frame_stride: int = 8,
        sigma: float = 7.0,
        half_width: float = 1.0,
        ear_limbs: str = "ear",
        decode: str = "fast",
        decode_scale: int = 8,
        settings: dict | None = None,
    ):
        self.input_size = tuple(input_size)
        self.map_size = tuple(map_size or input_size)
        self.frame_stride = frame_stride
        self.sigma, self.half_width, self.ear_limbs = sigma, half_width, ear_limbs
        self.decode_how, self.decode_scale = decode, decode_scale
        self.settings = replace(PafDecodeSettings(), **(settings or {}))
        # Target frame per input pixel.
        self.frame_scale = np.array(self.map_size, dtype=np.float64) / self.input_size * frame_stride

    def encode(self, keypoints: np.ndarray, keypoints_visible: np.ndarray | None = None) -> dict:
        """Targets of all people of an image.

        Args:
            keypoints: (N, 17, 2) COCO joints in input pixels.
            keypoints_visible: (N, 17), above 0.5 where a joint is annotated; all if None.

        Returns:
            ``heatmaps`` (19, h, w), background last, and ``pafs`` (38, h, w), float32.

        Raises:
            ValueError: Keypoints of another shape.
        """
        keypoints = np.asarray(keypoints, dtype=np.float64)
        if keypoints.ndim != 3 or keypoints.shape[1:] != (17, 2):
            raise ValueError(f"keypoints of shape {keypoints.shape}: expected (N, 17, 2), the COCO joints")
        visible = np.ones(keypoints.shape[:2]) if keypoints_visible is None else np.asarray(keypoints_visible)
        people = np.concatenate([keypoints * self.frame_scale, visible[..., None]], -1)
        frame = (self.map_size[0] * self.frame_stride, self.map_size[1] * self.frame_stride)
        heatmaps, pafs = encode_paf_targets(
            people, frame, self.frame_stride, sigma=self.sigma, half_width=self.half_width, ear_limbs=self.ear_limbs
        )
        return dict(heatmaps=heatmaps, pafs=pafs)

    def decode_poses(self, heatmaps: np.ndarray, pafs: np.ndarray) -> PafPoses:
        """People of an image, with person scores.

        Args:
            heatmaps: (19, h, w).
            pafs: (38, h, w).

        Returns:
            Poses in input pixels.
        """
        return decode_in_input(
            heatmaps, pafs, self.input_size, self.decode_scale, decode=self.decode_how, settings=self.settings
        )

    def decode(self, encoded: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """People of an image, in the form that mmpose's codecs give.

        Args:
            encoded: Heatmaps (19, h, w) and part affinity fields (38, h, w).

        Returns:
            Keypoints (N, 17, 2) in input pixels, (0, 0) where missing, and scores (N, 17).
        """
        poses = self.decode_poses(*encoded)
        return poses.keypoints, poses.keypoint_scores
