"""Baracca for mmpose: a test set without ground truth."""

from __future__ import annotations

import numpy as np

from orplugins.depth.png import load_depth
from orplugins.refinet.baracca import baracca_frames, load_baracca_poses
from orplugins.refinet.depth_camera import baracca_camera, baracca_cloud_camera
from orplugins.refinet.mmpose.itop import RefineDataset, itop_metainfo
from orplugins.registry import DATASETS


@DATASETS.register_module()
class BaraccaDataset(RefineDataset):
    """Depth images of Baracca with given 2D poses.

    Args:
        data_root: The folder with ``viewpoints.json`` and one folder per subject.
        keypoint_file: Poses of all frames (.npz or pickle), or a folder with one pickle per sequence.
        preparation: ``"published"``: the camera of images turned by 180 degrees has width and height swapped, and point
            sets are taken from a cloud whose y points down and that ignores how the image is turned, so that cubes lie
            at the mirrored height. ``"correct"``: one camera for joints and points.
        subjects, views, frames: How many there are.
        **kwargs: Those of mmengine's ``BaseDataset``.
    """

    METAINFO: dict = itop_metainfo("baracca")

    def __init__(
        self,
        data_root: str,
        keypoint_file: str,
        preparation: str = "published",
        subjects: int = 30,
        views: int = 8,
        frames: int = 10,
        **kwargs,
    ):
        self.keypoint_file, self.preparation = keypoint_file, preparation
        self.size = dict(subjects=subjects, views=views, frames=frames)
        baracca_camera(0, preparation)  # refuses an unknown preparation before anything is read
        super().__init__(data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Records of all frames."""
        frames = baracca_frames(self.data_root, **self.size)
        poses = load_baracca_poses(self.keypoint_file, frames)
        return [
            {
                "row": frame.row,
                "index": frame.row,
                "img_id": frame.row,
                "img_path": str(frame.path),
                "frame_id": frame.path.stem,
                "orientation": frame.orientation,
                "label_px": np.zeros((15, 2)),
                "label_mm": np.zeros((15, 3), dtype=np.float32),
                "label_visible": np.zeros(15, dtype=np.float32),
                "visible": np.zeros(15, dtype=np.float32),
                "file_pose": pose[:, :2],
                "file_scores": pose[:, 2],
                "file_format": "px",
                "frozen_noise": None,
                "half_depth": False,
            }
            for frame, pose in zip(frames, poses, strict=True)
        ]

    def camera(self, record: dict):
        """The camera of a record, by how its image is turned."""
        return baracca_camera(record["orientation"], self.preparation)

    def load_frame(self, record: dict) -> dict:
        """Read the depth image of a record."""
        size = (480, 640) if record["orientation"] in (90, 270) else (640, 480)
        frame = {"depth_mm": load_depth(record["img_path"], size=size).astype(np.float32)}
        if self.preparation == "published":
            frame["cloud_camera"] = baracca_cloud_camera()
        return frame
