"""Fine-tuning of a top-down network on a user's labelled people, with joint states where the flags tell them."""

from __future__ import annotations

import copy
from pathlib import Path

from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import DATASETS

from orplugins.finetune.labels import Labels, read_poses
from orplugins.finetune.method import LabelledSet, Method, Rows, Training
from orplugins.finetune.settings import start
from orplugins.hosts.mmpose import finetune as host
from orplugins.mvor.as_coco import read_through

NAMES = {name: (f"people/{name}", 1.0) for name in ("AP", "AP50", "recall", "PCK@0.1")}
STATES = {"states right": ("state/accuracy", 1.0), "states right, mean of states": ("state/balanced", 1.0)}


class FinetunePartial(Method):
    """ViTPose, or another top-down network, on people in labelled boxes."""

    name = "partial-body"
    score = "AP"

    def __init__(self, settings, config, weights):
        super().__init__(settings, config, weights)
        self.cfg = host.read_config(config)
        dataset = self.cfg.train_dataloader.dataset
        info = dataset.get("metainfo") or DATASETS.get(dataset.type).METAINFO
        info = parse_pose_metainfo(dict(info))
        self.joints = [info["keypoint_id2name"][k] for k in range(info["num_keypoints"])]
        self.names = NAMES | (STATES if str(self.cfg.model.head.type).endswith("JointStateHead") else {})

    def read(self, path: Path) -> Labels:
        """Read labels."""
        labels = read_through(path, "color", lambda file: read_poses(file, self.settings.images, self.joints))
        if not labels.posed:
            raise ValueError(f"{path}: nobody has a labelled joint, expected people with 'keypoints'")
        return labels

    def examples(self, labels: Labels) -> int:
        """People with a labelled joint."""
        return labels.posed

    def defaults(self) -> tuple[float, int]:
        """The config's learning rate, and people a step."""
        return float(self.cfg.optim_wrapper.optimizer.lr), int(self.cfg.train_dataloader.batch_size)

    def measure(self, weights: Path, truth: LabelledSet, folder: Path) -> Rows:
        """Figures of the poses in labelled boxes."""
        return host.measure(self.cfg, weights, self._scored(truth), folder, self.settings.device, self.names)

    def train(self, training: Training) -> None:
        """Train with the config's last augmentation: views of parts, where it has them."""
        cfg = self.cfg.copy()
        cfg.start_weights = self.weights
        pipeline = cfg.train_dataloader.dataset.pipeline
        for hook in cfg.get("custom_hooks", ()):
            pipeline = hook.get("switch_pipeline", pipeline)
        dataset = self._dataset(cfg.train_dataloader.dataset, training.train, pipeline)
        val = self._scored(training.held_out)
        host.train(cfg, training, dataset, val, self.settings.device, self.names, self.settings.seed)

    def use(self, weights: Path, pictures: Path) -> str:
        """Poses in the boxes of the shipped detector."""
        config, checkpoint = start("partial-body-detector", None, None)
        return (
            f"orplugins infer-partial {pictures} --out {weights.parent / 'poses'} --config {self.config} "
            f"--checkpoint {weights} --detector-config {config} --detector-weights {checkpoint}"
        )

    def _dataset(self, base: dict, labelled: LabelledSet, pipeline: list) -> dict:
        keep = {key: copy.deepcopy(base[key]) for key in ("type", "metainfo", "data_mode") if key in base}
        place = dict(data_root="", ann_file=str(labelled.file), data_prefix=dict(img=f"{labelled.images}/"))
        return dict(**keep, **place, pipeline=copy.deepcopy([dict(step) for step in pipeline]))

    def _scored(self, truth: LabelledSet) -> dict:
        base = self.cfg.val_dataloader.dataset
        dataset = self._dataset(base, truth, base.pipeline) | dict(test_mode=True)
        evaluator = [dict(type="orplugins.PeopleScores", ann_file=str(truth.file))]
        if "states right" in self.names:
            evaluator.append(dict(type="orplugins.JointStateMetric", unlabelled="unknown"))
        return dict(dataset=dataset, evaluator=evaluator)
