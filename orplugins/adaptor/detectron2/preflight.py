"""What is checked before a network is built: the rules of a batch, the teacher's options, sets and their labels."""

from __future__ import annotations

from pathlib import Path

from detectron2.config import CfgNode
from detectron2.utils import comm

from orplugins.adaptor.detectron2.config import check_choices
from orplugins.hosts.detectron2.registered_sets import read_records
from orplugins.io.check_weights import check_weights
from orplugins.io.files import read_text
from orplugins.io.run_folder import require_writable

TYPES = ("ssl_coco", "uda_or")
SPLIT_NETWORK = "GeneralizedRCNNSplitGN"
# What a head needs in every annotation: key of the config -> field.
_NEEDS = {"MASK_ON": "segmentation", "KEYPOINT_ON": "keypoints"}


def check_before(cfg: CfgNode, eval_only: bool, resume: bool = False) -> None:
    """Check what a run will need.

    Args:
        cfg: The config, with its sets registered.
        eval_only: Nothing is trained.
        resume: Weights are those of the output folder's last checkpoint, if it has one.

    Raises:
        FileNotFoundError: A file is missing.
        OSError: The output folder cannot be written to.
        ValueError: A rule is broken, or sets, their labels or the weights do not fit; one line says which.
    """
    check_choices(cfg)
    check_split(cfg)
    require_writable(cfg.OUTPUT_DIR)
    last, weights = Path(cfg.OUTPUT_DIR) / "last_checkpoint", cfg.MODEL.WEIGHTS
    going_on = resume and last.is_file()
    if going_on:
        check_weights(last.parent / read_text(last, "the name of a checkpoint").strip())
    elif weights and "://" not in weights:
        check_weights(weights if Path(weights).exists() else weights.partition("?")[0])
    if eval_only:
        if not weights and not going_on:
            raise ValueError("MODEL.WEIGHTS: is empty, expected the checkpoint that is to be evaluated")
        if not cfg.DATASETS.TEST:
            raise ValueError("DATASETS.TEST: is empty, expected a set to evaluate on")
    for name in cfg.DATASETS.TEST:
        _records(name)
    if eval_only:
        return
    if cfg.UDA.ENABLE:
        check_mutual(cfg)
        if not weights and not going_on and not cfg.UDA.TRAIN_SUP_ITER:
            raise ValueError(
                "MODEL.WEIGHTS: is empty, expected those of a network that the source has taught: with "
                "UDA.TRAIN_SUP_ITER 0 its answers are labels from the first step on"
            )
    adapting = cfg.UDA.ENABLE and cfg.UDA.TYPE == "uda_or"
    key = "TRAIN_LBL" if adapting else "TRAIN"
    if not cfg.DATASETS[key]:
        raise ValueError(f"DATASETS.{key}: is empty, expected sets with labels")
    for name in cfg.DATASETS[key]:
        _check_labels(name, _records(name), cfg)
    if adapting:
        if not cfg.DATASETS.TRAIN_UNLBL:
            raise ValueError("DATASETS.TRAIN_UNLBL: is empty, expected sets of pictures without labels")
        for name in cfg.DATASETS.TRAIN_UNLBL:
            _records(name)


def check_split(cfg: CfgNode) -> None:
    """Check that split normalisation has the network, the norms and the batch that it needs.

    Args:
        cfg: The config.

    Raises:
        ValueError: It has not.
    """
    model, solver = cfg.MODEL, cfg.SOLVER
    if not model.USE_SPLIT_GROUP_NORM:
        return
    if model.META_ARCHITECTURE != SPLIT_NETWORK:
        raise ValueError(
            f"MODEL.META_ARCHITECTURE: found {model.META_ARCHITECTURE}, expected {SPLIT_NETWORK} with "
            "USE_SPLIT_GROUP_NORM True"
        )
    if model.RESNETS.NORM != "GN" and model.FPN.NORM != "GN":
        raise ValueError(
            f"MODEL.RESNETS.NORM: found {model.RESNETS.NORM!r}, and FPN.NORM {model.FPN.NORM!r}, expected 'GN' with "
            "USE_SPLIT_GROUP_NORM True: only group norms are split"
        )
    if cfg.UDA.ENABLE and solver.IMS_PER_BATCH_UNLBL != 2 * solver.IMS_PER_BATCH_LBL:
        raise ValueError(
            f"SOLVER.IMS_PER_BATCH_UNLBL: found {solver.IMS_PER_BATCH_UNLBL} with IMS_PER_BATCH_LBL "
            f"{solver.IMS_PER_BATCH_LBL}, expected {2 * solver.IMS_PER_BATCH_LBL}: split norms cut a batch into "
            "halves, two views of every labelled picture and the strong view of every unlabelled one"
        )


def check_mutual(cfg: CfgNode) -> None:
    """Check the rules of a training with a teacher.

    Args:
        cfg: The config.

    Raises:
        ValueError: One is broken.
    """
    uda, solver, processes = cfg.UDA, cfg.SOLVER, comm.get_world_size()
    if uda.TYPE not in TYPES:
        raise ValueError(f"UDA.TYPE: found {uda.TYPE!r}, expected one of {', '.join(TYPES)}")
    if not solver.USE_EMA:
        raise ValueError("SOLVER.USE_EMA: found False, expected True with UDA.ENABLE: the teacher is a moving average")
    for key in ("IMS_PER_BATCH_LBL", "IMS_PER_BATCH_UNLBL"):
        if solver[key] < 1 or solver[key] % processes:
            raise ValueError(f"SOLVER.{key}: found {solver[key]}, expected a multiple of {processes}, the processes")
    for key in ("EMA_DECAY", "EMA_DECAY_SUP"):
        if not 0 <= solver[key] <= 1:
            raise ValueError(f"SOLVER.{key}: found {solver[key]}, expected 0 to 1")
    if solver.EMA_UPDATE_PERIOD < 1:
        raise ValueError(f"SOLVER.EMA_UPDATE_PERIOD: found {solver.EMA_UPDATE_PERIOD}, expected 1 or more")
    for key in ("BBOX_THRESHOLD", "MASK_THRESHOLD"):
        if not 0 <= uda[key] < 1:
            raise ValueError(f"UDA.{key}: found {uda[key]}, expected 0 to below 1")


def _records(name: str) -> list[dict]:
    return read_records(name, "one of detectron2's or of ORPLUGINS.ADAPTOR.SETS")


def _check_labels(name: str, records: list[dict], cfg: CfgNode) -> None:
    people = [person for record in records for person in record.get("annotations", ()) if not person.get("iscrowd", 0)]
    if not people:
        raise ValueError(f"data set {name!r}: nobody is annotated, expected people to learn from")
    for key, label in _NEEDS.items():
        without = sum(not person.get(label) for person in people) if cfg.MODEL[key] else 0
        if without:
            raise ValueError(
                f"data set {name!r}: {without} of {len(people)} annotations have no '{label}', which MODEL.{key} needs "
                f"(or MODEL.{key} False)"
            )
