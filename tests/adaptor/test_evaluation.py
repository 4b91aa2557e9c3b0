"""AP of boxes, joints and masks at several resolutions, and test-time augmentation with joints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from adaptor_sets import labelled_set

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")

from detectron2.data import DatasetCatalog  # noqa: E402
from detectron2.data import transforms as T  # noqa: E402
from detectron2.modeling import build_model  # noqa: E402
from detectron2.structures import Boxes, Instances  # noqa: E402
from pycocotools import mask as mask_tools  # noqa: E402

from orplugins.adaptor.detectron2.datasets import register_labelled  # noqa: E402
from orplugins.adaptor.detectron2.evaluation import evaluate_ladder  # noqa: E402
from orplugins.adaptor.detectron2.trainer import read_config  # noqa: E402
from orplugins.adaptor.detectron2.tta import KeypointTTA, merge_keypoints  # noqa: E402
from orplugins.hosts.detectron2.ladder import format_ladder  # noqa: E402

CONFIG = str(Path(__file__).resolve().parents[2] / "configs/detectron2/adaptor/adaptor_tiny.yaml")


@pytest.fixture(scope="module")
def truth(tmp_path_factory) -> dict[int, list[dict]]:
    folder = tmp_path_factory.mktemp("evaluation")
    register_labelled("adaptor_scores", labelled_set(folder, 3), folder / "images")
    return {record["image_id"]: record["annotations"] for record in DatasetCatalog.get("adaptor_scores")}


class KnowsTheTruth:
    """In the place of a model: answers with the truth, and notes how much neighbouring pixels differ."""

    def __init__(self, truth: dict[int, list[dict]]):
        self.truth, self.contrast, self.shapes = truth, [], set()

    def __call__(self, inputs: list[dict]) -> list[dict]:
        outputs = []
        for record in inputs:
            self.contrast.append(record["image"].float().diff(dim=2).abs().mean().item())
            self.shapes.add(tuple(record["image"].shape[1:]))
            people = self.truth[record["image_id"]]
            boxes = torch.tensor([person["bbox"] for person in people], dtype=torch.float32)
            boxes[:, 2:] += boxes[:, :2]
            found = Instances((record["height"], record["width"]), pred_boxes=Boxes(boxes))
            found.scores, found.pred_classes = torch.ones(len(people)), torch.zeros(len(people), dtype=torch.int64)
            found.pred_keypoints = torch.tensor(np.array([p["keypoints"] for p in people]).reshape(-1, 17, 3))
            masks = [mask_tools.decode(person["segmentation"]) for person in people]
            found.pred_masks = torch.from_numpy(np.stack(masks)).bool()
            outputs.append({"instances": found})
        return outputs


def test_the_truth_scores_full_at_every_factor_and_pictures_are_reduced(truth):
    cfg = read_config(CONFIG, ["MODEL.DEVICE", "cpu", "INPUT.MIN_SIZE_TEST", 64])
    model = KnowsTheTruth(truth)
    table = evaluate_ladder(cfg, model, "adaptor_scores", [1, 4, 12])
    assert list(table) == [1, 4, 12]
    for row in table.values():
        assert list(row) == ["box AP", "keypoint AP", "mask AP"] and min(row.values()) > 99
    assert model.shapes == {(64, 96)}
    contrast = np.reshape(model.contrast, (3, 3))
    assert (contrast[1] < 0.5 * contrast[0]).all() and (contrast[2] < 0.8 * contrast[1]).all()
    assert format_ladder(table).count("100.0") == 9


def test_merged_joints_are_those_of_the_picture_whatever_the_version():
    rng = np.random.default_rng(0)
    joints = np.concatenate([rng.random((2, 17, 2)) * (80, 60), rng.random((2, 17, 1))], axis=2)
    wider = T.TransformList([T.ResizeTransform(60, 80, 90, 160)])
    mirrored = T.TransformList([T.ResizeTransform(60, 80, 60, 80), T.HFlipTransform(80)])
    doubled = joints * (2, 1.5, 1)
    flipped = joints[:, [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]].copy()
    flipped[..., 0] = 80 - flipped[..., 0]
    np.testing.assert_allclose(merge_keypoints([doubled, flipped], [wider, mirrored]), joints, atol=1e-9)
    assert merge_keypoints([np.zeros((0, 17, 3))] * 2, [wider, mirrored]).shape == (0, 17, 3)


def test_versions_of_a_picture_through_a_network():
    torch.manual_seed(0)
    sizes = ["INPUT.MIN_SIZE_TEST", 64, "TEST.AUG.MIN_SIZES", (64, 96), "TEST.AUG.MAX_SIZE", 200]
    cfg = read_config(CONFIG, ["MODEL.DEVICE", "cpu", *sizes, "MODEL.ROI_HEADS.SCORE_THRESH_TEST", 0.0])
    model = build_model(cfg).eval()
    picture = torch.randint(0, 256, (3, 64, 96), dtype=torch.uint8)
    asked = KeypointTTA(cfg, model)
    with torch.no_grad():
        found = asked([{"image": picture, "height": 64, "width": 96}])[0]["instances"]
    assert 0 < len(found) <= cfg.TEST.DETECTIONS_PER_IMAGE
    assert found.pred_keypoints.shape == (len(found), 17, 3) and torch.isfinite(found.pred_keypoints).all()
    assert found.pred_masks.shape == (len(found), 64, 96)
    assert cfg.MODEL.KEYPOINT_ON and model.roi_heads.keypoint_on  # switched off only while boxes are looked for


def test_the_ladder_as_a_command_takes_the_methods_own_columns(truth, tmp_path, capsys):
    from detectron2.data import MetadataCatalog

    from orplugins.cli.resolution_ladder import main

    meta = MetadataCatalog.get("adaptor_scores")
    sets = ["ORPLUGINS.ADAPTOR.SETS", f"['adaptor_scores={meta.json_file},{meta.image_root}']"]
    options = [*sets, "DATASETS.TEST", "('adaptor_scores',)", "INPUT.MIN_SIZE_TEST", "64"]
    command = ["--config-file", CONFIG, "--weights", "untrained=", "--device", "cpu", "--factors", "1", "8"]
    assert main([*command, "--out", str(tmp_path), *options]) == 0
    assert "| scale | box AP | keypoint AP | mask AP |" in capsys.readouterr().out
    assert (tmp_path / "ladder.png").stat().st_size > 1000
    assert main([*command, "--out", str(tmp_path)]) == 1
    assert "DATASETS.TEST: is empty" in capsys.readouterr().err
