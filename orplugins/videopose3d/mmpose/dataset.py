"""VideoPose3D's data files as a mmpose data set of windows or of whole clips."""

from __future__ import annotations

import numpy as np
from mmengine.dataset import BaseDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from orplugins.hosts.mmpose.metainfo import skeleton_metainfo
from orplugins.registry import DATASETS
from orplugins.skeletons import SKELETONS
from orplugins.videopose3d.files import load_lifting_clips
from orplugins.videopose3d.sequence import chunk_bounds, input_bounds, window


@DATASETS.register_module()
class VideoPose3DDataset(BaseDataset):
    """Windows of 2D joints with the 3D poses of their output frames.

    Args:
        keypoints_file: ``data_2d_*.npz``.
        camera_file: JSON with the cameras of every subject, see ``orplugins.videopose3d.files.read_cameras``.
        positions_file: ``data_3d_*.npz``; None: unlabelled clips.
        subjects: Subjects to use; None: all.
        source, target: Joint sets of 2D and 3D.
        receptive_field: Of the network.
        causal: Outputs belong to the last frame of their window.
        chunk: Output frames per sample; 0: the whole clip.
        mirror: List every window twice, once mirrored (for ``orplugins.MirrorPoseSequence``).
        downsample: Use every n-th frame.
        subset: Use this share of every clip, one contiguous part.
        **kwargs: Those of mmengine's BaseDataset (data_root, pipeline, test_mode, ...).
    """

    METAINFO = skeleton_metainfo(SKELETONS["h36m_17"], "videopose3d")

    def __init__(
        self,
        keypoints_file: str,
        camera_file: str,
        positions_file: str | None = None,
        subjects: list[str] | None = None,
        source: str = "coco_17",
        target: str = "h36m_17",
        receptive_field: int = 243,
        causal: bool = False,
        chunk: int = 1,
        mirror: bool = False,
        downsample: int = 1,
        subset: float = 1.0,
        **kwargs,
    ):
        self.files = {"keypoints": keypoints_file, "cameras": camera_file, "positions": positions_file}
        self.subjects, self.source, self.target = subjects, SKELETONS[source], SKELETONS[target]
        self.receptive_field, self.causal, self.chunk, self.mirror = receptive_field, causal, chunk, mirror
        self.downsample, self.subset = downsample, subset
        super().__init__(serialize_data=False, **kwargs)

    @classmethod
    def _load_metainfo(cls, metainfo: dict | None = None) -> dict:
        return parse_pose_metainfo(metainfo or cls.METAINFO)

    def _join_prefix(self) -> None:
        root = f"{self.data_root.rstrip('/')}/" if self.data_root else ""
        self.files = {
            kind: name and (name if name.startswith("/") else root + name) for kind, name in self.files.items()
        }

    def load_data_list(self) -> list[dict]:
        """One entry per window; the clips themselves are kept once, in ``self.clips``."""
        self.clips = load_lifting_clips(
            self.files["keypoints"],
            self.files["cameras"],
            self.files["positions"],
            self.subjects,
            self.source,
            self.target,
            self.downsample,
            self.subset,
        )
        return [
            {"clip": index, "start": start, "stop": stop, "mirror": mirrored}
            for mirrored in ((False, True) if self.mirror else (False,))
            for index, clip in enumerate(self.clips)
            for start, stop in chunk_bounds(len(clip.keypoints), self.chunk)
        ]

    def get_data_info(self, idx: int) -> dict:
        """A window in the form that mmpose's lifting codecs and packing take."""
        entry = super().get_data_info(idx)
        clip = self.clips[entry["clip"]]
        start, stop = entry["start"], entry["stop"]
        first, last = input_bounds(start, stop, self.receptive_field, self.causal)
        keypoints = window(clip.keypoints, first, last)
        labelled = clip.positions is not None
        shape = (stop - start, self.target.num_joints, 3)
        target = window(clip.positions, start, stop) if labelled else np.zeros(shape, dtype=np.float32)
        return {
            "keypoints": keypoints,
            "keypoints_visible": np.ones(keypoints.shape[:2], dtype=np.float32),
            "lifting_target": target,
            "lifting_target_visible": np.ones(shape[:2], dtype=np.float32),
            "camera_param": {"w": clip.size[0], "h": clip.size[1], "intrinsics": clip.intrinsics},
            "labelled": labelled,
            "mirror": entry["mirror"],
            "clip": entry["clip"],
            "frame": start,
            "action": clip.action,
            "img_id": idx,
            "id": idx,
            "category_id": 1,
        }
