"""MVOR for mmpose."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from mmpose.datasets.datasets.base import BaseCocoStyleDataset

from orplugins.hosts.mmpose.metainfo import skeleton_metainfo
from orplugins.io.coco_results import load_box_results
from orplugins.io.images import image_path
from orplugins.mvor.annotations import MVORAnnotations, load_mvor
from orplugins.registry import DATASETS
from orplugins.skeletons import CAMMA_10

_NUM_JOINTS = CAMMA_10.num_joints
_MODALITY_FOLDER = re.compile(r"(^|/)(color|depth)(?=/)")


@DATASETS.register_module()
class MVORDataset(BaseCocoStyleDataset):
    """MVOR (Srivastav et al. 2018, arXiv 1808.08180): clinicians and patients seen by three fixed RGB-D cameras.

    People have CAMMA-10 joints. MVOR has no training split; other sets of its form (generated ones, the low-resolution
    depth release) load alike and need neither 3D poses nor cameras.

    In test mode records are sorted by image id. An instance also has its `person_id` (-1 if it has a box only).

    Args:
        ann_file: MVOR's annotation file.
        modality: "depth" or "color": the folder of that name takes the place of the one in the annotated file names.
        data_mode: "bottomup" (a record is an image) or "topdown" (a record is a person with joints).
        with_3d: Add to every record what belongs to its multi-view frame: `frame_id`, `view` (0-based),
            `view_image_ids` (V), `view_img_paths` (V), `camera_intrinsics` (V, 3, 3), `camera_poses` (V, 4, 4; camera
            to camera 1, metres), and its people in 3D `poses_3d` (P, 10, 3; camera 1, metres), `poses_3d_present`
            (P, 10) and `poses_3d_person_id` (P).
        check_files: Raise FileNotFoundError, naming the first, if image files are missing.
        **kwargs: Those of mmpose's BaseCocoStyleDataset.
    """

    METAINFO: dict = skeleton_metainfo(CAMMA_10, dataset_name="mvor")

    def __init__(
        self,
        ann_file: str = "",
        modality: str = "depth",
        data_mode: str = "bottomup",
        with_3d: bool = False,
        check_files: bool = False,
        **kwargs,
    ):
        if modality not in ("depth", "color"):
            raise ValueError(f"MVORDataset: modality is {modality!r}, expected 'depth' or 'color'")
        # Set first: the parent loads the data in its constructor.
        self.modality = modality
        self.with_3d = with_3d
        self.check_files = check_files
        self._frames: dict[int, dict] = {}
        super().__init__(ann_file=ann_file, data_mode=data_mode, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Records of all images or people; box files are read by the parent."""
        records = super().load_data_list()
        return sorted(records, key=lambda record: record["img_id"]) if self.test_mode else records

    def _load_annotations(self) -> tuple[list[dict], list[dict]]:
        truth = load_mvor(self.ann_file)
        images = [
            {**image, "img_id": image["id"], "img_path": self._image_path(image["file_name"])}
            for image in truth.images[:: self.sample_interval]
        ]
        if self.check_files:
            self._check_files(images)
        people: dict[int, list[dict]] = {}
        for person in truth.box_persons():
            people.setdefault(person["image_id"], []).append(person)
        instances = [
            self.parse_data_info({"raw_ann_info": person, "raw_img_info": image})
            for image in images
            for person in people.get(image["id"], ())
        ]
        if self.with_3d:
            self._frames = self._frame_data(truth)
        return instances, images

    def _load_detection_results(self) -> list[dict]:
        """People from `bbox_file`. The parent's reader would drop them all: it takes only a numeric category id."""
        images = {image["img_id"]: image for image in self._load_annotations()[1]}
        keypoints = np.zeros((1, _NUM_JOINTS, 2), dtype=np.float32)
        records = []
        boxes = load_box_results(self.bbox_file)
        for i, entry in enumerate(boxes):
            image = images.get(entry["image_id"])
            if image is None or str(entry["category_id"]) != "1":  # another set's, or of no person
                continue
            x, y, width, height = entry["bbox"]
            records.append(
                {
                    "img_id": image["img_id"],
                    "img_path": image["img_path"],
                    "img_shape": (image["height"], image["width"]),
                    "bbox": np.array([[x, y, x + width, y + height]], dtype=np.float32),
                    "bbox_score": np.array([entry["score"]], dtype=np.float32),
                    "keypoints": keypoints.copy(),
                    "keypoints_visible": np.ones_like(keypoints[..., 0]),
                    "id": i,
                }
            )
        if boxes and not records:
            raise ValueError(f"{self.bbox_file}: none of its {len(boxes)} boxes is of a person in {self.ann_file}")
        return self._add_frames(records)

    def parse_data_info(self, raw_data_info: dict) -> dict:
        """One person, in mmpose's form."""
        person = raw_data_info["raw_ann_info"]
        # The category id "1" would make a string array of what mmpose packs as a number.
        info = super().parse_data_info({**raw_data_info, "raw_ann_info": {**person, "category_id": 1}})
        info["person_id"] = person.get("person_id", -1)
        return info

    def _get_topdown_data_infos(self, instance_list: list[dict]) -> list[dict]:
        return self._add_frames(super()._get_topdown_data_infos(instance_list))

    def _get_bottomup_data_infos(self, instance_list: list[dict], image_list: list[dict]) -> list[dict]:
        return self._add_frames(super()._get_bottomup_data_infos(instance_list, image_list))

    def _add_frames(self, records: list[dict]) -> list[dict]:
        return [{**record, **self._frames.get(record["img_id"], {})} for record in records]

    def _image_path(self, file_name: str) -> str:
        path = _MODALITY_FOLDER.sub(lambda match: match[1] + self.modality, file_name)
        return str(image_path(self.data_prefix["img"], path, self.ann_file))

    def _check_files(self, images: list[dict]) -> None:
        missing = [image["img_path"] for image in images if not Path(image["img_path"]).is_file()]
        if missing:
            raise FileNotFoundError(
                f"{missing[0]}: no such file ({len(missing)} of {len(images)} images of {self.ann_file} are missing)"
            )

    def _frame_data(self, truth: MVORAnnotations) -> dict[int, dict]:
        """What the images of each multi-view frame share, by image id."""
        cameras, frames = truth.need("cameras"), truth.need("frames")
        paths = {image["id"]: self._image_path(image["file_name"]) for image in truth.images}
        people: dict[str, list] = {}
        for pose in truth.need("poses3d"):
            people.setdefault(pose.frame_id, []).append(pose)
        records = {}
        for frame in frames:
            poses = people.get(frame.id, [])
            shared = {
                "frame_id": frame.id,
                "view_image_ids": list(frame.image_ids),
                "view_img_paths": [paths[image_id] for image_id in frame.image_ids],
                "camera_intrinsics": np.stack([camera.matrix for camera in cameras]),
                "camera_poses": np.stack([camera.pose for camera in cameras]),
                "poses_3d": _rows([pose.keypoints[:_NUM_JOINTS, :3] / 1000 for pose in poses], (_NUM_JOINTS, 3)),
                "poses_3d_present": _rows([pose.present[:_NUM_JOINTS] for pose in poses], (_NUM_JOINTS,)) > 0,
                "poses_3d_person_id": np.array([pose.person_id for pose in poses], dtype=np.int64),
            }
            for view, image_id in enumerate(frame.image_ids):
                records[image_id] = {**shared, "view": view}
        return records


def _rows(rows: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Stack to (N, *shape) float64, also when there are none."""
    return np.array(rows, dtype=np.float64).reshape(-1, *shape)
