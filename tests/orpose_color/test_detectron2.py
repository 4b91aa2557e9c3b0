"""The student in detectron2: building, inference, weights, mapper, registration, training."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import mvor_files
import numpy as np
import pytest
from people_files import labels, toy

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")
pytest.importorskip("cv2")

from detectron2.checkpoint import DetectionCheckpointer  # noqa: E402
from detectron2.config import LazyConfig, instantiate  # noqa: E402
from detectron2.data import DatasetCatalog, MetadataCatalog  # noqa: E402
from detectron2.modeling import build_model  # noqa: E402
from detectron2.modeling.postprocessing import detector_postprocess  # noqa: E402
from detectron2.structures import Boxes, Instances  # noqa: E402
from detectron2.utils.events import EventStorage  # noqa: E402

import orplugins  # noqa: E402, F401
from orplugins.hosts.detectron2.checkpoint import load_weights  # noqa: E402
from orplugins.io.check_weights import check_weights  # noqa: E402
from orplugins.io.checkpoint_safety import UnsafeCheckpointError  # noqa: E402
from orplugins.io.weights import write_weights  # noqa: E402
from orplugins.mvor.annotations import load_mvor  # noqa: E402
from orplugins.orpose_color.detectron2.datasets import (  # noqa: E402
    evaluators_of,
    register_from_environment,
    register_people,
)
from orplugins.orpose_color.detectron2.evaluators import build_people_evaluator  # noqa: E402
from orplugins.orpose_color.detectron2.mapper import LowResolution, MVORDatasetMapper  # noqa: E402
from orplugins.orpose_color.detectron2.trainer import ORPoseTrainer, read_config  # noqa: E402
from orplugins.orpose_color.statistics import load_statistics  # noqa: E402

ROOT = Path(__file__).resolve().parents[2] / "configs/detectron2/orpose_color"
NARROW = ["MODEL.DEVICE", "cpu", "MODEL.RESNETS.STEM_OUT_CHANNELS", 8, "MODEL.RESNETS.RES2_OUT_CHANNELS", 16,
          "MODEL.RESNETS.WIDTH_PER_GROUP", 4, "MODEL.FPN.OUT_CHANNELS", 16, "MODEL.ROI_BOX_HEAD.FC_DIM", 16,
          "MODEL.ROI_KEYPOINTS3D_HEAD.CONV_DIMS", (16,), "ORPLUGINS.ORPOSE_COLOR.LIFTER_WIDTH", 16,
          "SOLVER.IMS_PER_BATCH", 2, "DATALOADER.NUM_WORKERS", 0, "DATALOADER.ASPECT_RATIO_GROUPING", False,
          "SOLVER.WARMUP_ITERS", 0, "MODEL.ROI_KEYPOINTS3D_HEAD.LOSS_WEIGHT_2DKEYPOINTS_SOFT", 1.0,
          "MODEL.ROI_KEYPOINTS3D_HEAD.LOSS_WEIGHT_3D_HARD", 1.0, "MODEL.ROI_KEYPOINTS3D_HEAD.LOSS_WEIGHT_3D_SOFT", 1.0,
          "DATASETS.DOWN_SAMPLING_FIX_SCALE", 2.0]  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """(toy annotation file, label file, statistics file)."""
    folder = tmp_path_factory.mktemp("toy")
    truth = toy(folder, 6)
    statistics = folder / "statistics.json"
    return truth, labels(truth, folder / "labels.json", load_statistics(statistics)), statistics


def config(data, out=None, name="orpose_tiny", **options):
    truth, label_file, statistics = data
    images = str(truth.parent / "images")
    tag = truth.parent.name
    flat = [x for key, value in options.items() for x in (key.replace("__", "."), value)]
    return read_config(
        str(ROOT / f"{name}.yaml"),
        [
            *NARROW,
            "DATASETS.H36_STATS_PATH",
            str(statistics),
            "OUTPUT_DIR",
            str(out or ""),
            "DATASETS.TRAIN_SET_NAME",
            f"train_{tag}",
            "DATASETS.TRAIN_SET_JSON",
            str(label_file),
            "DATASETS.TRAIN_SET_IMGDIR",
            images,
            "DATASETS.TEST_SET_NAME",
            f"test_{tag}",
            "DATASETS.TEST_SET_JSON",
            str(truth),
            "DATASETS.TEST_SET_IMGDIR",
            images,
            *flat,
        ],
    )


@pytest.fixture(scope="module")
def model(data):
    torch.manual_seed(0)
    return build_model(config(data)).eval()


FIELDS = ("pred_keypoints", "pred_keypoints_h36_2d", "pred_keypoints_h36_3d", "pred_keypoints_3d", "pred_input_size")


def test_fields_survive_postprocessing(model):
    boxes = torch.tensor([[5.0, 5, 40, 60], [30, 10, 80, 70]])
    given = [
        Instances((72, 96), pred_boxes=Boxes(boxes[:n]), pred_classes=torch.zeros(n, dtype=torch.long)) for n in (2, 0)
    ]
    records = [{"image": torch.rand(3, 72, 96) * 255}] * 2
    with torch.no_grad():
        found = model.inference(records, detected_instances=given, do_postprocess=False)
    assert [len(each) for each in found] == [2, 0]
    before = found[0].pred_keypoints.clone()
    for each in found:
        out = detector_postprocess(each, 144, 288)
        assert all(out.has(name) and len(out.get(name)) == len(out) for name in FIELDS)
        assert out.pred_keypoints_3d.shape[1:] == (17, 3) and not out.pred_keypoints_3d[:, 0].any()
    assert before.shape == (2, 17, 3)


def test_one_branch_alone(data, model):
    box = Instances((72, 96), pred_boxes=Boxes(torch.tensor([[5.0, 5, 40, 60]])), pred_classes=torch.zeros(1).long())
    features, found = torch.rand(1, 16, 14, 14), {}
    for branches in ("both", "hard", "soft"):
        head = build_model(config(data, ORPLUGINS__ORPOSE_COLOR__BRANCHES=branches)).eval().roi_heads.keypoint_head
        head.load_state_dict(model.roi_heads.keypoint_head.state_dict())
        with torch.no_grad():
            (found[branches],) = head(features, [Instances(box.image_size, **box.get_fields())])
    for field in ("pred_keypoints_h36_2d", "pred_keypoints_3d"):
        one, two, mean = (found[kind].get(field) for kind in ("hard", "soft", "both"))
        torch.testing.assert_close((one + two) / 2, mean)
        assert not torch.allclose(one, two)
    assert not torch.equal(found["hard"].pred_keypoints, found["soft"].pred_keypoints)


def test_no_keypoint_branch(data):
    cfg = config(data, MODEL__KEYPOINT3D_ON=False)
    heads = build_model(cfg).roi_heads
    assert not hasattr(heads, "keypoint_head") and not heads.keypoint_on


def test_wrong_option_values(data):
    for key, value in (("DECODE", "fast"), ("LOSSES", "none")):
        with pytest.raises(ValueError, match=f"{key.lower()}: found '{value}'"):
            build_model(config(data, **{f"ORPLUGINS__ORPOSE_COLOR__{key}": value}))
    with pytest.raises(ValueError, match="FLIP_3D: found 'no'"):
        MVORDatasetMapper(config(data, ORPLUGINS__ORPOSE_COLOR__FLIP_3D="no"), True)
    with pytest.raises(ValueError, match="found 'nearest', expected one of bilinear, bicubic"):
        LowResolution(2, "nearest")
    with pytest.raises(ValueError, match="found 0, expected 1 or more"):
        LowResolution(0)


def test_the_lazy_config_is_the_yaml(tmp_path):
    lazy = LazyConfig.load(str(ROOT / "orpose_fixed_12x_lazy.py"))
    assert len(instantiate(lazy.dataloader.test.mapper).augmentations.augs) == 1
    heads = lazy.model.roi_heads
    heads.keypoint_head.conv_dims, heads.keypoint_head.lifter_width = [8] * 8, 16
    twin = instantiate(lazy.model)
    cfg = read_config(
        str(ROOT / "orpose_fixed_12x.yaml"),
        [
            "MODEL.DEVICE",
            "cpu",
            "MODEL.ROI_KEYPOINTS3D_HEAD.CONV_DIMS",
            (8,) * 8,
            "ORPLUGINS.ORPOSE_COLOR.LIFTER_WIDTH",
            16,
        ],
    )
    yaml = build_model(cfg)
    shapes = [{k: v.shape for k, v in each.state_dict().items()} for each in (twin, yaml)]
    assert shapes[0] == shapes[1]
    assert twin.roi_heads.box_predictor.smooth_l1_beta == yaml.roi_heads.box_predictor.smooth_l1_beta == 0.5
    assert twin.proposal_generator.post_nms_topk == yaml.proposal_generator.post_nms_topk == {True: 1500, False: 1000}


class Evil:
    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("form", ["zip", "legacy", "pkl"])
def test_weights_with_code_are_refused_unopened(data, model, tmp_path, form):
    marker, path = tmp_path / "executed", tmp_path / f"evil.{'pkl' if form == 'pkl' else 'pth'}"
    content = {"model": model.state_dict(), "evil": Evil(marker)}
    if form == "pkl":
        path.write_bytes(pickle.dumps({"model": {}, "__author__": "x", "evil": Evil(marker)}))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(UnsafeCheckpointError, match="system"):
        check_weights(path)
    with pytest.raises(UnsafeCheckpointError):
        load_weights(model, str(path))
    with pytest.raises(UnsafeCheckpointError):  # a stock script builds the model before it loads the weights
        build_model(config(data, MODEL__WEIGHTS=str(path)))
    assert not marker.exists()


@pytest.mark.parametrize("form", ["zip", "legacy", "pkl"])
def test_good_and_cut_off_weights(data, model, tmp_path, form):
    path = tmp_path / f"good.{'pkl' if form == 'pkl' else 'pth'}"
    if form == "pkl":
        arrays = {name: value.numpy() for name, value in model.state_dict().items()}
        path.write_bytes(pickle.dumps({"model": arrays, "__author__": "test"}))
    else:
        torch.save({"model": model.state_dict()}, path, _use_new_zipfile_serialization=form == "zip")
    other = build_model(config(data))
    load_weights(other, str(path))
    same = other.state_dict()
    assert all(torch.equal(value, same[name]) for name, value in model.state_dict().items())
    path.write_bytes(path.read_bytes()[: 300 if form == "legacy" else path.stat().st_size // 2])
    with pytest.raises(ValueError, match=f"{path.name}: truncated"):
        load_weights(other, str(path))
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_weights(other, str(tmp_path / "none.pth"))


def test_the_hosts_own_checkpointer_reads_safetensors(data, model, tmp_path):
    pytest.importorskip("safetensors")
    path = tmp_path / "student.safetensors"
    write_weights(path, {name: v.half() if v.is_floating_point() else v for name, v in model.state_dict().items()}, {})
    stock, ours = build_model(config(data)), build_model(config(data))
    DetectionCheckpointer(stock).load(str(path))
    load_weights(ours, str(path))
    for other in (stock.state_dict(), ours.state_dict()):
        for name, value in model.state_dict().items():
            assert other[name].dtype == value.dtype
            torch.testing.assert_close(other[name], value, rtol=1e-3, atol=1e-5)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match="student.safetensors: truncated"):
        load_weights(ours, str(path))


def test_weights_of_another_model_are_refused(data, model, tmp_path):
    torch.save({"model": {"some.weight": torch.zeros(3)}}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="is for another model:\n  .*: missing"):
        load_weights(model, str(tmp_path / "other.pth"))


def test_broken_pictures_are_named(data, tmp_path):
    mapper = MVORDatasetMapper(False, factor=12.0)
    picture = next((data[0].parent / "images").iterdir()).read_bytes()
    for name, content in (("text.png", b"no picture"), ("cut.png", picture[:400])):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name}: cannot be read"):
            mapper({"file_name": str(tmp_path / name), "image_id": 1})


def test_a_picture_of_one_pixel(tmp_path):
    from PIL import Image

    Image.new("RGB", (1, 1), (10, 20, 30)).save(tmp_path / "p.png")
    found = MVORDatasetMapper(False, factor=12.0)({"file_name": str(tmp_path / "p.png"), "annotations": []})
    assert found["image"].flatten().tolist() == [30, 20, 10] and len(found["instances"]) == 0


def test_crowds_and_empty_boxes_leave_nothing_out_of_step(data):
    truth, *_ = data
    register_people(f"step_{truth.parent.name}", truth, truth.parent / "images")
    record = next(r for r in DatasetCatalog.get(f"step_{truth.parent.name}") if len(r["annotations"]) > 1)
    whole = MVORDatasetMapper(False)(record)["instances"]
    assert set(evaluators_of(f"step_{truth.parent.name}")) == {"coco", "mpjpe", "pck"}
    for change in ({"iscrowd": 1}, {"bbox": [3.0, 3.0, 0.0, 0.0]}):
        other = {**record, "annotations": [{**record["annotations"][0], **change}, *record["annotations"][1:]]}
        found = MVORDatasetMapper(False)(other)["instances"]
        assert len(found) == len(whole) - 1
        for name, value in whole.get_fields().items():
            rest, kept = ((v.tensor if hasattr(v, "tensor") else v) for v in (value, found.get(name)))
            torch.testing.assert_close(kept, rest[1:])


def test_mirroring_needs_the_statistics(data):
    truth, label_file, _ = data
    register_people(f"mirror_{truth.parent.name}", label_file, truth.parent / "images")
    record = next(r for r in DatasetCatalog.get(f"mirror_{truth.parent.name}") if r["annotations"])
    mapper = MVORDatasetMapper(True)
    np.random.seed(1)  # a flip
    with pytest.raises(ValueError, match="H36_STATS_PATH: is empty"):
        mapper(record)


def test_names_from_the_environment(data, monkeypatch):
    truth, *_ = data
    name = f"env_{truth.parent.name}"
    monkeypatch.setenv("ORPLUGINS_DATASETS", f"{name}={truth},{truth.parent / 'images'};")
    register_from_environment()
    register_from_environment()
    assert MetadataCatalog.get(name).json_file == str(truth) and len(DatasetCatalog.get(name)) == 6
    monkeypatch.setenv("ORPLUGINS_DATASETS", f"{name}={truth}")
    with pytest.raises(ValueError, match="expected NAME=ANNOTATIONS.json,IMAGE_FOLDER"):
        register_from_environment()
    with pytest.raises(ValueError, match="is registered with"):
        register_people(name, "other.json", "x")


def _loader_batch(cfg, count):
    mapper = MVORDatasetMapper(cfg, True)
    return [mapper(record) for record in DatasetCatalog.get(cfg.DATASETS.TRAIN[0])[:count]]


def test_pictures_without_people_train_and_evaluate(data, tmp_path):
    truth, *_ = data
    content = json.loads(truth.read_text())
    content["annotations"] = []
    (tmp_path / "empty.json").write_text(json.dumps(content))
    cfg = config((truth, data[1], data[2]))
    register_people(f"empty_{tmp_path.name}", tmp_path / "empty.json", truth.parent / "images")
    cfg.DATASETS.TRAIN = (f"empty_{tmp_path.name}",)
    cfg.DATASETS.TEST = cfg.DATASETS.TRAIN
    model = build_model(cfg).train()
    with EventStorage():
        losses = model(_loader_batch(cfg, 2))
    sum(losses.values()).backward()
    assert all(torch.isfinite(value) for value in losses.values())
    assert all(p.grad is not None for p in model.roi_heads.keypoint_head.parameters())
    results = ORPoseTrainer.test(cfg, model.eval())
    assert results == {} and evaluators_of(cfg.DATASETS.TEST[0]) == ()


def test_missing_soft_labels_are_named(data):
    truth, *_ = data
    cfg = config(data)
    register_people(f"hard_{truth.parent.name}", truth, truth.parent / "images")
    cfg.DATASETS.TRAIN = (f"hard_{truth.parent.name}",)
    model = build_model(cfg).train()
    with EventStorage(), pytest.raises(ValueError, match="no gt_keypoints_soft"):
        model(_loader_batch(cfg, 4))


def test_adamw_has_the_hosts_groups_and_clipping(data, model):
    from torch.optim import SGD, AdamW

    # detectron2 makes a class of its own where gradients are clipped
    assert isinstance(ORPoseTrainer.build_optimizer(config(data), model), AdamW)
    options = dict(SOLVER__BASE_LR=0.5, SOLVER__WEIGHT_DECAY_NORM=0.25)
    changed = config(data, ORPLUGINS__ORPOSE_COLOR__OPTIMIZER="sgd", **options)
    assert isinstance(ORPoseTrainer.build_optimizer(changed, model), SGD)
    changed.ORPLUGINS.ORPOSE_COLOR.OPTIMIZER = "adamw"
    groups = ORPoseTrainer.build_optimizer(changed, model).param_groups
    assert {group["lr"] for group in groups} == {0.5} and 0.25 in {group["weight_decay"] for group in groups}
    changed.ORPLUGINS.ORPOSE_COLOR.OPTIMIZER = "adam"
    with pytest.raises(ValueError, match="OPTIMIZER: found 'adam'"):
        ORPoseTrainer.build_optimizer(changed, model)


def test_training_goes_on_to_the_same_weights(data, tmp_path):
    def train(out, resume):
        cfg = config(data, out, SOLVER__MAX_ITER=4, SOLVER__CHECKPOINT_PERIOD=2, SEED=3, DATASETS__TEST_SET_JSON="")
        trainer = ORPoseTrainer(cfg)
        trainer.resume_or_load(resume)
        trainer.train()
        return torch.load(out / "model_final.pth", weights_only=False)["model"]

    whole = train(tmp_path / "a", False)
    (tmp_path / "b").mkdir()
    # What a run that is killed after its first checkpoint leaves behind.
    (tmp_path / "b/model_0000001.pth").write_bytes((tmp_path / "a/model_0000001.pth").read_bytes())
    (tmp_path / "b/last_checkpoint").write_text("model_0000001.pth")
    again = train(tmp_path / "b", True)
    assert whole.keys() == again.keys() and all(torch.equal(whole[name], again[name]) for name in whole)
    assert any("statistics" in name for name in whole)


def test_mvors_own_file_is_evaluated_by_pck_and_box_ap(tmp_path):
    path = mvor_files.write(tmp_path / "mvor.json", mvor_files.annotations())
    name = f"mvor_{tmp_path.name}"
    register_people(name, path, tmp_path)
    records = DatasetCatalog.get(name)
    assert evaluators_of(name) == ("person_ap", "pck")
    truth = load_mvor(path)
    evaluator = build_people_evaluator(name, str(tmp_path / "out"), distributed=False)
    evaluator.reset()
    for record in records:
        boxes = torch.tensor([person["bbox"] for person in record["annotations"]]).reshape(-1, 4)
        found = Instances((480, 640), pred_boxes=Boxes(torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], dim=1)))
        found.scores = torch.linspace(0.9, 0.8, len(boxes))
        found.pred_keypoints = torch.zeros(len(boxes), 17, 3)
        found.pred_keypoints[..., :2] = 0.5  # (0, 0) of a pixel's centre: missing
        joints = [p["keypoints"] for p in truth.annotations if p["image_id"] == record["image_id"]]
        for k, pose in enumerate(joints):
            camma = torch.tensor(pose).view(10, 3)[:, :2]
            for target, source in zip((5, 6, 11, 12, 7, 8, 9, 10), range(2, 10), strict=True):
                found.pred_keypoints[k, target, :2] = camma[source] + 0.5
        evaluator.process([record], [{"instances": found}])
    results = evaluator.evaluate()
    assert results["person_AP"]["AR100"] > 50
    assert results["PCK"]["Shoulder"] == results["PCK"]["Hip"] == 100
    assert json.loads((tmp_path / "out/pck.json").read_text())["Hip"] == 100
