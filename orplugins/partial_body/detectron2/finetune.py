"""Fine-tuning of the detector on a user's boxes of patients and users."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog, DatasetMapper, MetadataCatalog
from detectron2.data import transforms as T
from detectron2.data.datasets.coco import load_coco_json
from detectron2.evaluation import COCOEvaluator

from orplugins.finetune.labels import Labels, read_boxes
from orplugins.finetune.method import LabelledSet, Method, Rows, Training
from orplugins.hosts.detectron2 import finetune as host
from orplugins.partial_body.detectron2.detector import class_names, detector_config


class BoxTrainer(host.FinetuneTrainer):
    """detectron2's trainer on a user's boxes."""

    @classmethod
    def build_mapper(cls, cfg: CfgNode) -> DatasetMapper:
        """detectron2's mapper, with pictures that vary more."""
        data = cfg.INPUT
        steps = [
            T.RandomExtent((0.8, 1.2), (0.1, 0.1)),
            T.ResizeShortestEdge(data.MIN_SIZE_TRAIN, data.MAX_SIZE_TRAIN, data.MIN_SIZE_TRAIN_SAMPLING),
            T.RandomFlip(),
            T.RandomBrightness(0.7, 1.3),
            T.RandomContrast(0.7, 1.3),
            T.RandomSaturation(0.7, 1.3),
        ]
        return DatasetMapper(is_train=True, augmentations=steps, image_format=data.FORMAT)

    @classmethod
    def build_evaluator(cls, cfg: CfgNode, dataset_name: str, output_folder: str | None = None) -> COCOEvaluator:
        """COCO's figures of boxes."""
        return COCOEvaluator(dataset_name, tasks=("bbox",), distributed=False)

    @classmethod
    def rows(cls, found: dict, cfg: CfgNode) -> Rows:
        """Our names for what the evaluator found."""
        boxes = found["bbox"]
        rows = {name: float(np.nan_to_num(boxes.get(name, 0.0))) for name in ("AP", "AP50", "AP75")}
        return rows | {f"AP, {key[3:]}": value for key, value in boxes.items() if key.startswith("AP-")}


class FinetuneDetector(Method):
    """The partial-body detector, or another R-CNN, on boxes of its classes."""

    name = "partial-body-detector"
    score = "AP"

    def __init__(self, settings, config, weights):
        super().__init__(settings, config, weights)
        self.cfg = detector_config(config)
        self.classes = class_names(self.cfg)

    def read(self, path: Path) -> Labels:
        """Read labels."""
        return read_boxes(path, self.settings.images, self.classes)

    def defaults(self) -> tuple[float, int]:
        """The config's learning rate, and pictures a step."""
        return float(self.cfg.SOLVER.BASE_LR), int(self.cfg.SOLVER.IMS_PER_BATCH)

    def measure(self, weights: Path, truth: LabelledSet, folder: Path) -> Rows:
        """Figures of the boxes found."""
        return host.measure(BoxTrainer, self.cfg, weights, self._registered(truth), self.settings.device)

    def train(self, training: Training) -> None:
        """Train all of the detector."""
        cfg = host.fitted(self.cfg, training, self.weights, self.settings.seed, self.settings.device)
        cfg.DATASETS.TRAIN = (self._registered(training.train),)
        cfg.DATASETS.TEST = (self._registered(training.held_out),)
        host.run(BoxTrainer, cfg, training)

    def use(self, weights: Path, pictures: Path) -> str:
        """Poses in the boxes of the detector."""
        from orplugins.finetune.settings import start

        config, checkpoint = start("partial-body", None, None)
        return (
            f"orplugins infer-partial {pictures} --out {weights.parent / 'poses'} --detector-config "
            f"{self.config} --detector-weights {weights} --config {config} --checkpoint {checkpoint}"
        )

    def _registered(self, labelled: LabelledSet) -> str:
        name = host.name_of(labelled)
        if name not in DatasetCatalog.list():
            DatasetCatalog.register(name, lambda: load_coco_json(str(labelled.file), str(labelled.images), name))
            ids = {k: k - 1 for k in range(1, len(self.classes) + 1)}
            MetadataCatalog.get(name).set(
                json_file=str(labelled.file),
                thing_classes=list(self.classes),
                thing_dataset_id_to_contiguous_id=ids,
                evaluator_type="coco",
            )
        return name
