"""The networks that ship on an ImageNet backbone: colours in their order, sizes of the config, no option needed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from people_files import toy

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")
pytest.importorskip("cv2")

import orplugins  # noqa: E402, F401
from orplugins.cli.infer_color import main as infer_color_command  # noqa: E402
from orplugins.hosts.detectron2.predictor import Predictor, read_model_config  # noqa: E402
from orplugins.io.images import read_image, write_image  # noqa: E402
from orplugins.orpose_color.detectron2.mapper import MVORDatasetMapper, colour_changes  # noqa: E402
from orplugins.orpose_color.detectron2.trainer import ORPoseTrainer, read_config  # noqa: E402
from orplugins.partial_body.detectron2.detector import PartialBodyDetector  # noqa: E402
from orplugins.resources import resource  # noqa: E402

LITE0, TINY = (f"configs/detectron2/orpose_color/orpose_{name}.yaml" for name in ("lite0", "tiny"))
RED = np.full((24, 32, 3), (0, 0, 200), np.uint8)  # BGR


def test_training_gives_the_network_colours_in_the_order_of_its_config(tmp_path):
    write_image(tmp_path / "red.png", RED)
    record = {"file_name": str(tmp_path / "red.png"), "annotations": []}
    for config, expected in ((LITE0, [200, 0, 0]), (TINY, [0, 0, 200])):
        cfg = read_config(str(resource(config)), ["ORPLUGINS.ORPOSE_COLOR.COLOUR_CHANGES", 0.0])
        for train in (True, False):
            assert MVORDatasetMapper(cfg, train)(record)["image"][:, 5, 5].tolist() == expected


def test_inference_gives_the_networks_colours_in_the_order_of_their_configs():
    for config, expected in ((LITE0, [200, 0, 0]), (TINY, [0, 0, 200])):
        weights = resource(f"demo/{Path(config).stem}.safetensors")
        predictor = Predictor(read_model_config(str(resource(config)), str(weights), "cpu"), native=True)
        assert predictor.inputs([RED])[0]["image"][:, 5, 5].tolist() == expected
    config = resource("configs/detectron2/partial_body/faster_rcnn_lite0.yaml")
    detector = PartialBodyDetector(config, resource("demo/faster_rcnn_lite0.safetensors"))
    assert detector.predictor.inputs([RED])[0]["image"][:, 5, 5].tolist() == [200, 0, 0]


def test_poses_without_options(tmp_path):
    toy(tmp_path, 2, size=(160, 120))
    assert infer_color_command([str(tmp_path / "images"), "--out", str(tmp_path / "out"), "--device", "cpu"]) == 0
    content = json.loads((tmp_path / "out/poses.json").read_text())
    assert [image["width"] for image in content["images"]] == [160, 160]
    assert read_image(tmp_path / "out/overlays/000001.png").shape == (240, 320, 3)  # INPUT.MIN_SIZE_TEST


def test_colours_change_in_training_only(tmp_path):
    write_image(tmp_path / "red.png", RED)
    record = {"file_name": str(tmp_path / "red.png"), "annotations": []}
    np.random.seed(0)
    red = {float(MVORDatasetMapper(True, image_format="RGB", changes=0.3)(record)["image"][0, 0, 0]) for _ in range(4)}
    assert len(red) > 1 and all(200 * 0.7**3 <= value <= 255 for value in red)
    assert float(MVORDatasetMapper(False, image_format="RGB", changes=0.3)(record)["image"][0, 0, 0]) == 200
    for wrong in (1.0, -0.1):
        with pytest.raises(ValueError, match="COLOUR_CHANGES: found"):
            colour_changes(wrong)
    with pytest.raises(ValueError, match="COLOUR_CHANGES: are for INPUT.FORMAT RGB"):
        MVORDatasetMapper(True, changes=0.3)
    with pytest.raises(ValueError, match="INPUT.FORMAT: found 'L'"):
        MVORDatasetMapper(True, image_format="L")


def test_the_trunk_learns_at_its_own_rate_and_its_first_layers_not_at_all():
    cfg = read_config(str(resource(LITE0)), ["MODEL.DEVICE", "cpu", "SOLVER.BASE_LR", 0.01])
    model = ORPoseTrainer.build_model(cfg).train()
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = ORPoseTrainer.build_optimizer(cfg, model).param_groups
    rates = {names[id(parameter)]: group["lr"] for group in groups for parameter in group["params"]}
    assert rates["backbone.bottom_up.features.trunk.blocks.6.0.conv_pwl.weight"] == pytest.approx(0.003)
    assert rates["backbone.fpn_lateral2.weight"] == rates["roi_heads.box_head.fc1.weight"] == 0.01
    assert not [name for name in rates if "trunk.blocks.1." in name or "trunk.conv_stem" in name]
    trunk = model.backbone.bottom_up.features.trunk
    assert not trunk.blocks[6][0].bn1.training and trunk.blocks[6][0].bn1.weight.requires_grad
