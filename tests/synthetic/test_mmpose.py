"""The synthetic operating room as a data set of mmpose, in memory and cached."""

import numpy as np
import pytest

pytest.importorskip("mmpose")
from mmengine.registry import init_default_scope  # noqa: E402
from mmpose.registry import DATASETS  # noqa: E402

import orplugins  # noqa: E402, F401

PIPELINE = [
    dict(type="orplugins.LoadDepth"),
    dict(type="orplugins.DepthToInput", size=(64, 48)),
    dict(type="PackPoseInputs"),
]


def build(**options):
    init_default_scope("mmpose")
    room = dict(type="orplugins.SyntheticORDataset", frames=2, seed=5, size=(96, 72), views=1)
    return DATASETS.build({**room, **options})


def test_memory_and_cache_give_the_same_samples(tmp_path):
    memory, cached = build(pipeline=PIPELINE), build(pipeline=PIPELINE, cache_dir=str(tmp_path))
    assert len(memory) == len(cached) >= 1
    for a, b in zip(memory, cached, strict=True):
        assert a["inputs"].shape == (1, 48, 64)
        np.testing.assert_array_equal(a["inputs"].numpy(), b["inputs"].numpy())
    assert (tmp_path / "annotations/coco17.json").is_file()


def test_people_have_3d_and_identity():
    people = build(data_mode="topdown", test_mode=True)
    record = people.get_data_info(0)
    assert record["img"].dtype == np.uint16 and record["keypoints"].shape == (1, 17, 2)
    assert record["keypoints_3d"].shape == (1, 17, 3) and record["person_id"] >= 1
    assert 0.5 < record["keypoints_3d"][0, :, 2].mean() < 8


def test_colour():
    record = build(color=True, test_mode=True).get_data_info(0)
    assert record["img"].shape == (72, 96, 3) and record["img"].dtype == np.uint8


def test_impossible_rooms_are_refused():
    with pytest.raises(ValueError, match="found 200"):
        build(people=(0, 200))
