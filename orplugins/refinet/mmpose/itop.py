"""ITOP for mmpose."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
from mmengine.dataset import BaseDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from orplugins.hosts.mmpose.metainfo import skeleton_metainfo
from orplugins.refinet.depth_camera import ITOP_CAMERA
from orplugins.refinet.itop import ItopFrames, itop_path, load_itop_labels
from orplugins.refinet.metrics import ITOP_SIGMAS, LOWER, UPPER
from orplugins.refinet.noise import frozen_noise
from orplugins.refinet.pose_files import load_itop_poses
from orplugins.registry import DATASETS
from orplugins.skeletons import ITOP_15


def itop_metainfo(name: str) -> dict:
    """Metainfo of ITOP's joints with RefiNet's sigmas and body halves.

    Args:
        name: Of the data set.

    Returns:
        In the form of mmpose's `dataset_info`.
    """
    info = skeleton_metainfo(ITOP_15, dataset_name=name)
    return {**info, "sigmas": list(ITOP_SIGMAS), "upper_body_ids": list(UPPER), "lower_body_ids": list(LOWER)}


class RefineDataset(BaseDataset):
    """What data sets of depth frames with a 2D pose share: mmpose's parsed metainfo, and a frame with each record.

    A record has `row`, `index` (its number in the split), `label_px` (15, 2), `label_mm` (15, 3), `visible` (15,) as
    the protocol counts it, `label_visible` (15,), `file_pose` or None with `file_format`, `camera`, and, when it is
    read, `depth_mm` (H, W) float32.
    """

    @classmethod
    def _load_metainfo(cls, metainfo=None) -> dict:
        return parse_pose_metainfo({**copy.deepcopy(cls.METAINFO), **(metainfo or {})})

    def get_data_info(self, idx: int) -> dict:
        """A record with its camera and frame."""
        record = super().get_data_info(idx)
        return {**record, "camera": self.camera(record), **self.load_frame(record)}

    def camera(self, record: dict):
        """The record's `orplugins.refinet.depth_camera.DepthCamera`; subclasses give it."""
        raise NotImplementedError

    def load_frame(self, record: dict) -> dict:
        """`depth_mm` of the record, and what else is read with it; subclasses give it."""
        raise NotImplementedError


@DATASETS.register_module()
class ItopDataset(RefineDataset):
    """One view of ITOP: one person per frame, 15 joints, depth and labels in HDF5.

    Args:
        data_root: The folder that holds ``ITOP/``.
        view: ``"side"`` or ``"top"``.
        split: ``"train"`` (without subjects 04 and 05), ``"val"`` (04 and 05), ``"trainval"`` or ``"test"``. Frames
            whose labels are not valid are left out.
        keypoint_file: Input poses by row of the labels file: npz (``tools/refinet_files.py``) or a published pickle.
        keypoint_format: Its columns: ``"px"``, ``"mm"`` or ``"px_mm"`` (x px, y px, z mm).
        use_visibility: Whether occluded joints are masked. None: in training splits only, as published.
        cloud: ``"depth"`` makes points from the depth image (by the formula that ITOP's point clouds follow),
            ``"file"`` reads them, for files in another order.
        frozen_noise: ``dict(mean, sigma, dims)``: noise drawn once, from numpy's global generator, as the published
            loader does for module B.
        **kwargs: Those of mmengine's ``BaseDataset``.
    """

    METAINFO: dict = itop_metainfo("itop")

    def __init__(
        self,
        data_root: str = "data/",
        view: str = "side",
        split: str = "test",
        keypoint_file: str | None = None,
        keypoint_format: str = "px",
        use_visibility: bool | None = None,
        cloud: str = "depth",
        frozen_noise: dict | None = None,
        **kwargs,
    ):
        if view not in ("side", "top") or cloud not in ("depth", "file"):
            raise ValueError(f"ItopDataset: found view {view!r}, cloud {cloud!r}, expected side or top, depth or file")
        self.view, self.split = view, split
        self.keypoint_file, self.keypoint_format = keypoint_file, keypoint_format
        self.use_visibility = split in ("train", "trainval") if use_visibility is None else use_visibility
        self.cloud, self.frozen_noise = cloud, frozen_noise
        super().__init__(data_root=data_root, **kwargs)

    def _path(self, kind: str) -> Path:
        return itop_path(self.data_root, self.view, "test" if self.split == "test" else "train", kind)

    def load_data_list(self) -> list[dict]:
        """Records of a split's valid frames."""
        labels = load_itop_labels(self._path("labels"))
        self._depth = ItopFrames(self._path("depth_map"))
        self._cloud = ItopFrames(self._path("point_cloud"), cloud=True) if self.cloud == "file" else None
        for frames in filter(None, (self._depth, self._cloud)):
            if len(frames) != len(labels.ids):
                raise ValueError(
                    f"{frames.path}: found {len(frames)} frames, expected {len(labels.ids)} as in {labels.path}"
                )
        poses = None
        if self.keypoint_file:
            poses = load_itop_poses(self.keypoint_file, self.keypoint_format)
        rows = labels.rows(self.split)
        noise = frozen_noise(len(rows), **self.frozen_noise) if self.frozen_noise else None
        records = []
        for index, row in enumerate(rows.tolist()):
            if poses is not None and row not in poses:
                raise ValueError(f"{self.keypoint_file}: missing row {row} (frame {labels.ids[row]}), a valid frame")
            seen = (labels.visible[row] == 1).astype(np.float32)
            records.append(
                {
                    "row": row,
                    "index": index,
                    "frame_id": labels.ids[row],
                    "img_id": row,
                    "label_px": labels.pixels[row],
                    "label_mm": labels.points_mm[row],
                    "label_visible": seen,
                    "visible": seen if self.use_visibility else np.ones_like(seen),
                    "file_pose": None if poses is None else poses[row],
                    "file_format": self.keypoint_format,
                    "frozen_noise": None if noise is None else noise[index],
                    "half_depth": True,
                }
            )
        return records

    def camera(self, record: dict):
        """ITOP's camera, the same for all records."""
        return ITOP_CAMERA

    def load_frame(self, record: dict) -> dict:
        """Read the depth image, and where asked for the points, of a record."""
        frame = {"depth_mm": self._depth[record["row"]]}
        if self._cloud is not None:
            frame["cloud_points"] = self._cloud[record["row"]]
        return frame
