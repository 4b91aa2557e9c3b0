"""COCO's figures of the detector, and on request the published ones."""

from __future__ import annotations

from itertools import chain

from detectron2.evaluation import COCOEvaluator

from orplugins.io.json_fields import load_json
from orplugins.partial_body.box_ap import box_ap


class PartialBodyEvaluator(COCOEvaluator):
    """detectron2's `COCOEvaluator`; with ``protocol="lvis"`` also the figures in LVIS's manner, as ``bbox-lvis``.

    Args:
        dataset_name: A registered data set.
        protocol: ``"coco"``, or ``"lvis"`` for both, see `orplugins.partial_body.box_ap.box_ap`.
        **kwargs: Those of `COCOEvaluator`.

    Raises:
        ValueError: Another protocol.
    """

    def __init__(self, dataset_name: str, protocol: str = "coco", **kwargs):
        if protocol not in ("coco", "lvis"):
            raise ValueError(f"PartialBodyEvaluator: protocol is {protocol!r}, expected 'coco' or 'lvis'")
        super().__init__(dataset_name, tasks=("bbox",), **kwargs)
        self.protocol = protocol

    def _eval_predictions(self, predictions, img_ids=None):
        super()._eval_predictions(predictions, img_ids)
        if self.protocol == "lvis":  # the parent has put the file's category ids into the records
            records = list(chain.from_iterable(prediction["instances"] for prediction in predictions))
            self._results["bbox-lvis"] = box_ap(load_json(self._metadata.json_file), records, "lvis")
