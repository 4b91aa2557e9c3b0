"""ORPose-Color's joint maps, drawing, MPJPE evaluator, registration and mapper."""

from __future__ import annotations

import hashlib
import json
import re

import numpy as np
import orpose_color as oc
import pytest
from cases import case_arrays

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")

from detectron2.data import DatasetCatalog, MetadataCatalog  # noqa: E402
from detectron2.structures import Boxes, Instances, Keypoints  # noqa: E402
from PIL import Image  # noqa: E402

from orplugins.mvor.camma import coco_to_camma  # noqa: E402
from orplugins.orpose_color.detectron2.datasets import register_from_config  # noqa: E402
from orplugins.orpose_color.detectron2.evaluators import LiftedPoseEvaluator  # noqa: E402
from orplugins.orpose_color.detectron2.mapper import LowResolution, MVORDatasetMapper, random_factor  # noqa: E402
from orplugins.orpose_color.lifting import H36_TO_CAMMA, coco_to_h36, coco_to_h36_present, kept_rows  # noqa: E402
from orplugins.orpose_color.statistics import load_statistics  # noqa: E402
from orplugins.skeletons import COCO_17  # noqa: E402
from orplugins.viz.overlay import draw_pose  # noqa: E402


@pytest.mark.parametrize("case", oc.cases("arrays.h36_head", "arrays.camma_10"))
def test_joint_maps_and_drawing(case):
    path, data = case
    arrays, statistics = case_arrays(path, data), load_statistics(oc.statistics_path())
    coco = arrays["coco"]
    exact = dict(rtol=0, atol=1e-9)
    np.testing.assert_allclose(coco_to_h36_present(coco), arrays["h36_visual"], **exact)
    np.testing.assert_allclose(coco_to_camma(coco, presence="score"), arrays["camma_visual"], **exact)
    np.testing.assert_allclose(coco_to_h36(coco), arrays["h36_head"], **exact)
    poses = statistics.pose(arrays["normalised_3d"])
    np.testing.assert_allclose(statistics.unnormalise(arrays["normalised_3d"]), arrays["unnormalised_96"], atol=1e-3)
    np.testing.assert_allclose(poses, arrays["h36_17"], atol=1e-3)
    np.testing.assert_allclose(poses[:, H36_TO_CAMMA], arrays["camma_10"], atol=1e-3)
    styles = [name[5:] for name in arrays if name.startswith("draw_") and not name.endswith("_keypoints")]
    box = [float(v) for v in re.search(r"box \[([\d., ]+)\]", data["arrays"]["draw_*"])[1].split(",")]
    for style in styles:
        expected = arrays[f"draw_{style}"]
        image = np.full_like(expected, 40)
        draw_pose(image, arrays[f"draw_{style}_keypoints"], style, box)
        np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("case", oc.cases("lifter_rows", "cases"))
def test_which_lifter_rows_are_kept(case):
    path, data = case
    for kind, expected in data["lifter_rows"].items():
        rows = case_arrays(path, data)[f"gt_keypoints2d_{kind}"]
        np.testing.assert_array_equal(kept_rows(rows), expected["kept"])


@pytest.mark.parametrize("case", oc.cases("images", "selected_average"))
def test_mpjpe_evaluator(case):
    path, data = case
    arrays = case_arrays(path, data)
    evaluator = LiftedPoseEvaluator("none", distributed=False, statistics=oc.statistics_path())
    evaluator.reset()
    for i, image in enumerate(data["images"]):
        get = {
            key: torch.from_numpy(arrays[f"img{i}_{key}"])
            for key in ("person_ids", "gt_boxes", "gt_keypoints", "gt_3d", "scores", "pred_keypoints", "pred_h36_3d")
        }
        truth = Instances(
            (480, 640),
            gt_boxes=Boxes(get["gt_boxes"]),
            gt_keypoints=Keypoints(get["gt_keypoints"]),
            anns3d_camma_allkps=get["gt_3d"],
            person_ids_camma=get["person_ids"],
        )
        found = Instances(
            (480, 640),
            scores=get["scores"],
            pred_keypoints=get["pred_keypoints"],
            pred_keypoints_h36_3d=get["pred_h36_3d"],
        )
        before = len(evaluator.rows)
        evaluator.process([{"image_id": image["image_id"], "instances": truth}], [{"instances": found}])
        expected = np.array(image["errors_mm"]).reshape(-1, len(data["joints"]))
        errors = [row for _, row in evaluator.rows[before:] if (row.matches >= 0).any()]
        assert sum(len(row.errors) for row in errors) == image["counted_persons"]
        if errors:
            (row,) = errors
            assert row.matches.tolist() == image["matched_detection"]
            np.testing.assert_allclose(row.errors, expected, atol=1e-2)
            np.testing.assert_allclose(row.pelvis, image["pelvis_gt_mm"], atol=1e-2)
            predicted = arrays[f"img{i}_out_dt_3d_camma"] * row.visible[..., None]
            np.testing.assert_allclose(row.predicted, predicted, atol=1e-2)
            np.testing.assert_allclose(row.target, arrays[f"img{i}_out_gt_3d_rel"], atol=1e-2)
    for _ in range(2):  # the release divides again when it is asked twice
        result = evaluator.evaluate()["MPJPE"]
        assert result["persons"] == data["count"] == data["returned_entries"]
        np.testing.assert_allclose([result[name] for name in data["joints"]], data["mean_errors_mm"], atol=1e-2)
        for name, value in data["selected"].items():
            np.testing.assert_allclose(result[name.capitalize()], value, atol=1e-2)
        np.testing.assert_allclose(result["Selected"], data["selected_average"], atol=1e-2)
        np.testing.assert_allclose(result["All"], data["all_average"], atol=1e-2)


@pytest.fixture(params=oc.cases("train_json", "test_json"))
def mapper_case(request, tmp_path):
    """The case with its picture and files written out: (case, arrays, config, names of the two sets)."""
    path, data = request.param
    text = data["meta"]["image"]
    seed = int(text.split("RandomState(")[1].split(")")[0])
    shape = tuple(json.loads("[" + text.split("256, (")[1].split(")")[0] + "]"))
    image = np.random.RandomState(seed).randint(0, 256, shape).astype(np.uint8)
    oc.check(image, data["meta"]["image_sha256_bgr"])
    name = data["train_json"]["images"][0]["file_name"]
    Image.fromarray(image[:, :, ::-1].copy()).save(tmp_path / name)
    for part in ("train", "test"):
        (tmp_path / f"{part}.json").write_text(json.dumps(data[f"{part}_json"]))
    cfg = oc.config()
    names = {part: f"{part}_mvor_{hashlib.md5(str(tmp_path).encode()).hexdigest()}" for part in ("train", "test")}
    for part, registered in names.items():
        cfg.DATASETS[f"{part.upper()}_SET_NAME"] = registered
        cfg.DATASETS[f"{part.upper()}_SET_JSON"] = str(tmp_path / f"{part}.json")
        cfg.DATASETS[f"{part.upper()}_SET_IMGDIR"] = str(tmp_path)
    register_from_config(cfg)
    return data, case_arrays(path, data), cfg, names, image


def _plain(value):
    return value.tensor.tolist() if hasattr(value, "tensor") else value.tolist()


def _pixels(record) -> np.ndarray:
    return np.ascontiguousarray(record["image"].numpy().transpose(1, 2, 0).astype(np.uint8))


def _same(found, expected: dict, record: dict) -> None:
    for name, value in expected.items():
        got = record[name] if name in ("focal_length", "principal_point") else _plain(found.get(name))
        np.testing.assert_allclose(got, value, atol=1e-3, err_msg=name)


def test_registration_and_resampling(mapper_case):
    data, arrays, cfg, names, image = mapper_case
    (record,) = DatasetCatalog.get(names["train"])
    expected = data["train_dataset_dict_after_loading"]
    for key, value in expected.items():
        if key == "annotations":
            for found, person in zip(record[key], value, strict=True):
                assert {k: found[k] for k in person} == person
        elif key == "file_name":
            assert record[key].endswith(value)
        else:
            assert record[key] == value
    assert list(COCO_17.flip_indices) == data["hflip_indices"]
    assert MetadataCatalog.get(names["train"]).image_root != MetadataCatalog.get(names["train"]).json_file
    for name, answer in data["resampled_test_image"].items():
        method, factor = name.split("_")
        transform = LowResolution(float(factor), method).get_transform(image)
        low = transform.transforms[0] if transform.transforms else None
        if low is not None:
            assert [low.new_h, low.new_w] == answer["low_resolution_hw"]
        small = transform.apply_image(image)
        np.testing.assert_allclose(small.mean(), answer["mean"], atol=0.02)
        block = small[100:116, 200:216].astype(int)
        assert np.abs(block - arrays[f"block_{name}"]).max() <= 1
        oc.check(small, answer["sha256_uint8_hwc_bgr"])


@pytest.mark.parametrize("way", ["not_flipped", "flipped"])
def test_training_mapper(mapper_case, way):
    data, arrays, cfg, names, _ = mapper_case
    (scale,) = [key for key in data if key.startswith("train_mapper_scale_")]
    answer = data[scale][way]
    cfg.DATASETS.DOWN_SAMPLING_FIX_SCALE = float(scale.rsplit("_", 1)[1])
    cfg.ORPLUGINS.ORPOSE_COLOR.FLIP_3D = "published"
    mapper = MVORDatasetMapper(cfg, True)
    np.random.seed(answer["numpy_seed"])
    (record,) = DatasetCatalog.get(names["train"])
    found = mapper(record)
    oc.check(_pixels(found), answer["image_sha256_uint8_hwc_bgr"])
    _same(found["instances"], answer["instances"], found)
    # The better way differs in the lifter's fields only, and only where the picture is flipped.
    cfg.ORPLUGINS.ORPOSE_COLOR.FLIP_3D = "mirrored"
    np.random.seed(answer["numpy_seed"])
    mirrored = MVORDatasetMapper(cfg, True)(record)["instances"]
    for name, value in found["instances"].get_fields().items():
        same = np.allclose(_plain(value), _plain(mirrored.get(name)), atol=1e-5)
        assert same == (way == "not_flipped" or "keypoints2d" not in name and "keypoints3d" not in name), name


def test_test_time_mapper(mapper_case):
    data, _, cfg, names, _ = mapper_case
    (scale,) = [key for key in data if key.startswith("test_mapper_scale_")]
    answer = data[scale]
    cfg.DATASETS.DOWN_SAMPLING_FIX_SCALE = float(scale.rsplit("_", 1)[1])
    (record,) = DatasetCatalog.get(names["test"])
    found = MVORDatasetMapper(cfg, False)(record)
    assert set(answer["keys"]) <= found.keys() and "annotations" not in found
    assert list(found["image"].shape) == answer["image_shape"] and str(found["image"].dtype) == answer["image_dtype"]
    _same(found["instances"], answer["instances"], found)


def test_random_factors(mapper_case):
    data, _, cfg, *_ = mapper_case
    answer = data["random_scale"]
    torch.manual_seed(answer["torch_seed"])
    draws = [random_factor() for _ in range(sum(answer["histogram_of_20000_draws"].values()))]
    assert draws[: len(answer["first_40_draws"])] == answer["first_40_draws"]
    values, counts = np.unique(draws, return_counts=True)
    found = {str(int(v)): int(n) for v, n in zip(values, counts, strict=True)}
    assert found == answer["histogram_of_20000_draws"]
    cfg.DATASETS.FIX_DOWN_SAMPLING = False
    factors = [MVORDatasetMapper.from_config(cfg, train)["factor"] for train in (True, False)]
    assert factors == [None, answer["test_time_scale_when_not_fixed"]]
