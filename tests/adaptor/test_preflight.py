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
from orplugins.adaptor.detectron2.preflight import check_data  # noqa: E402

NUMBERS = count()


@pytest.fixture
def cfg(tmp_path):
    """A config of an adaptation whose sets are there."""
    cfg, number = get_cfg(), next(NUMBERS)
    add_adaptor_config(cfg)
    file, folder = labelled_set(tmp_path, 2), pictures(tmp_path / "target", 2)
    cfg.ORPLUGINS.ADAPTOR.SETS = [f"preflight_s{number}={file},{tmp_path / 'images'}", f"preflight_t{number}={folder}"]
    cfg.MODEL.MASK_ON = cfg.MODEL.KEYPOINT_ON = cfg.UDA.ENABLE = cfg.MODEL.USE_SPLIT_GROUP_NORM = True
    cfg.UDA.TYPE, cfg.MODEL.ROI_HEADS.NUM_CLASSES = "uda_or", 1
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
    check_data(cfg)
    check_data(cfg, eval_only=True)
    cfg.UDA.ENABLE, cfg.DATASETS.TRAIN = False, cfg.DATASETS.TRAIN_LBL
    cfg.SOLVER.IMS_PER_BATCH_UNLBL = 3
    check_data(cfg)


def test_a_source_without_masks_is_refused_and_is_good_without_a_mask_head(cfg, tmp_path):
    change(tmp_path, segmentation=None)
    with pytest.raises(ValueError, match=r"have no 'segmentation', expected masks .*--masks.*, or MODEL.MASK_ON False"):
        check_data(cfg)
    cfg.MODEL.MASK_ON = False
    check_data(cfg)


def test_masks_of_some_people_only_are_refused(cfg, tmp_path):
    change(tmp_path, segmentation=None, first=1)
    with pytest.raises(ValueError, match="1 of 4 people have no 'segmentation', expected all or none"):
        check_data(cfg)


def test_a_source_without_joints_is_refused(cfg, tmp_path):
    change(tmp_path, keypoints=None, num_keypoints=None)
    with pytest.raises(ValueError, match="have no 'keypoints', expected joints"):
        check_data(cfg)


def test_an_empty_target_is_refused(cfg, tmp_path):
    for path in (tmp_path / "target").iterdir():
        path.unlink()
    with pytest.raises(ValueError, match="no picture"):
        check_data(cfg)
    check_data(cfg, eval_only=True)


def test_unreadable_target_pictures_are_refused(cfg, tmp_path):
    (tmp_path / "target/0.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"target/0.png"):
        check_data(cfg)


def test_missing_pictures_of_the_source_are_refused(cfg, tmp_path):
    (tmp_path / "images/2.png").unlink()
    with pytest.raises((ValueError, FileNotFoundError), match=r"2.png"):
        check_data(cfg)


def test_nobody_in_the_source_is_refused(cfg, tmp_path):
    change(tmp_path, iscrowd=1)
    with pytest.raises(ValueError, match="nobody is annotated"):
        check_data(cfg)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["SOLVER.IMS_PER_BATCH_UNLBL", 2], r"IMS_PER_BATCH_UNLBL: found 2, expected 4: .*twice IMS_PER_BATCH_LBL"),
        (["DATASETS.TRAIN_UNLBL", "()"], "DATASETS.TRAIN_UNLBL: is empty, expected sets of pictures"),
        (["DATASETS.TRAIN_LBL", "()"], "DATASETS.TRAIN_LBL: is empty, expected a set to train on"),
        (["DATASETS.TRAIN_LBL", "('unheard_of',)"], "DATASETS.TRAIN_LBL: 'unheard_of' is not registered"),
        (["UDA.TYPE", "ssl_coco"], "DATASETS.TRAIN: is empty"),
        (["ORPLUGINS.ADAPTOR.BATCHES", "other"], "ORPLUGINS.ADAPTOR.BATCHES: found 'other'"),
    ],
)
def test_keys_that_do_not_fit_are_refused(cfg, keys, message):
    cfg.merge_from_list(keys)
    with pytest.raises(ValueError, match=message):
        check_data(cfg)


def test_an_evaluation_needs_a_set(cfg):
    cfg.DATASETS.TEST = ()
    with pytest.raises(ValueError, match="DATASETS.TEST: is empty"):
        check_data(cfg, eval_only=True)
