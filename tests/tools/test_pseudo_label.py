"""The teacher's second stage by mmpose: a small HRNet of random weights, alone and in tools/pseudo_label.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from people_files import toy
from tests_tools import run_tool

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")
pytest.importorskip("detectron2")
pytest.importorskip("cv2")

from detectron2.modeling import build_model  # noqa: E402
from mmpose.apis import inference_topdown, init_model  # noqa: E402

from orplugins.hosts.mmpose.topdown import TeacherPose, TopdownRunner  # noqa: E402
from orplugins.io.checkpoint_safety import UnsafeCheckpointError  # noqa: E402
from orplugins.io.coco_people import load_people  # noqa: E402
from orplugins.io.images import read_image  # noqa: E402
from orplugins.orpose_color.annotations import lifting_pairs  # noqa: E402
from orplugins.orpose_color.detectron2.trainer import read_config  # noqa: E402
from orplugins.orpose_color.statistics import load_statistics  # noqa: E402
from orplugins.orpose_color.train_lifter import fit_lifter  # noqa: E402

CONFIG = Path(__file__).resolve().parents[2] / "configs/detectron2/orpose_color/orpose_tiny.yaml"
HRNET = """
default_scope = "mmpose"
codec = dict(type="MSRAHeatmap", input_size=(64, 64), heatmap_size=(16, 16), sigma=2)
stage = lambda modules, channels: dict(num_modules=modules, num_branches=len(channels), block="BASIC",
                                       num_blocks=(1,) * len(channels), num_channels=channels)
model = dict(
    type="TopdownPoseEstimator",
    data_preprocessor=dict(type="PoseDataPreprocessor", mean=[123.7, 116.3, 103.5], std=[58.4, 57.1, 57.4],
                           bgr_to_rgb=True),
    backbone=dict(type="HRNet", in_channels=3, extra=dict(
        stage1=dict(num_modules=1, num_branches=1, block="BOTTLENECK", num_blocks=(1,), num_channels=(8,)),
        stage2=stage(1, (4, 8)), stage3=stage(1, (4, 8, 16)), stage4=stage(1, (4, 8, 16, 32)))),
    head=dict(type="HeatmapHead", in_channels=4, out_channels=17, deconv_out_channels=None,
              loss=dict(type="KeypointMSELoss", use_target_weight=True), decoder=codec),
    test_cfg=dict(flip_test=True, flip_mode="heatmap", shift_heatmap=True))
del stage
test_dataloader = dict(dataset=dict(type="CocoDataset", data_mode="topdown", pipeline=[
    dict(type="LoadImage"), dict(type="GetBBoxCenterScale"), dict(type="TopdownAffine", input_size=(64, 64)),
    dict(type="PackPoseInputs")]))
"""


@pytest.fixture(scope="module")
def hrnet(tmp_path_factory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("hrnet")
    config, weights = folder / "hrnet.py", folder / "hrnet.pth"
    config.write_text(HRNET)
    torch.manual_seed(0)
    torch.save({"state_dict": init_model(str(config), device="cpu").state_dict(), "meta": {}}, weights)
    return str(config), str(weights)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    toy(folder, 3)
    return folder


def test_joints_are_those_of_mmposes_own_inference(hrnet, pictures):
    images = [read_image(path) for path in sorted((pictures / "images").iterdir())]
    boxes = [np.array([[5.0, 5, 40, 60], [30, 10, 80, 70]]), np.zeros((0, 4)), np.array([[0.0, 0, 95, 71]])]
    pose = TeacherPose(TopdownRunner(*hrnet))
    found = pose(images, boxes)
    assert [each.shape for each in found] == [(2, 17, 3), (0, 17, 3), (1, 17, 3)]
    model = init_model(*hrnet, device="cpu")
    for image, each, joints in zip(images, boxes, found, strict=True):
        if not len(each):
            continue
        alone = [sample.pred_instances for sample in inference_topdown(model, image, each.astype(np.float32))]
        np.testing.assert_allclose(joints[..., :2], np.concatenate([p.keypoints for p in alone]) + 0.5, atol=1e-3)
        scores = np.concatenate([p.keypoint_scores for p in alone]).clip(0, 1)
        np.testing.assert_allclose(joints[..., 2], scores, atol=1e-4)


class Touch:
    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_files_that_are_missing_or_hold_code_are_refused(hrnet, tmp_path):
    with pytest.raises(FileNotFoundError, match="none.py: no such file"):
        TopdownRunner(tmp_path / "none.py", hrnet[1])
    with pytest.raises(FileNotFoundError, match="none.pth: no such file"):
        TopdownRunner(hrnet[0], tmp_path / "none.pth")
    torch.save({"state_dict": {}, "evil": Touch(tmp_path / "executed")}, tmp_path / "evil.pth")
    with pytest.raises(UnsafeCheckpointError):
        TopdownRunner(hrnet[0], tmp_path / "evil.pth")
    assert not (tmp_path / "executed").exists()


def test_pseudo_label_with_a_detector_and_an_hrnet(hrnet, pictures, tmp_path, capsys):
    statistics = load_statistics(pictures / "statistics.json")
    lifter = fit_lifter(*lifting_pairs(pictures / "annotations.json"), statistics, image_width=96, width=16, epochs=1)
    torch.save(lifter.state_dict(), tmp_path / "lifter.pth")
    narrow = [
        "MODEL.DEVICE",
        "cpu",
        "MODEL.RESNETS.STEM_OUT_CHANNELS",
        8,
        "MODEL.RESNETS.RES2_OUT_CHANNELS",
        16,
        "MODEL.RESNETS.WIDTH_PER_GROUP",
        4,
        "MODEL.FPN.OUT_CHANNELS",
        16,
        "MODEL.ROI_BOX_HEAD.FC_DIM",
        16,
        "MODEL.ROI_KEYPOINTS3D_HEAD.CONV_DIMS",
        (16,),
        "ORPLUGINS.ORPOSE_COLOR.LIFTER_WIDTH",
        16,
        "MODEL.ROI_HEADS.SCORE_THRESH_TEST",
        0.0,
        "TEST.DETECTIONS_PER_IMAGE",
        3,
    ]
    cfg = read_config(str(CONFIG), narrow, train=False)
    cfg.DATASETS.H36_STATS_PATH = str(pictures / "statistics.json")
    torch.manual_seed(0)
    torch.save({"model": build_model(cfg).state_dict()}, tmp_path / "detector.pth")
    (tmp_path / "detector.yaml").write_text(cfg.dump())
    run_tool(
        "pseudo_label",
        str(pictures / "images"),
        "--out",
        str(tmp_path / "labels.json"),
        "--detector",
        str(tmp_path / "detector.yaml"),
        "--detector-weights",
        str(tmp_path / "detector.pth"),
        "--pose",
        hrnet[0],
        "--pose-weights",
        hrnet[1],
        "--lifter",
        str(tmp_path / "lifter.pth"),
        "--statistics",
        str(pictures / "statistics.json"),
        "--det-threshold",
        "0.0",
        "--hard-threshold",
        "0.0",
        "--device",
        "cpu",
    )
    found = load_people(tmp_path / "labels.json")
    assert len(found["images"]) == 3 and found["annotations"]
    assert all(person["num_keypoints"] == 17 and any(person["keypoints3d_hard"]) for person in found["annotations"])
    # The labels hold what the pose network says of the boxes.
    first = found["images"][0]
    people = [person for person in found["annotations"] if person["image_id"] == first["id"]]
    corners = np.array([person["bbox"] for person in people])
    corners[:, 2:] += corners[:, :2]
    image = read_image(pictures / "images" / first["file_name"])
    (expected,) = TeacherPose(TopdownRunner(*hrnet))([image], [corners])
    soft = np.array([person["keypoints_soft"] for person in people]).reshape(-1, 17, 3)
    np.testing.assert_allclose(soft, expected, atol=0.05)
