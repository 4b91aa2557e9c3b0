"""Fine-tuning of the student on a user's labelled colour pictures: both heatmap branches learn, the lifting stays."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
from detectron2.config import CfgNode
from detectron2.data import transforms as T
from detectron2.evaluation import COCOEvaluator, DatasetEvaluators
from PIL import Image

from orplugins.adaptation.views import network_size
from orplugins.finetune.labels import Labels, read_poses
from orplugins.finetune.method import LabelledSet, Method, Rows, Training
from orplugins.hosts.detectron2 import finetune as host
from orplugins.hosts.detectron2.people_scores import PeopleScores
from orplugins.hosts.detectron2.predictor import network_sides
from orplugins.mvor.as_coco import read_through
from orplugins.orpose_color.detectron2.datasets import register_people
from orplugins.orpose_color.detectron2.mapper import MVORDatasetMapper
from orplugins.orpose_color.detectron2.trainer import ORPoseTrainer, read_config
from orplugins.skeletons import COCO_17

SCORE = "AP of boxes and joints"
_ROOM = (0.8, 1.2), (0.1, 0.1)  # of a random extent: range of its sides, and of its shift, parts of the picture


class NetworkSize(T.Augmentation):
    """Resize an image as `infer_color` does.

    Args:
        size: (width, height), or nothing for that of `orplugins.adaptation.views.network_size`.
        sides: See there.
    """

    def __init__(self, size: tuple[int, int] | None, sides: tuple[int, int]):
        self.size, self.sides = size, sides

    def get_transform(self, image: np.ndarray) -> T.Transform:
        """The resize of an image (H, W, 3)."""
        height, width = image.shape[:2]
        new = network_size((width, height), self.size, self.sides)
        return T.ResizeTransform(height, width, new[1], new[0], Image.Resampling.BILINEAR)


class LabelledMapper(MVORDatasetMapper):
    """`MVORDatasetMapper` for labels of people, which are hard and soft ones at once; pictures vary more in training.

    Args:
        cfg: The config.
        is_train: As there.
    """

    def __init__(self, cfg: CfgNode, is_train: bool):
        super().__init__(cfg, is_train)
        sides = network_sides(cfg)
        steps = [NetworkSize(tuple(cfg.ORPLUGINS.ORPOSE_COLOR.FINETUNE_SIZE) or None, sides)]
        if is_train:
            steps += [T.RandomExtent(*_ROOM), T.RandomBrightness(0.7, 1.3), T.RandomContrast(0.7, 1.3)]
            steps += [T.RandomSaturation(0.7, 1.3)]
        self.augmentations = T.AugmentationList([*steps, *self.augmentations.augs])

    def __call__(self, record: dict) -> dict:
        """The model's input of a data set's record, which is not changed."""
        record = copy.deepcopy(record)
        for person in record.get("annotations", ()) if self.is_train else ():
            soft = np.reshape(person["keypoints"], (-1, 3)).astype(float)
            soft[:, 2] = soft[:, 2] > 0
            person["keypoints_soft"] = soft.ravel().tolist()
        return super().__call__(record)


class LabelledTrainer(host.FinetuneTrainer, ORPoseTrainer):
    """The student's trainer on a user's labels."""

    @classmethod
    def build_mapper(cls, cfg: CfgNode, is_train: bool = True) -> MVORDatasetMapper:
        """The training's mapper, or the test's."""
        return LabelledMapper(cfg, is_train)

    @classmethod
    def build_evaluator(cls, cfg: CfgNode, dataset_name: str, output_folder: str | None = None):
        """A set's evaluators."""
        boxes = COCOEvaluator(dataset_name, tasks=("bbox",), distributed=False)
        return DatasetEvaluators([boxes, PeopleScores(dataset_name, COCO_17.sigmas)])

    @classmethod
    def rows(cls, found: dict, cfg: CfgNode) -> Rows:
        """Our names for what the evaluators found."""
        boxes = {"box AP": "AP", "box AP50": "AP50"}
        rows = {name: float(np.nan_to_num(found["bbox"].get(key, 0.0))) for name, key in boxes.items()}
        rows |= {f"joint {name}": value for name, value in found["people"].items()}
        return {SCORE: float(np.mean([rows[key] for key in ("box AP", "joint AP") if key in rows])), **rows}

    @classmethod
    def build_model(cls, cfg: CfgNode):
        """The model, whose lifting networks do not learn."""
        model = super().build_model(cfg)
        head = model.roi_heads.keypoint_head
        for parameter in (*head.nw2Dto3D_hard.parameters(), *head.nw2Dto3D_soft.parameters()):
            parameter.requires_grad_(False)
        return model


class FinetuneColor(Method):
    """ORPose-Color on colour pictures, with COCO's joints, some of them, MVOR's file, or boxes only."""

    name = "orpose-color"
    score = SCORE

    def __init__(self, settings, config, weights):
        super().__init__(settings, config, weights)
        self.cfg = read_config(config, train=False)
        if self.cfg.MODEL.ROI_HEADS.NAME != "Keypoints3DROIHeads":
            found = self.cfg.MODEL.ROI_HEADS.NAME
            raise ValueError(f"{config}: MODEL.ROI_HEADS.NAME is {found!r}, expected 'Keypoints3DROIHeads'")
        head = self.cfg.MODEL.ROI_KEYPOINTS3D_HEAD
        head.LOSS_WEIGHT_2DKEYPOINTS = head.LOSS_WEIGHT_2DKEYPOINTS_SOFT = 1.0
        head.LOSS_WEIGHT_3D_HARD = head.LOSS_WEIGHT_3D_SOFT = 0.0
        self.cfg.ORPLUGINS.ORPOSE_COLOR.FINETUNE_SIZE = list(settings.size or ())

    def read(self, path: Path) -> Labels:
        """Read labels."""
        return read_through(path, "color", lambda file: read_poses(file, self.settings.images, COCO_17.joints))

    def defaults(self) -> tuple[float, int]:
        """The config's learning rate, and pictures a step."""
        return float(self.cfg.SOLVER.BASE_LR), int(self.cfg.SOLVER.IMS_PER_BATCH)

    def measure(self, weights: Path, truth: LabelledSet, folder: Path) -> Rows:
        """Figures of the people found."""
        return host.measure(LabelledTrainer, self.cfg, weights, _registered(truth), self.settings.device)

    def train(self, training: Training) -> None:
        """Train detector and both heatmap branches."""
        cfg = host.fitted(self.cfg, training, self.weights, self.settings.seed, self.settings.device)
        cfg.DATASETS.TRAIN = (_registered(training.train),)
        cfg.DATASETS.TEST = (_registered(training.held_out),)
        host.run(LabelledTrainer, cfg, training)

    def use(self, weights: Path, pictures: Path) -> str:
        """Poses of a folder of pictures."""
        size = " --size {}x{}".format(*self.settings.size) if self.settings.size else ""
        out = weights.parent / "poses"
        return f"orplugins infer-color {pictures} --config {self.config} --weights {weights}{size} --out {out}"


def _registered(labelled: LabelledSet) -> str:
    name = host.name_of(labelled)
    register_people(name, labelled.file, labelled.images)
    return name
