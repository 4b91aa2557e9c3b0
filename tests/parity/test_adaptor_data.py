"""AdaptOR's views, mapper, batches and merged joints: the published numbers, with the generators' positions."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from itertools import islice

import numpy as np
import pytest
from cases import case_arrays, params, parity_cases
from PIL import Image

from orplugins.adaptor import augment

SYSTEM = "adaptor"


def cases(wanted: Callable[[dict], bool]) -> list:
    """Parameters of the cases that hold what is wanted."""
    return params([(name, (path, data)) for name, path, data in parity_cases(SYSTEM) if wanted(data)], SYSTEM)


def with_views(data: dict) -> bool:
    return "policies" in data


def with_merged_joints(data: dict) -> bool:
    found = data.get("cases")
    return isinstance(found, dict) and all("versions" in each for each in found.values())


def seeded(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)


def assert_pixels(found: np.ndarray, expected: np.ndarray) -> None:
    """Equal; another Pillow may round differently, by one grey level."""
    assert found.shape == expected.shape and found.dtype == expected.dtype
    np.testing.assert_allclose(found.astype(int), expected.astype(int), atol=1)
    assert (found != expected).mean() < 0.01


def assert_generators(case: dict) -> None:
    """The next numbers of the generators are those of the release: as many were drawn."""
    for name, value in case.items():
        if name.replace("()", "") == "next random.random":
            assert random.random() == value
        elif name.replace("()", "") == "next numpy.random.random":
            assert np.random.random() == value


@pytest.mark.parametrize("case", cases(with_views))
def test_operations_and_magnitudes(case):
    path, data = case
    arrays = case_arrays(path, data)
    for name in data["ops"]:
        for sign, word in ((1, "plus"), (-1, "minus")):
            expected = arrays.get(f"op_{name}_{word}")
            if expected is None:
                continue
            for magnitude in augment.MAGNITUDES:
                assert_pixels(
                    augment.apply_operation(arrays["picture"], name, magnitude, sign), expected[magnitude - 1]
                )
    policies = data["policies"]
    assert list(augment.OPERATIONS) == policies["operations"] and len(augment.SINGLE) ** 2 == policies["count"]
    for index, key in ((0, "first"), (policies["count"] - 1, "last")):
        assert [[augment.PROBABILITY, *each] for each in augment.policy(index)] == policies[key]


@pytest.mark.parametrize("case", cases(with_views))
def test_random_pairs_and_holes(case):
    path, data = case
    arrays = case_arrays(path, data)
    for each in data["sequence"]:
        name, seed = each["case"], next(value for key, value in each.items() if key.startswith("random.seed"))
        seeded(seed)
        if name.startswith("cutout"):
            expected = arrays[name]
            found = augment.random_augment(arrays["cutout_picture"], True)
            assert int((found == (125, 122, 113)).all(-1).sum()) == each["pixels (125,122,113)"]
        else:
            expected, found = arrays[name], augment.random_pair(arrays["picture"])
            assert (not np.array_equal(found, arrays["picture"])) == each["changed"]
        assert_pixels(found, expected)
        assert_generators(each)


@pytest.mark.parametrize("case", cases(with_views))
def test_low_resolution(case):
    path, data = case
    arrays = case_arrays(path, data)
    for each in data["lowres"]:
        kind = each["case"].removeprefix("lowres_").rpartition("_")[0]
        place = {"tum_or": "TUM_OR", "gen": "elsewhere"}.get(kind, kind)
        factors = augment.factors_of_path(f"/data/{place}/a.png")
        seeded(each["random.seed"])
        assert random.uniform(*factors) == each["factor"]
        seeded(each["random.seed"])
        assert_pixels(augment.random_low_resolution(arrays["cutout_picture"], factors), arrays[each["case"]])


@pytest.mark.parametrize("case", cases(with_merged_joints))
def test_merged_joints(case):
    pytest.importorskip("detectron2")
    from detectron2.data import transforms as T

    from orplugins.adaptor.detectron2.tta import merge_keypoints

    path, data = case
    arrays = case_arrays(path, data)
    for name, each in data["cases"].items():
        height, width = each["picture_hw"]
        transforms, versions = [], []
        for number, version in enumerate(each["versions"]):
            h, w = version["resized_to_hw"]
            steps = [T.ResizeTransform(height, width, h, w), *([T.HFlipTransform(w)] if version["flipped"] else [])]
            transforms.append(T.TransformList(steps))
            joints = arrays[f"{name}_in_{number}"].astype(np.float64)  # stored in pixels of the picture
            joints[..., :2] = transforms[-1].apply_coords(joints[..., :2].reshape(-1, 2)).reshape(*joints.shape[:2], 2)
            versions.append(joints)
        np.testing.assert_allclose(merge_keypoints(versions, transforms), arrays[f"{name}_out"], atol=1e-3)


@pytest.mark.parametrize("case", cases(lambda data: "grouping" in data))
def test_batches_of_two_streams(case):
    from orplugins.adaptor.pairing import RULES

    for each in case[1]["grouping"].values():
        streams = [
            [(number, *size) for number, size in enumerate(each[f"{kind}_width_height"])]
            for kind in ("labelled", "unlabelled")
        ]
        batches = RULES["published"](*map(iter, streams), each["batch_size"], lambda record: record[1] > record[2])
        found = [[[record[0] for record in part] for part in batch] for batch in batches]
        assert found == each["batches (labelled ids, unlabelled ids)"]


@pytest.mark.parametrize("case", cases(lambda data: "weighted" in data))
def test_weighted_order(case):
    pytest.importorskip("torch")
    from orplugins.adaptor.splits import weighted_order

    for each in case[1]["weighted"]:
        order = weighted_order(each["weights"], each["seed"], each["replacement"])
        expected = each["first_three_passes"]
        assert list(islice(order, len(expected))) == expected


@pytest.mark.parametrize("case", cases(lambda data: "split" in data and "grouping" in data))
def test_splits_by_a_list_of_positions(case, tmp_path):
    from orplugins.adaptor.splits import split_by_file

    for seed, each in case[1]["split"].items():
        file = tmp_path / f"{seed}.json"
        file.write_text(json.dumps(each["file"]))
        for percent in each["file"]:
            found = split_by_file(each["records"], float(percent), int(seed), file)
            assert found == (each["labelled"], each["unlabelled"])


def config(options: dict):
    """The stock config with AdaptOR's keys, as the published training has its mapper, and a case's own."""
    from detectron2.config import get_cfg

    from orplugins.adaptor.detectron2.config import add_adaptor_config

    cfg = get_cfg()
    add_adaptor_config(cfg)
    cfg.MODEL.MASK_ON = cfg.MODEL.KEYPOINT_ON = True
    cfg.INPUT.FORMAT = "RGB"
    cfg.UDA.APPLY_RAND_AUGMENT = cfg.UDA.APPLY_GEOMETRIC_TRANSFORM = True
    cfg.UDA.RANDOM_AUGMENT_THRESH1, cfg.UDA.RANDOM_AUGMENT_THRESH2 = 0.95, 0.05
    cfg.DATASETS.TRAIN_LBL = ("adaptor_parity",)
    cfg.merge_from_list([word for pair in options.items() for word in pair])
    return cfg


@pytest.mark.parametrize("case", cases(lambda data: "pictures" in data))
def test_two_views(case, tmp_path):
    pytest.importorskip("detectron2")
    from orplugins.adaptor.detectron2.datasets import register_labelled
    from orplugins.adaptor.detectron2.mapper import TwoViewMapper

    path, data = case
    arrays = case_arrays(path, data)
    register_labelled("adaptor_parity", "none.json", "")  # read by nobody: its order of joints is what counts
    for place in data["pictures"]:
        (tmp_path / place).parent.mkdir(parents=True)
        Image.fromarray(arrays[f"picture_{place.partition('/')[0]}"]).save(tmp_path / place)
    for each in data["cases"]:
        picture = data["pictures"][each["picture"]]
        file = str(tmp_path / each["picture"])
        record = {**picture, "file_name": file, "image_id": 1}
        if "weak" not in each:  # a target's record
            del record["annotations"]
        mapper = TwoViewMapper(config(each["config"]))
        seeded(each["seed"])
        views = mapper(record)
        assert_generators(each)
        for kind, view in zip(("weak", "strong"), views, strict=True):
            assert view["flip_enable"] == each["flip_enable"]
            assert_pixels(view["image"].numpy(), arrays[f"{each['case']}_{kind}"])
            assert ("instances" in view) == (kind in each)
            if kind not in each:
                continue
            expected, found = each[kind], view["instances"]
            np.testing.assert_allclose(found.gt_boxes.tensor.numpy(), expected["boxes"], atol=1e-3)
            np.testing.assert_allclose(found.gt_keypoints.tensor.numpy(), expected["keypoints"], atol=1e-3)
            assert found.gt_classes.tolist() == expected["classes"]
            for polygons, wanted in zip(found.gt_masks.polygons, expected["polygons"], strict=True):
                for one, other in zip(polygons, wanted, strict=True):
                    np.testing.assert_allclose(one, other, atol=1e-3)
