"""Draws poses on depth images."""

from __future__ import annotations

import cv2
import numpy as np
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.visualization import PoseLocalVisualizer

from orplugins.hosts.mmpose.metainfo import skeleton_metainfo
from orplugins.registry import VISUALIZERS
from orplugins.skeletons import SKELETONS


def depth_to_rgb(depth: np.ndarray) -> np.ndarray:
    """A grey image of a depth image: near is bright, holes are dark blue.

    Args:
        depth: (H, W), 0 = hole.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    valid = depth > 0
    rgb = np.empty((*depth.shape, 3), np.uint8)
    rgb[:] = (16, 20, 48)
    if valid.any():
        near, far = np.percentile(depth[valid], (1, 99))
        grey = 230 - 190 * np.clip((depth - near) / max(far - near, 1), 0, 1)
        rgb[valid] = grey[valid, None].astype(np.uint8)
    return rgb


@VISUALIZERS.register_module()
class DepthVisualizer(PoseLocalVisualizer):
    """mmpose's visualizer for depth images.

    The image is read again from the sample's file, because the hosts read images as 8-bit colour, is brought to a
    visible range, and to the size of the frame that results refer to.

    Args:
        name: Of mmpose's `PoseLocalVisualizer`.
        *args: Of mmpose's `PoseLocalVisualizer`.
        skeleton: Joint set of the predictions. A data set's own is not used: MVOR's people have ten joints, and are
            found by networks for COCO's seventeen.
        **kwargs: Of mmpose's `PoseLocalVisualizer`.
    """

    def __init__(self, name: str = "visualizer", *args, skeleton: str = "coco_17", **kwargs):
        super().__init__(name, *args, **kwargs)
        self._joint_set = SKELETONS[skeleton]

    def set_dataset_meta(self, dataset_meta: dict, skeleton_style: str = "mmpose") -> None:
        """Take the joint set's metainfo in place of the data set's."""
        meta = parse_pose_metainfo(skeleton_metainfo(self._joint_set, dataset_name=self._joint_set.name))
        super().set_dataset_meta(meta, skeleton_style)

    def add_datasample(self, name, image, data_sample, *args, **kwargs):
        """Draw a sample on its depth image; arguments as for mmpose's `PoseLocalVisualizer.add_datasample`."""
        path = data_sample.metainfo.get("img_path")
        depth = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path else None
        if depth is None:  # an array was given: the host has made three equal channels of it
            depth = image[..., 0] if image.ndim == 3 else image
        picture = depth_to_rgb(depth)
        frame = tuple(int(n) for n in data_sample.metainfo.get("input_scale", picture.shape[1::-1]))
        if picture.shape[1::-1] != frame:
            picture = cv2.resize(picture, frame, interpolation=cv2.INTER_NEAREST)
        return super().add_datasample(name, picture, data_sample, *args, **kwargs)
