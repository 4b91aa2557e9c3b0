"""What is checked before a network is built and a first step is taken: sets, their labels, batch sizes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog, MetadataCatalog

from orplugins.adaptor.detectron2.config import check_choices


def check_data(cfg: CfgNode, eval_only: bool = False) -> None:
    """Check the sets that a run will read.

    Args:
        cfg: The config, with its sets registered.
        eval_only: Nothing is trained.

    Raises:
        FileNotFoundError: A file or a folder is missing, or a folder has no picture.
        ValueError: A set is not known or empty, has pictures that cannot be read, or lacks labels that the network
            learns from; batch sizes do not fit the split norms. One line says which.
    """
    check_choices(cfg)
    data, adapting = cfg.DATASETS, cfg.UDA.ENABLE and not eval_only
    for name in data.TEST:
        _labelled(name, cfg, "DATASETS.TEST")
    if eval_only:
        if not data.TEST:
            raise ValueError("DATASETS.TEST: is empty, expected a set to evaluate on (ORPLUGINS.ADAPTOR.SETS ...)")
        return
    if not adapting or cfg.UDA.TYPE == "ssl_coco":
        _each(data.TRAIN, "DATASETS.TRAIN", cfg)
    else:
        _each(data.TRAIN_LBL, "DATASETS.TRAIN_LBL", cfg)
        if not data.TRAIN_UNLBL:
            raise ValueError("DATASETS.TRAIN_UNLBL: is empty, expected sets of pictures (ORPLUGINS.ADAPTOR.SETS ...)")
        for name in data.TRAIN_UNLBL:
            _records(name, "DATASETS.TRAIN_UNLBL")
    labelled, unlabelled = cfg.SOLVER.IMS_PER_BATCH_LBL, cfg.SOLVER.IMS_PER_BATCH_UNLBL
    if adapting and cfg.MODEL.USE_SPLIT_GROUP_NORM and unlabelled != 2 * labelled:
        raise ValueError(
            f"SOLVER.IMS_PER_BATCH_UNLBL: found {unlabelled}, expected {2 * labelled}: with split norms twice "
            f"IMS_PER_BATCH_LBL ({labelled}), whose pictures are seen in two views"
        )


def _each(names: Sequence[str], key: str, cfg: CfgNode) -> None:
    if not names:
        raise ValueError(f"{key}: is empty, expected a set to train on (ORPLUGINS.ADAPTOR.SETS ...)")
    for name in names:
        people = _labelled(name, cfg, key)
        for field, on in (("segmentation", cfg.MODEL.MASK_ON), ("keypoints", cfg.MODEL.KEYPOINT_ON)):
            if on and not any(person.get(field) for person in people):
                what, switch = ("masks", "MASK_ON") if field == "segmentation" else ("joints", "KEYPOINT_ON")
                raise ValueError(
                    f"data set {name!r}: annotations have no {field!r}, expected {what} (generated sets have them with "
                    f"--masks), or MODEL.{switch} False"
                )
        lacking = sum(not person.get("segmentation") for person in people) if cfg.MODEL.MASK_ON else 0
        if lacking:
            raise ValueError(
                f"data set {name!r}: {lacking} of {len(people)} people have no 'segmentation', expected all or none"
            )


def _labelled(name: str, cfg: CfgNode, key: str) -> list[dict]:
    """The people of a set who are no crowd."""
    records = _records(name, key)
    people = [p for record in records for p in record.get("annotations", ()) if not p.get("iscrowd", 0)]
    if not people:
        raise ValueError(f"data set {name!r}: nobody is annotated, expected people")
    classes = MetadataCatalog.get(name).get("thing_classes") or ()
    if len(classes) > cfg.MODEL.ROI_HEADS.NUM_CLASSES:
        raise ValueError(
            f"data set {name!r}: has {len(classes)} classes, expected at most MODEL.ROI_HEADS.NUM_CLASSES, "
            f"{cfg.MODEL.ROI_HEADS.NUM_CLASSES}"
        )
    return people


def _records(name: str, key: str) -> list[dict]:
    if name not in DatasetCatalog.list():
        raise ValueError(f"{key}: {name!r} is not registered, expected a set of ORPLUGINS.ADAPTOR.SETS or detectron2's")
    records = DatasetCatalog.get(name)
    if not records:
        raise ValueError(f"data set {name!r}: has no picture")
    missing = [record["file_name"] for record in records if not Path(record["file_name"]).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{missing[0]}: no such file, expected a picture of data set {name!r}; {len(missing)} of {len(records)} "
            "are missing"
        )
    return records
