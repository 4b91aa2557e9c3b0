"""What is refused before a network is built."""

from __future__ import annotations

import json
from itertools import count

import pytest
from adaptor_sets import labelled_set, pictures

pytest.importorskip("detectron2")

from detectron2.config import get_cfg  # noqa: E402

from orplugins.adaptor.detectron2.config import add_adaptor_config  # noqa: E402
from orplugins.adaptor.detectron2.datasets import register_from_config  # noqa: E402
from orplugins.adaptor.detectron2.preflight import check_before  # noqa: E402

NUMBERS = count()


@pytest.fixture
def cfg(tmp_path):
    """A config of an adaptation whose sets are there."""
    cfg, number = get_cfg(), next(NUMBERS)
    add_adaptor_config(cfg)
    file, folder = labelled_set(tmp_path, 2), pictures(tmp_path / "target", 2)
    cfg.ORPLUGINS.ADAPTOR.SETS = [f"preflight_s{number}={file},{tmp_path / 'images'}", f"preflight_t{number}={folder}"]
    cfg.MODEL.MASK_ON = cfg.MODEL.KEYPOINT_ON = cfg.UDA.ENABLE = cfg.MODEL.USE_SPLIT_GROUP_NORM = True
    cfg.MODEL.META_ARCHITECTURE, cfg.MODEL.RESNETS.NORM = "GeneralizedRCNNSplitGN", "GN"
    cfg.UDA.TYPE, cfg.UDA.TRAIN_SUP_ITER, cfg.SOLVER.USE_EMA = "uda_or", 1, True
    cfg.MODEL.ROI_HEADS.NUM_CLASSES, cfg.OUTPUT_DIR = 1, str(tmp_path / "out")
    cfg.SOLVER.IMS_PER_BATCH_LBL, cfg.SOLVER.IMS_PER_BATCH_UNLBL = 2, 4
    source, target = register_from_config(cfg)
    cfg.DATASETS.TRAIN_LBL, cfg.DATASETS.TRAIN_UNLBL, cfg.DATASETS.TEST = (source,), (target,), (source,)
    return cfg


def change(tmp_path, **fields) -> None:
    content = json.loads((tmp_path / "people.json").read_text())
    for person in content["annotations"][: fields.pop("first", None)]:
        for key, value in fields.items():
            person.pop(key) if value is None else person.update({key: value})
    (tmp_path / "people.json").write_text(json.dumps(content))


def test_sets_that_fit_pass(cfg):
    check_before(cfg, False)
    cfg.UDA.ENABLE, cfg.DATASETS.TRAIN = False, cfg.DATASETS.TRAIN_LBL
    cfg.SOLVER.IMS_PER_BATCH_UNLBL = 3  # not read: nothing is adapted
    check_before(cfg, False)


def test_a_source_without_masks_is_refused_and_is_good_without_a_mask_head(cfg, tmp_path):
    change(tmp_path, segmentation=None)
    with pytest.raises(ValueError, match="4 of 4 annotations have no 'segmentation', which MODEL.MASK_ON needs"):
        check_before(cfg, False)
    cfg.MODEL.MASK_ON = False
    check_before(cfg, False)


def test_masks_of_some_people_only_are_refused(cfg, tmp_path):
    change(tmp_path, segmentation=None, first=1)
    with pytest.raises(ValueError, match="1 of 4 annotations have no 'segmentation'"):
        check_before(cfg, False)


def test_a_source_without_joints_is_refused(cfg, tmp_path):
    change(tmp_path, keypoints=None, num_keypoints=None)
    with pytest.raises(ValueError, match="annotations have no 'keypoints', which MODEL.KEYPOINT_ON needs"):
        check_before(cfg, False)


def test_an_empty_target_is_refused(cfg, tmp_path):
    for path in (tmp_path / "target").iterdir():
        path.unlink()
    with pytest.raises(ValueError, match="no picture"):
        check_before(cfg, False)


def test_unreadable_target_pictures_are_refused(cfg, tmp_path):
    (tmp_path / "target/0.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"target/0.png"):
        check_before(cfg, False)


def test_missing_pictures_of_the_source_are_refused(cfg, tmp_path):
    (tmp_path / "images/2.png").unlink()
    with pytest.raises((ValueError, FileNotFoundError), match=r"2.png"):
        check_before(cfg, False)


def test_nobody_in_the_source_is_refused(cfg, tmp_path):
    change(tmp_path, iscrowd=1)
    with pytest.raises(ValueError, match="nobody is annotated"):
        check_before(cfg, False)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["SOLVER.IMS_PER_BATCH_UNLBL", 2], "IMS_PER_BATCH_UNLBL: found 2 with IMS_PER_BATCH_LBL 2, expected 4"),
        (["DATASETS.TRAIN_UNLBL", "()"], "DATASETS.TRAIN_UNLBL: is empty, expected sets of pictures"),
        (["DATASETS.TRAIN_LBL", "()"], "DATASETS.TRAIN_LBL: is empty, expected sets with labels"),
        (["DATASETS.TRAIN_LBL", "('unheard_of',)"], "'unheard_of': is not registered"),
        (["UDA.TYPE", "ssl_coco"], "DATASETS.TRAIN: is empty"),
        (["ORPLUGINS.ADAPTOR.BATCHES", "other"], "ORPLUGINS.ADAPTOR.BATCHES: found 'other'"),
    ],
)
def test_keys_that_do_not_fit_are_refused(cfg, keys, message):
    cfg.merge_from_list(keys)
    with pytest.raises(ValueError, match=message):
        check_before(cfg, False)
