"""From a data set's record to ORPose-Color's input: the image at a low resolution, enlarged again; its targets."""

from __future__ import annotations

import copy

import numpy as np
import torch
from detectron2.config import CfgNode, configurable
from detectron2.data import detection_utils as utils
from detectron2.data import transforms as T
from detectron2.structures import Instances, Keypoints
from PIL import Image

from orplugins.hosts.detectron2 import low_resolution
from orplugins.orpose_color.lifting import PoseStatistics, mirror_rows, mirror_targets
from orplugins.orpose_color.statistics import load_statistics
from orplugins.skeletons import COCO_17

CAMMA = {"anns2d_camma": "keypoints2D_camma", "anns3d_camma_allkps": "keypoints3D_camma_projected_allkps",
         "anns3d_camma_true": "keypoints3D_camma_projected_true"}  # fmt: skip


def random_factor() -> float:
    """The release's random factor: 1 for 30 %, 2 to 7 for 35 %, 8 to 11 for 35 % of the images."""
    if torch.rand(1) > 0.3:
        low, high = (8, 12) if torch.rand(1) > 0.5 else (2, 8)
        return float(torch.empty(1, dtype=torch.long).random_(low, high))
    return 1.0


class LowResolution(low_resolution.LowResolution):
    """Reduce an image by a factor and enlarge it again; sizes are cut off to whole pixels.

    Args:
        factor: 1 or more; None draws it at random.
        method: "bilinear" or "bicubic".

    Raises:
        ValueError: Another factor or method.
    """

    def __init__(self, factor: float | None, method: str = "bilinear"):
        super().__init__(random_factor if factor is None else factor, method)


def colour_changes(strength: float) -> list[T.Augmentation]:
    """Random changes of brightness, contrast and saturation, as other cameras and lamps make them.

    Args:
        strength: Factors are from 1 - strength to 1 + strength; 0 changes nothing.

    Returns:
        Augmentations for pictures in RGB.

    Raises:
        ValueError: Not from 0 to below 1.
    """
    if not 0 <= strength < 1:
        raise ValueError(f"COLOUR_CHANGES: found {strength}, expected 0 to below 1")
    kinds = (T.RandomBrightness, T.RandomContrast, T.RandomSaturation)
    return [kind(1 - strength, 1 + strength) for kind in kinds] if strength else []


class MVORDatasetMapper:
    """Callable for detectron2's data loaders.

    Args:
        is_train: Flip at random, and pass on labels; otherwise pass on annotations for the evaluators.
        factor: Down-sampling; None draws it at random.
        method: "bilinear" or "bicubic".
        flip_3d: "mirrored" flips lifter rows and 3D targets with the image; "published" leaves them as they are.
        statistics: What rows and targets were normalised with, or the file's path; needed to mirror them.
        image_format: "BGR" or "RGB", as the network expects.
        changes: Strength of `colour_changes` in training, for "RGB" only.

    Raises:
        ValueError: An option has another value.
    """

    @configurable
    def __init__(
        self,
        is_train: bool = True,
        *,
        factor: float | None = 1.0,
        method: str = "bilinear",
        flip_3d: str = "mirrored",
        statistics: PoseStatistics | str | None = None,
        image_format: str = "BGR",
        changes: float = 0.0,
    ):
        if flip_3d not in ("mirrored", "published"):
            raise ValueError(f"FLIP_3D: found {flip_3d!r}, expected 'mirrored' or 'published'")
        if image_format not in ("BGR", "RGB"):
            raise ValueError(f"INPUT.FORMAT: found {image_format!r}, expected 'BGR' or 'RGB'")
        if changes and image_format == "BGR":
            raise ValueError("COLOUR_CHANGES: are for INPUT.FORMAT RGB, found BGR")
        self.is_train, self.mirror, self.image_format = is_train, flip_3d == "mirrored", image_format
        if isinstance(statistics, str):
            statistics = load_statistics(statistics) if statistics else None
        self.statistics = statistics
        flip = [T.RandomFlip(prob=0.5, horizontal=True, vertical=False)] if is_train else []
        colours = colour_changes(changes) if is_train else []
        self.augmentations = T.AugmentationList([*flip, *colours, LowResolution(factor, method)])

    @classmethod
    def from_config(cls, cfg: CfgNode, is_train: bool = True) -> dict:
        """Arguments of the mapper that a config asks for."""
        data = cfg.DATASETS
        moving = None if is_train else data.DOWN_SAMPLING_TEST_SCALE
        return dict(
            is_train=is_train,
            factor=data.DOWN_SAMPLING_FIX_SCALE if data.FIX_DOWN_SAMPLING else moving,
            method=data.DOWN_SAMPLING_METHOD,
            flip_3d=cfg.ORPLUGINS.ORPOSE_COLOR.FLIP_3D,
            statistics=data.H36_STATS_PATH,
            image_format=cfg.INPUT.FORMAT,
            changes=cfg.ORPLUGINS.ORPOSE_COLOR.COLOUR_CHANGES,
        )

    def __call__(self, record: dict) -> dict:
        """The model's input of a data set's record, which is not changed."""
        record = copy.deepcopy(record)
        try:
            image = utils.read_image(record["file_name"], format=self.image_format)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise ValueError(f"image {record['file_name']}: cannot be read ({error}), expected an image") from error
        utils.check_image_size(record, image)
        inputs = T.AugInput(image)
        transforms = self.augmentations(inputs)
        size = inputs.image.shape[:2]
        record["image"] = torch.as_tensor(np.ascontiguousarray(inputs.image.transpose(2, 0, 1)).astype(np.float32))
        if "annotations" in record:
            record["instances"] = self._instances(self.people(record.pop("annotations")), transforms, size)
        return record

    def people(self, annotations: list[dict]) -> list[dict]:
        """Annotations that become instances: all but crowds."""
        return [person for person in annotations if not person.get("iscrowd", 0)]

    def _instances(self, people: list[dict], transforms: T.TransformList, size: tuple[int, int]) -> Instances:
        flipped = sum(isinstance(t, T.HFlipTransform) for t in transforms.transforms) % 2 == 1
        order = COCO_17.flip_indices
        for person in people:
            utils.transform_instance_annotations(person, transforms, size, keypoint_hflip_indices=order)
            if "keypoints_soft" in person:
                person["keypoints_soft"] = utils.transform_keypoint_annotations(
                    person["keypoints_soft"], transforms, size, order
                )
        instances = utils.annotations_to_instances(people, size)
        first = people[0] if people else {}
        if "keypoints_soft" in first:
            instances.gt_keypoints_soft = Keypoints(np.array([person["keypoints_soft"] for person in people]))
        for kind in ("hard", "soft"):
            if f"keypoints2d_{kind}" in first:
                rows, targets = (np.array([person[f"keypoints{d}_{kind}"] for person in people]) for d in ("2d", "3d"))
                if flipped and self.mirror:
                    rows, targets = self._mirrored(rows, targets, size[1])
                instances.set(f"gt_keypoints3d_{kind}", torch.tensor(targets, dtype=torch.float32))
                instances.set(f"gt_keypoints2d_{kind}", torch.tensor(rows, dtype=torch.float32))
        if not self.is_train and "keypoints2D_camma" in first:
            for name, key in CAMMA.items():
                if key in first:
                    values = np.array([person[key] for person in people], dtype=np.float32)
                    instances.set(name, torch.from_numpy(values.reshape(len(people), 10, -1)))
            instances.person_ids_camma = torch.tensor([person.get("person_id", -1) for person in people])
        return utils.filter_empty_instances(instances)

    def _mirrored(self, rows: np.ndarray, targets: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
        if self.statistics is None:
            raise ValueError(
                "DATASETS.H36_STATS_PATH: is empty; mirroring 3D targets needs the statistics that the labels were "
                "normalised with (or ORPLUGINS.ORPOSE_COLOR.FLIP_3D: published)"
            )
        return mirror_rows(rows, self.statistics, width), mirror_targets(targets, self.statistics)
