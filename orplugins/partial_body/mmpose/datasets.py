"""COCO-style sets of people of whom a part may be out of view."""

from __future__ import annotations

import numpy as np
from mmengine.logging import MessageHub, print_log
from mmpose.datasets.datasets.body import CocoDataset

from orplugins.hosts.mmpose.metainfo import skeleton_metainfo
from orplugins.io.coco_annotations import usable_copy
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
        super().__init__(**kwargs)

    def _load_annotations(self) -> tuple[list[dict], list[dict]]:
        """Read the file as mmpose does, after it was checked and completed."""
        written = self.ann_file
        if "://" in written:
            return super()._load_annotations()
        names = [self.metainfo["keypoint_id2name"][k] for k in range(self.metainfo["num_keypoints"])]
        try:
            self.ann_file, found = usable_copy(written, names, self.data_prefix.get("img", ""))
        except ValueError as error:
            raise ValueError(f"{error} (for {self.metainfo['dataset_name']}, {len(names)} joints)") from None
        for note in found.notes:
            print_log(note, "current")
        try:
            people, images = super()._load_annotations()
        finally:
            self._usable, self.ann_file = self.ann_file, written
        if not any(self._is_valid_instance(person) for person in people):
            raise ValueError(f"{written}: has no person with keypoints, expected at least one")
        if self.test_mode:  # where a metric without a file looks for one
            key = f"{self.metainfo['dataset_name']}_ann_file"
            MessageHub.get_current_instance().update_info(key, self._usable)
        return people, images

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
