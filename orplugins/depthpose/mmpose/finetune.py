"""Fine-tuning of a depth network on a user's labelled depth images."""

from __future__ import annotations

import copy
from pathlib import Path

from mmengine.config import Config

from orplugins.depth.plausible import check_room_depth
from orplugins.depth.png import load_depth
from orplugins.depthpose.mmpose.estimator import TRAINING_ONLY
from orplugins.finetune.labels import Labels, read_poses
from orplugins.finetune.method import LabelledSet, Method, Rows, Training
from orplugins.hosts.mmpose import finetune as host
from orplugins.io.images import image_path
from orplugins.mvor.as_coco import read_through
from orplugins.skeletons import COCO_17

_FIRST_IMAGES = 8  # a wrong unit is wrong in all of them
NAMES = {name: (f"people/{name}", 1.0) for name in ("AP", "AP50", "recall", "PCK@0.1")}


class FinetuneDepth(Method):
    """DepthPose and RTPose on 16-bit depth images, with COCO's joints, some of them, or MVOR's file."""

    name = "depthpose"
    score = "AP"
    rate = 0.05

    def __init__(self, settings, config, weights):
        super().__init__(settings, config, weights)
        self.cfg = host.read_config(config)
        if not str(self.cfg.model.type).endswith("DepthPoseEstimator"):
            raise ValueError(
                f"{config}: 'model.type' is {self.cfg.model.type!r}, expected orplugins.DepthPoseEstimator"
            )
        # A layer that only training has would start from random numbers, and pull at the others.
        self.cfg.model.head.reconstruction = None

    def read(self, path: Path) -> Labels:
        """Read labels; every depth image is opened once."""
        labels = read_through(path, "depth", lambda file: read_poses(file, self.settings.images, COCO_17.joints))
        if not labels.posed:
            raise ValueError(f"{path}: nobody has a labelled joint, expected people with 'keypoints'")
        for k, picture in enumerate(labels.data["images"]):
            file = image_path(self.settings.images, picture["file_name"], str(path))
            depth = load_depth(file, unit_mm=self.settings.unit_mm)
            if k < _FIRST_IMAGES:
                check_room_depth(depth, str(file), self.settings.unit_mm, "--depth-unit-mm")
        return labels

    def defaults(self) -> tuple[float, int]:
        """The config's learning rate, and images a step."""
        return float(self.cfg.optim_wrapper.optimizer.lr), int(self.cfg.train_dataloader.batch_size)

    def measure(self, weights: Path, truth: LabelledSet, folder: Path) -> Rows:
        """Figures of the people found."""
        return host.measure(self.cfg, weights, self._scored(truth), folder, self.settings.device, NAMES)

    def train(self, training: Training) -> None:
        """Train with the config's augmentation; what is not labelled does not count."""
        cfg = self.cfg.copy()
        cfg.start_weights = self.weights
        dataset = self.dataset(training.train)
        val = self._scored(training.held_out)
        host.train(cfg, training, dataset, val, self.settings.device, NAMES, self.settings.seed)

    def dataset(self, labelled: LabelledSet) -> dict:
        """The config of the data set that is learned from.

        Args:
            labelled: Its pictures.
        """
        known = [COCO_17.index(joint) for joint in labelled.labels.known]
        steps: list[dict] = []
        for step in self._pipeline(self.cfg.train_dataloader.dataset):
            steps.append({key: value for key, value in step.items() if key != "target_size"})
            if step["type"] == "GenerateTarget":
                steps.append(dict(type="orplugins.MaskUnlabelled", known=known))
        return _dataset(labelled, steps)

    def finished(self, state: dict) -> dict:
        """The tensors without layers that only training has."""
        return {name: value for name, value in state.items() if not name.startswith(TRAINING_ONLY)}

    def use(self, weights: Path, pictures: Path) -> str:
        """Poses of a folder of depth images by mmpose's own inferencer."""
        network = f"pose2d='{self.config}', pose2d_weights='{weights}'"
        call = f"i = MMPoseInferencer({network}); list(i('{pictures}', out_dir='{weights.parent}/poses'))"
        return f'python -c "import orplugins; from mmpose.apis import MMPoseInferencer; {call}"'

    def _pipeline(self, dataset: Config) -> list[dict]:
        steps = copy.deepcopy([dict(step) for step in dataset.pipeline])
        for step in steps:
            if step["type"] == "orplugins.LoadDepth":
                step["unit_mm"] = self.settings.unit_mm
        return steps

    def _scored(self, truth: LabelledSet) -> dict:
        steps = self._pipeline(self.cfg.val_dataloader.dataset)
        dataset = _dataset(truth, steps) | dict(test_mode=True)
        return dict(dataset=dataset, evaluator=dict(type="orplugins.PeopleScores", ann_file=str(truth.file)))


def _dataset(labelled: LabelledSet, pipeline: list[dict]) -> dict:
    return dict(
        type="CocoDataset",
        data_mode="bottomup",
        data_root="",
        ann_file=str(labelled.file),
        data_prefix=dict(img=f"{labelled.images}/"),
        pipeline=pipeline,
    )
