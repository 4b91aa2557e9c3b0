"""MPJPE, PCK and person AP as detectron2 evaluators, and which of them a data set gets."""

from __future__ import annotations

import itertools
import logging
from collections import OrderedDict
from pathlib import Path

import numpy as np
from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.evaluation import COCOEvaluator, DatasetEvaluator, DatasetEvaluators
from detectron2.utils import comm

from orplugins.io.atomic import write_json
from orplugins.mvor.annotations import load_mvor
from orplugins.mvor.pck import mvor_pck
from orplugins.mvor.person_ap import person_ap
from orplugins.orpose_color.detectron2.datasets import evaluators_of, is_mvor
from orplugins.orpose_color.lifting import H36_TO_CAMMA, PoseStatistics
from orplugins.orpose_color.mpjpe import ImageErrors, image_errors, summarise
from orplugins.orpose_color.statistics import load_statistics

logger = logging.getLogger(__name__)


class _Gathering(DatasetEvaluator):
    """Collects rows in every process; the main one computes, and writes what it found."""

    name = ""

    def __init__(self, dataset_name: str, output_dir: str | None = None, distributed: bool = True):
        self.dataset_name, self.output_dir, self.distributed = dataset_name, output_dir, distributed
        self.rows: list = []

    def reset(self) -> None:
        self.rows = []

    def evaluate(self) -> OrderedDict | None:
        rows = self.rows
        if self.distributed:
            comm.synchronize()
            rows = list(itertools.chain.from_iterable(comm.gather(rows, dst=0)))
            if not comm.is_main_process():
                return None
        result = {key: float(value) for key, value in self.compute(rows).items()}
        logger.info("%s on %s: %s", self.name, self.dataset_name, "  ".join(f"{k} {v:.2f}" for k, v in result.items()))
        if self.output_dir:
            finite = {key: value if np.isfinite(value) else None for key, value in result.items()}
            write_json(Path(self.output_dir) / f"{self.name.lower()}.json", finite, indent=1)
        return OrderedDict({self.name: result})

    def compute(self, rows: list) -> dict:
        raise NotImplementedError


class LiftedPoseEvaluator(_Gathering):
    """MPJPE in millimetres; see `orplugins.orpose_color.mpjpe`.

    The inputs carry the ground truth (`MVORDatasetMapper` at test time), the outputs `pred_keypoints_3d`.

    Args:
        dataset_name: A registered set.
        output_dir: Where results are written; None writes nothing.
        distributed: Gather the results of all processes.
        protocol: "published" or "visible".
        statistics: Un-normalise `pred_keypoints_h36_3d` with these instead of taking `pred_keypoints_3d`.
    """

    name = "MPJPE"

    def __init__(
        self,
        dataset_name: str,
        output_dir: str | None = None,
        distributed: bool = True,
        *,
        protocol: str = "published",
        statistics: PoseStatistics | str | None = None,
    ):
        super().__init__(dataset_name, output_dir, distributed)
        self.protocol = protocol
        self.statistics = load_statistics(statistics) if isinstance(statistics, str) else statistics

    def process(self, inputs: list[dict], outputs: list[dict]) -> None:
        """Keep the errors of a batch."""
        for record, output in zip(inputs, outputs, strict=True):
            errors = self._errors(record.get("instances"), output["instances"])
            if errors is not None:
                self.rows.append((record.get("image_id"), errors))

    def _errors(self, truth, found) -> ImageErrors | None:
        if truth is None or not truth.has("person_ids_camma"):
            return None
        truth = truth[truth.person_ids_camma != -1].to("cpu")
        if not len(truth):
            return None
        if self.statistics is not None:
            poses = self.statistics.pose(found.pred_keypoints_h36_3d.cpu().numpy())
        else:
            poses = found.pred_keypoints_3d.cpu().numpy() * 1000.0
        return image_errors(
            truth.gt_keypoints.tensor.numpy(),
            truth.gt_boxes.tensor.numpy(),
            truth.anns3d_camma_allkps.numpy(),
            found.pred_keypoints.cpu().numpy(),
            poses[:, H36_TO_CAMMA],
        )

    def compute(self, rows: list) -> dict:
        """Means over all images, see `orplugins.orpose_color.mpjpe.summarise`."""
        return summarise([errors for _, errors in rows], self.protocol)


class _Detections(_Gathering):
    def process(self, inputs: list[dict], outputs: list[dict]) -> None:
        for record, output in zip(inputs, outputs, strict=True):
            found = output["instances"].to("cpu")
            self.rows.append(
                (
                    record["image_id"],
                    found.pred_boxes.tensor.numpy(),
                    found.scores.numpy(),
                    found.pred_keypoints.numpy() if found.has("pred_keypoints") else None,
                )
            )

    def _column(self, rows: list, column: int, shape: tuple[int, ...]) -> np.ndarray:
        parts = [row[column] for row in rows if row[column] is not None]
        return np.concatenate([np.zeros((0, *shape)), *parts])

    def _image_ids(self, rows: list) -> np.ndarray:
        return np.repeat(np.array([row[0] for row in rows], dtype=np.int64), [len(row[2]) for row in rows])


class PCKEvaluator(_Detections):
    """PCK@0.2 of MVOR in percent; see `orplugins.mvor.pck`. Detected pixels count from the pixel's centre."""

    name = "PCK"

    def compute(self, rows: list) -> dict:
        """PCK by joint, in percent."""
        path = MetadataCatalog.get(self.dataset_name).json_file
        if is_mvor(path):
            ids, truth = load_mvor(path).keypoint_persons()
        else:
            records = DatasetCatalog.get(self.dataset_name)
            people = [(record["image_id"], person) for record in records for person in record["annotations"]]
            pairs = [(image_id, person["keypoints2D_camma"]) for image_id, person in people]
            ids = np.array([image_id for image_id, _ in pairs])
            truth = np.array([joints for _, joints in pairs], dtype=np.float64).reshape(-1, 10, 3)
        keypoints = self._column(rows, 3, (17, 3)) - (0.5, 0.5, 0)
        return mvor_pck(ids, truth, self._image_ids(rows), keypoints, self._column(rows, 2, ())).columns


class PersonAPEvaluator(_Detections):
    """Box AP in percent for files that are MVOR's own; see `orplugins.mvor.person_ap`."""

    name = "person_AP"

    def compute(self, rows: list) -> dict:
        """AP and recall by name, in percent."""
        truth = load_mvor(MetadataCatalog.get(self.dataset_name).json_file)
        people = truth.box_persons()
        category = people[0]["category_id"] if people else "1"
        boxes = self._column(rows, 1, (4,))
        boxes[:, 2:] -= boxes[:, :2]
        detections = [
            dict(image_id=int(i), category_id=category, bbox=box.tolist(), score=float(score))
            for i, box, score in zip(self._image_ids(rows), boxes, self._column(rows, 2, ()), strict=True)
        ]
        found = person_ap([row[0] for row in rows], people, detections)
        return {key: 100 * value for key, value in found.items()}


def build_people_evaluator(
    dataset_name: str, output_dir: str | None = None, mpjpe: str = "published", distributed: bool = True
) -> DatasetEvaluators:
    """The evaluators that a data set's annotations allow (`datasets.evaluators_of`).

    Args:
        dataset_name: A registered set.
        output_dir: Where results are written; None writes nothing.
        mpjpe: Protocol of the MPJPE, "published" or "visible".
        distributed: Gather the results of all processes.

    Returns:
        One evaluator that runs them all.
    """
    make = {
        "coco": lambda: COCOEvaluator(dataset_name, output_dir=output_dir, distributed=distributed),
        "mpjpe": lambda: LiftedPoseEvaluator(dataset_name, output_dir, distributed, protocol=mpjpe),
        "pck": lambda: PCKEvaluator(dataset_name, output_dir, distributed),
        "person_ap": lambda: PersonAPEvaluator(dataset_name, output_dir, distributed),
    }
    return DatasetEvaluators([make[kind]() for kind in evaluators_of(dataset_name)])


def evaluator_from_config(cfg: CfgNode, dataset_name: str, output_dir: str | None = None) -> DatasetEvaluators:
    """`build_people_evaluator` with the config's output folder and MPJPE protocol.

    Args:
        cfg: The config.
        dataset_name: A registered set.
        output_dir: Where results are written; None takes a folder below the config's ``OUTPUT_DIR``.

    Returns:
        One evaluator that runs them all.
    """
    folder = output_dir or str(Path(cfg.OUTPUT_DIR) / "inference" / dataset_name)
    return build_people_evaluator(dataset_name, folder, cfg.ORPLUGINS.ORPOSE_COLOR.MPJPE)
