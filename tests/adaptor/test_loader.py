"""Steps of two streams: what is in them, whom they are shared by, where they begin."""

from __future__ import annotations

import json
import random
from itertools import islice

import numpy as np
import pytest
from adaptor_sets import labelled_set, pictures

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")

from detectron2.config import get_cfg  # noqa: E402
from detectron2.utils import comm  # noqa: E402

from orplugins.adaptor.detectron2.config import add_adaptor_config  # noqa: E402
from orplugins.adaptor.detectron2.datasets import register_labelled, register_pictures  # noqa: E402
from orplugins.adaptor.detectron2.loader import build_adaptor_train_loader, training_records  # noqa: E402


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("loader")
    for number, size in enumerate([(96, 64), (64, 96)]):
        place = folder / f"source{number}"
        register_labelled(f"adaptor_source{number}", labelled_set(place, 5, size=size), place / "images")
    register_pictures("adaptor_target", pictures(folder / "wide", 7))
    return folder


@pytest.fixture
def cfg(files):
    cfg = get_cfg()
    add_adaptor_config(cfg)
    cfg.MODEL.MASK_ON = cfg.MODEL.KEYPOINT_ON = True
    cfg.INPUT.MASK_FORMAT, cfg.INPUT.FORMAT = "bitmask", "RGB"
    cfg.INPUT.MIN_SIZE_TRAIN, cfg.UDA.TYPE, cfg.SEED = (48, 64), "uda_or", 3
    cfg.UDA.APPLY_RAND_AUGMENT = cfg.UDA.APPLY_GEOMETRIC_TRANSFORM = cfg.UDA.APPLY_LOW_RES_RESIZE = True
    cfg.DATASETS.TRAIN_LBL, cfg.DATASETS.TRAIN_UNLBL = ("adaptor_source0", "adaptor_source1"), ("adaptor_target",)
    cfg.SOLVER.IMS_PER_BATCH_LBL, cfg.SOLVER.IMS_PER_BATCH_UNLBL = 2, 3
    cfg.DATALOADER.NUM_WORKERS, cfg.DATALOADER.ASPECT_RATIO_GROUPING = 0, True
    return cfg


def names(step) -> list[list[str]]:
    return [[record["file_name"] for record in part] for part in step]


@pytest.mark.parametrize("rule", ["kept", "published"])
def test_a_step_has_both_streams_in_two_views(cfg, rule):
    cfg.ORPLUGINS.ADAPTOR.BATCHES = rule
    loader = build_adaptor_train_loader(cfg)
    assert loader.unlabelled == 7
    for step in islice(loader, 20):
        assert [len(part) for part in step] == [2, 2, 3, 3]
        found = names(step)
        assert found[0] == found[1] and found[2] == found[3]
        assert all("source" in name for name in found[0]) and all("wide" in name for name in found[2])
        assert all("instances" in record for record in step[0] + step[1])
        assert not any("instances" in record for record in step[2] + step[3])
        assert len({record["width"] > record["height"] for record in step[0]}) == 1
        assert {record["low_resolution"] for record in step[0]} == {(1.0, 4.0)}
        assert {record["low_resolution"] for record in step[2]} == {(1.0, 12.0)}


def test_labelled_sets_are_read_evenly_and_every_target_picture_is_seen(cfg):
    steps = list(islice(build_adaptor_train_loader(cfg), 35))
    seen = [name for step in steps for name in names(step)[2]]
    assert {seen.count(name) for name in set(seen)} == {15} and len(set(seen)) == 7
    assert len({name for step in steps for name in names(step)[0]}) == 10


def test_steps_that_are_left_out_are_those_of_an_unbroken_run(cfg):
    def steps(skip: int, wanted: int) -> list:
        loader = build_adaptor_train_loader(cfg)
        loader.skip = skip
        out, made = [], iter(loader)
        for number in range(skip, skip + wanted):
            random.seed(number)  # as the trainer does
            np.random.seed(number)
            out.append(next(made))
        return out

    whole, end = steps(0, 6), steps(4, 2)
    for one, other in zip(whole[4:], end, strict=True):
        for part, same in zip(one, other, strict=True):
            for record, again in zip(part, same, strict=True):
                assert record["file_name"] == again["file_name"]
                torch.testing.assert_close(record["image"], again["image"])


def test_processes_share_a_pass(cfg, monkeypatch):
    cfg.SOLVER.IMS_PER_BATCH_LBL, cfg.SOLVER.IMS_PER_BATCH_UNLBL = 2, 4
    cfg.DATASETS.TRAIN_LBL = ("adaptor_source0",)
    alone = [sorted(name for name in names(step)[2]) for step in islice(build_adaptor_train_loader(cfg), 10)]
    monkeypatch.setattr(comm, "get_world_size", lambda: 2)
    shares = []
    for rank in range(2):
        monkeypatch.setattr(comm, "get_rank", lambda rank=rank: rank)
        shares.append([names(step)[2] for step in islice(build_adaptor_train_loader(cfg), 10)])
    assert [sorted(one + other) for one, other in zip(*shares, strict=True)] == alone
    cfg.SOLVER.IMS_PER_BATCH_LBL = 3
    with pytest.raises(ValueError, match="IMS_PER_BATCH_LBL: found 3, expected a multiple of 2"):
        build_adaptor_train_loader(cfg)


def test_workers_give_the_same_steps(cfg):
    first = [names(step) for step in islice(build_adaptor_train_loader(cfg), 5)]
    cfg.DATALOADER.NUM_WORKERS = 2
    assert [names(step) for step in islice(build_adaptor_train_loader(cfg), 5)] == first


@pytest.mark.parametrize("sampler", ["RepeatFactorTrainingSampler", "WeightedTrainingSampler"])
def test_other_samplers(cfg, sampler):
    cfg.DATALOADER.SAMPLER_TRAIN = sampler
    cfg.DATASETS.WEIGHTED_TRAINING_SAMPLING_WEIGHTS_LBL = (1.0, 9.0)
    seen = [name for step in islice(build_adaptor_train_loader(cfg), 60) for name in names(step)[0]]
    second = sum("source1" in name for name in seen) / len(seen)
    assert (second > 0.75) if sampler.startswith("Weighted") else (0.3 < second < 0.7)


def test_shares_of_one_set(cfg, tmp_path):
    cfg.UDA.TYPE, cfg.DATASETS.TRAIN = "ssl_coco", ("adaptor_source0", "adaptor_source1")
    cfg.DATALOADER.SUP_PERCENT, cfg.DATALOADER.RANDOM_DATA_SEED = 30.0, 1
    with pytest.raises(FileNotFoundError, match="COCO_supervision.txt: no such file"):
        training_records(cfg)
    cfg.DATALOADER.RANDOM_DATA_SEED_PATH = ""
    labelled, unlabelled = training_records(cfg)
    assert len(labelled) == 3 and len(unlabelled) == 7
    (tmp_path / "list.txt").write_text(json.dumps({"30.0": {"1": [0, 9, 200]}}))
    cfg.DATALOADER.RANDOM_DATA_SEED_PATH = str(tmp_path / "list.txt")
    labelled, unlabelled = training_records(cfg)
    assert [record["dataset"] for record in labelled] == ["adaptor_source0", "adaptor_source1"]
    assert len(unlabelled) == 8


def test_a_target_with_labels_is_used_without_them(cfg):
    cfg.DATASETS.TRAIN_UNLBL = ("adaptor_source1",)
    assert all("annotations" not in record for record in training_records(cfg)[1])


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["UDA.TYPE", "other"], "UDA.TYPE: found 'other', expected 'ssl_coco' or 'uda_or'"),
        (["DATASETS.TRAIN_UNLBL", "()"], "DATASETS.TRAIN_UNLBL: is empty"),
        (["DATASETS.TRAIN_LBL", "()", "MODEL.KEYPOINT_ON", False], "DATASETS.TRAIN_LBL: is empty"),
        (["DATALOADER.ASPECT_RATIO_GROUPING", False], "ASPECT_RATIO_GROUPING: found False, expected True"),
        (["DATALOADER.SAMPLER_TRAIN", "Other"], "SAMPLER_TRAIN: found 'Other', expected TrainingSampler"),
        (["SOLVER.IMS_PER_BATCH_UNLBL", 0], "IMS_PER_BATCH_UNLBL: found 0"),
    ],
)
def test_bad_keys_are_refused(cfg, keys, message):
    cfg.merge_from_list(keys)
    with pytest.raises(ValueError, match=message):
        build_adaptor_train_loader(cfg)
