"""What is checked before a network is loaded and a first step is taken: sets, labels, statistics, weights, folders."""

from __future__ import annotations

from pathlib import Path

from detectron2.config import CfgNode
from detectron2.data import MetadataCatalog

from orplugins.hosts.detectron2.registered_sets import read_records
from orplugins.io.check_weights import check_weights
from orplugins.io.files import read_text
from orplugins.io.run_folder import require_writable
from orplugins.orpose_color.detectron2.datasets import evaluators_of
from orplugins.orpose_color.statistics import load_statistics

# What a loss, by its weight in the config, needs in every annotation.
_NEEDS = {"2DKEYPOINTS": "keypoints", "2DKEYPOINTS_SOFT": "keypoints_soft", "3D_HARD": "keypoints3d_hard",
          "3D_SOFT": "keypoints3d_soft"}  # fmt: skip


def check_before(cfg: CfgNode, eval_only: bool, resume: bool = False) -> None:
    """Check what a run will need.

    Args:
        cfg: The config, with its sets registered.
        eval_only: Nothing is trained.
        resume: Weights are those of the output folder's last checkpoint, if it has one.

    Raises:
        FileNotFoundError: A file is missing.
        OSError: The output folder cannot be written to.
        ValueError: A set, its labels, the statistics or the weights do not fit; one line says which.
    """
    require_writable(cfg.OUTPUT_DIR)
    if cfg.DATASETS.H36_STATS_PATH:
        load_statistics(cfg.DATASETS.H36_STATS_PATH)
    last = Path(cfg.OUTPUT_DIR) / "last_checkpoint"
    if resume and last.is_file():
        check_weights(last.parent / read_text(last, "the name of a checkpoint").strip())
    elif cfg.MODEL.WEIGHTS and Path(cfg.MODEL.WEIGHTS).is_absolute() or Path(cfg.MODEL.WEIGHTS).is_file():
        check_weights(cfg.MODEL.WEIGHTS)
    elif eval_only and not cfg.MODEL.WEIGHTS:
        raise ValueError("MODEL.WEIGHTS: is empty, expected the checkpoint that is to be evaluated")
    if not cfg.DATASETS.TEST and eval_only:
        raise ValueError("DATASETS.TEST: is empty, expected a set to evaluate on (DATASETS.TEST_SET_JSON ...)")
    for name in cfg.DATASETS.TEST:
        _records(name, cfg)
        if eval_only and not evaluators_of(name):
            raise ValueError(f"data set {name!r}: nobody is annotated, expected people to evaluate on")
    if eval_only:
        return
    if not cfg.DATASETS.TRAIN:
        raise ValueError("DATASETS.TRAIN: is empty, expected a set to train on (DATASETS.TRAIN_SET_JSON ...)")
    for name in cfg.DATASETS.TRAIN:
        people = [person for record in _records(name, cfg) for person in record.get("annotations", ())]
        if not people:
            raise ValueError(f"data set {name!r}: nobody is annotated, expected people to train on")
        if cfg.MODEL.ROI_HEADS.NAME == "Keypoints3DROIHeads" and cfg.MODEL.KEYPOINT3D_ON:
            _check_labels(name, people[0], cfg)


def _records(name: str, cfg: CfgNode) -> list[dict]:
    """A set's records; its images must be there, and its classes must fit the network."""
    records = read_records(name, "one of ours, of detectron2's, or a set's files")
    classes = MetadataCatalog.get(name).get("thing_classes") or ()
    if len(classes) > cfg.MODEL.ROI_HEADS.NUM_CLASSES:
        raise ValueError(
            f"data set {name!r}: has {len(classes)} classes ({', '.join(classes[:5])} ...), expected at most "
            f"MODEL.ROI_HEADS.NUM_CLASSES, {cfg.MODEL.ROI_HEADS.NUM_CLASSES}"
        )
    return records


def _check_labels(name: str, person: dict, cfg: CfgNode) -> None:
    head = cfg.MODEL.ROI_KEYPOINTS3D_HEAD
    for key, label in _NEEDS.items():
        if head[f"LOSS_WEIGHT_{key}"] > 0 and label not in person:
            raise ValueError(
                f"data set {name!r}: annotations have no '{label}', which LOSS_WEIGHT_{key} needs; expected those of "
                "a teacher (or a LOSS_WEIGHT of 0)"
            )
    mirrored = cfg.ORPLUGINS.ORPOSE_COLOR.FLIP_3D == "mirrored"
    if mirrored and not cfg.DATASETS.H36_STATS_PATH and any(f"keypoints2d_{k}" in person for k in ("hard", "soft")):
        raise ValueError(
            "DATASETS.H36_STATS_PATH: is empty; mirroring 3D targets needs the statistics that the labels were "
            "normalised with (or ORPLUGINS.ORPOSE_COLOR.FLIP_3D: published)"
        )
