"""COCO-style sets of people of whom a part may be out of view."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from mmengine.logging import MessageHub, print_log
from mmpose.datasets.datasets.body import CocoDataset

from orplugins.hosts.mmpose.metainfo import skeleton_metainfo
from orplugins.io.coco_annotations import Annotations, usable_copy
from orplugins.io.coco_results import load_box_results
from orplugins.registry import DATASETS
from orplugins.skeletons import COCO_17, OUT_OF_VIEW, PATIENT_21, PATIENT_22, USER_6

_UNKNOWN = -1


@DATASETS.register_module()
class PartialBodyDataset(CocoDataset):
    """mmpose's COCO set of 17 joints that also keeps what COCO's v says of a joint.

    Training records have ``keypoints_visible`` (1, K, 2): whether the joint is labelled, and its state (0 out of view,
    1 occluded, 2 visible, -1 unknown). Test records are mmpose's own. What exporters leave out of a file is filled in
    (`orplugins.io.coco_annotations`); ``metainfo`` describes other joints as for mmpose's own sets.

    Args:
        unlabelled: What v = 0 means in the file: ``"unknown"`` (COCO: nobody has said) or ``"out of view"`` (sets that
            label every joint in the image, such as the generated ones).
        **kwargs: Those of `mmpose.datasets.CocoDataset`.

    Raises:
        ValueError: Another ``unlabelled``, a file that does not fit (an annotation with another number of joints, an
            image of another size), or one without people that have keypoints.
    """

    METAINFO: dict = skeleton_metainfo(COCO_17, dataset_name="coco")

    def __init__(self, unlabelled: str = "unknown", **kwargs):
        states = {"unknown": _UNKNOWN, "out of view": OUT_OF_VIEW}
        if unlabelled not in states:
            raise ValueError(
                f"{type(self).__name__}: unlabelled is {unlabelled!r}, expected 'unknown' or 'out of view'"
            )
        self._state_of_zero = states[unlabelled]
        self._usable = ""
        super().__init__(**kwargs)
        if self.test_mode and self._usable:  # where a metric without a file of its own looks for one
            key = f"{self.metainfo['dataset_name']}_ann_file"
            MessageHub.get_current_instance().update_info(key, self._usable)

    @contextmanager
    def _completed(self) -> Iterator[Annotations | None]:
        """Have the parent read the file after it was checked and completed."""
        written = self.ann_file
        if "://" in written:
            yield None
            return
        names = [self.metainfo["keypoint_id2name"][k] for k in range(self.metainfo["num_keypoints"])]
        try:
            self._usable, found = usable_copy(written, names, self.data_prefix.get("img", ""))
        except ValueError as error:
            raise ValueError(f"{error} (for {self.metainfo['dataset_name']}, {len(names)} joints)") from None
        for note in found.notes:
            print_log(note, "current")
        self.ann_file = self._usable
        try:
            yield found
        finally:
            self.ann_file = written

    def _load_annotations(self) -> tuple[list[dict], list[dict]]:
        """Read annotated people."""
        with self._completed():
            people, images = super()._load_annotations()
        if not any(self._is_valid_instance(person) for person in people):
            raise ValueError(f"{self.ann_file}: has no person with keypoints, expected at least one")
        return people, images

    def _load_detection_results(self) -> list[dict]:
        """Read detected boxes; those of no person are left out, as in mmpose."""
        boxes = load_box_results(self.bbox_file)
        with self._completed() as found:
            known = {image["id"] for image in found.data["images"]} if found else None
            unknown = [box["image_id"] for box in boxes if known is not None and box["image_id"] not in known]
            if unknown:
                raise ValueError(
                    f"{self.bbox_file}: 'image_id' {unknown[0]} and {len(unknown) - 1} more are not in {self._usable}"
                )
            records = super()._load_detection_results()
        if not records:
            raise ValueError(f"{self.bbox_file}: none of its {len(boxes)} boxes has the category id 1, a person's")
        return records

    def parse_data_info(self, raw_data_info: dict) -> dict | None:
        """One person, in mmpose's form."""
        info = super().parse_data_info(raw_data_info)
        if info is not None and not self.test_mode:
            v = np.array(raw_data_info["raw_ann_info"]["keypoints"], dtype=np.float32)[2::3]
            states = np.where(v > 0, v, self._state_of_zero)
            info["keypoints_visible"] = np.stack([v > 0, states], -1)[None].astype(np.float32)
        return info


@DATASETS.register_module()
class Patient21Dataset(PartialBodyDataset):
    """Casualties with the 21 points of the released configuration."""

    METAINFO: dict = skeleton_metainfo(PATIENT_21)


@DATASETS.register_module()
class Patient22Dataset(PartialBodyDataset):
    """Casualties with the 22 points of the released joint set."""

    METAINFO: dict = skeleton_metainfo(PATIENT_22)


@DATASETS.register_module()
class User6Dataset(PartialBodyDataset):
    """Arms of whoever treats the casualty."""

    METAINFO: dict = skeleton_metainfo(USER_6)


@DATASETS.register_module()
class PublishedPatient21Dataset(Patient21Dataset):
    """`Patient21Dataset` without left and right, as released: a mirrored left hand stays a left hand."""

    METAINFO: dict = skeleton_metainfo(PATIENT_21, published=True)


@DATASETS.register_module()
class PublishedPatient22Dataset(Patient22Dataset):
    """`Patient22Dataset` without left and right, as released."""

    METAINFO: dict = skeleton_metainfo(PATIENT_22, published=True)


@DATASETS.register_module()
class PublishedUser6Dataset(User6Dataset):
    """`User6Dataset` without left and right and with OKS constants ten times too wide, as released."""

    METAINFO: dict = skeleton_metainfo(USER_6, published=True)
