"""Our keys in detectron2's YAML configs."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from detectron2.config import CfgNode

from orplugins.hosts.detectron2.components import CONFIG_KEYS
from orplugins.skeletons import CAMMA_10, COCO_17
from orplugins.viz.overlay import COCO_LETTERS, COLOURS


def add_orplugins_config(cfg: CfgNode) -> None:
    """Add our keys to a config, in place; those that are there already stay as they are.

    No key of detectron2's own is changed. A method's keys are below ``cfg.ORPLUGINS.<METHOD>``; those that a published
    configuration names are where it has them (ORPose-Color: ``MODEL.KEYPOINT3D_ON``, ``MODEL.ROI_KEYPOINTS3D_HEAD`` and
    some of ``DATASETS``; AdaptOR: ``UDA`` and some others). A config file that sets an unknown key is refused.

    Args:
        cfg: What ``detectron2.config.get_cfg()`` returned, before a file is merged into it.
    """
    _add_shared_and_orpose_color(cfg)
    for module, function in CONFIG_KEYS:
        getattr(importlib.import_module(module), function)(cfg)


def add_keypoints3d_config(cfg: CfgNode) -> None:
    """Do what ORPose-Color's function of this name does: add its keys, and set three of detectron2's own.

    Args:
        cfg: What ``detectron2.config.get_cfg()`` returned, changed in place.
    """
    _add_shared_and_orpose_color(cfg)
    cfg.MODEL.ROI_HEADS.NUM_CLASSES = 1
    cfg.MODEL.ROI_BOX_HEAD.SMOOTH_L1_BETA = 0.5
    cfg.MODEL.RPN.POST_NMS_TOPK_TRAIN = 1500


def add_keys(cfg: CfgNode, keys: Mapping[str, Any]) -> None:
    """Add keys to a config, in place; those that are there already stay as they are.

    Args:
        cfg: The config.
        keys: Default values by dotted name.
    """
    for name, value in keys.items():
        *nodes, leaf = name.split(".")
        node = cfg
        for part in nodes:
            if part not in node:
                node[part] = CfgNode()
            node = node[part]
        if leaf not in node:
            node[leaf] = value


def _add_shared_and_orpose_color(cfg: CfgNode) -> None:
    add_keys(cfg, _orpose_color())
    # Of build_timm_fpn_backbone. PRETRAINED "imagenet" is for starting a training: weights that are loaded need it not.
    timm = {"NAME": "", "STRIDES": [4, 8, 16, 32], "PRETRAINED": "", "FROZEN": [], "FIXED_STATISTICS": False}
    add_keys(cfg, {f"ORPLUGINS.TIMM.{key}": value for key, value in timm.items()})


def _orpose_color() -> dict:
    head, data, ours = "MODEL.ROI_KEYPOINTS3D_HEAD.", "DATASETS.", "ORPLUGINS.ORPOSE_COLOR."
    pairs = [(COCO_17.joints[left], COCO_17.joints[right]) for left, right in COCO_17.flip_pairs]
    return {
        "MODEL.KEYPOINT3D_ON": True,
        head + "NAME": "StandardKeypoints3DHead",
        head + "NUM_CLASSES": 2,  # read by nothing, as in the release; so are MIN_KEYPOINTS_PER_IMAGE and .._HARD
        head + "POOLER_RESOLUTION": 14,
        head + "POOLER_SAMPLING_RATIO": 0,
        head + "POOLER_TYPE": "ROIAlignV2",
        head + "CONV_DIMS": (512,) * 8,
        head + "NUM_KEYPOINTS": COCO_17.num_joints,
        head + "MIN_KEYPOINTS_PER_IMAGE": 1,
        head + "NORMALIZE_LOSS_BY_VISIBLE_KEYPOINTS": True,
        head + "LOSS_WEIGHT_2DKEYPOINTS": 1.0,  # of the hard branch
        head + "LOSS_WEIGHT_2DKEYPOINTS_HARD": 0.0,
        head + "LOSS_WEIGHT_2DKEYPOINTS_SOFT": 0.0,
        head + "LOSS_WEIGHT_3D_HARD": 0.0,
        head + "LOSS_WEIGHT_3D_SOFT": 0.0,
        data + "H36_STATS_PATH": "",
        **{f"{data}{part}_SET_{key}": "" for part in ("TRAIN", "TEST") for key in ("NAME", "JSON", "IMGDIR")},
        data + "NUM_KEYPOINTS_CAMMA3D": CAMMA_10.num_joints,
        data + "DOWN_SAMPLING": False,
        data + "FIX_DOWN_SAMPLING": True,
        data + "DOWN_SAMPLING_FIX_SCALE": 1.0,
        data + "DOWN_SAMPLING_TEST_SCALE": 12.0,
        data + "DOWN_SAMPLING_METHOD": "bilinear",
        data + "BONE_LENGTHS_FILE": "",
        data + "KEYPOINTS_NAMES": list(COCO_17.joints),
        data + "KEYPOINTS_FLIP_MAP": pairs,
        data + "KEYPOINTS_SKELTON_MAP": [list(limb) for limb in COCO_17.limbs],
        data + "SKELTON_COLORS": list(COCO_LETTERS),
        data + "SKELTON_COLORS_TRIPLET": [(letter, list(bgr)) for letter, bgr in COLOURS.items()],
        "TEST.EVAL_3D": False,
        # Ours. `published` is the release's behaviour.
        ours + "DECODE": "batched",
        ours + "LOSSES": "guarded",
        ours + "FLIP_3D": "mirrored",
        ours + "MPJPE": "published",
        ours + "BRANCHES": "both",
        ours + "OPTIMIZER": "sgd",
        ours + "LIFTER_WIDTH": 1024,
        ours + "LIFTER_DROPOUT": 0.5,
        ours + "STORE_STATISTICS": False,
        ours + "LEAST_SCORE": 0.5,
        ours + "COLOUR_CHANGES": 0.0,
        ours + "TRUNK_RATE": 1.0,
    }
