"""detectron2's networks as model files: the student and the detector find what the host finds, without the host."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")
pytest.importorskip("onnxruntime")
pytest.importorskip("cv2")

import orplugins  # noqa: E402, F401
from orplugins.deploy import load  # noqa: E402
from orplugins.export import export  # noqa: E402
from orplugins.orpose_color.pipeline import ColorSettings, load_predictor, network_size, resize  # noqa: E402
from orplugins.partial_body.detectron2.detector import PartialBodyDetector  # noqa: E402
from orplugins.resources import resource, shipped  # noqa: E402
from orplugins.skeletons import COCO_17, H36M_17  # noqa: E402
from orplugins.synthetic.export.in_memory import generate  # noqa: E402
from orplugins.synthetic.pictures import generated_pictures  # noqa: E402

# EfficientNet-Lite0 of timm, and ResNet.
STUDENTS = [
    shipped("orpose-color"),
    ("configs/detectron2/orpose_color/orpose_tiny.yaml", "demo/orpose_tiny.safetensors"),
]
DETECTORS = [
    shipped("partial-body-detector"),
    ("configs/detectron2/partial_body/faster_rcnn_tiny.yaml", "demo/faster_rcnn_tiny.safetensors"),
]


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """Of two sizes and three proportions: somebody, several, and nobody."""
    small = list(generated_pictures(6, 120, 5)[1].values())
    large = list(generated_pictures(3, 300, 9)[1].values())
    alone = generate(1, 3, size=(320, 240), views=2, people=(1, 1), color=True)[1]
    wall = np.random.default_rng(0).integers(90, 110, (240, 320, 3), dtype=np.uint8)
    alone = [picture[..., ::-1] for picture in alone.values()]
    return [*small, *alone, *large, np.ascontiguousarray(large[0][:, 120:320]), wall]


def exported(request, folder, **options):
    config, weights = (str(resource(path)) if "demo" in path or "configs" in path else path for path in request.param)
    done = export(config, weights, folder / "model.onnx", **options)
    assert max(done.difference.values()) < 1e-4
    return config, weights, load(done.model)


@pytest.fixture(scope="module", params=STUDENTS, ids=["lite0", "resnet"])
def student(request, tmp_path_factory):
    return exported(request, tmp_path_factory.mktemp("student"))


@pytest.fixture(scope="module", params=DETECTORS, ids=["lite0", "resnet"])
def detector(request, tmp_path_factory):
    return exported(request, tmp_path_factory.mktemp("detector"))


def test_the_student_finds_the_hosts_people(student, pictures):
    config, weights, student = student
    predict, numbers = load_predictor(ColorSettings(config, weights, device="cpu")), []
    for found, picture in zip(student.batch(pictures), pictures, strict=True):
        size = picture.shape[1::-1]
        seen = network_size(size, None, predict.sides)
        wanted = predict([resize(picture, seen)])[0]
        wanted = wanted[wanted.scores >= predict.least_score]
        numbers.append(len(found))
        assert len(found) == len(wanted) and found.size == size
        scale = np.array(size) / seen
        np.testing.assert_allclose(found.scores, wanted.scores.numpy(), atol=1e-3)
        np.testing.assert_allclose(found.boxes, wanted.pred_boxes.tensor.numpy() * np.tile(scale, 2), atol=1e-3)
        joints = wanted.pred_keypoints.numpy()
        np.testing.assert_allclose(found.keypoints[..., :2], joints[..., :2] * scale - 0.5, atol=0.05)
        np.testing.assert_allclose(found.keypoints[..., 2], joints[..., 2], atol=1e-3)
        np.testing.assert_allclose(found.points, wanted.pred_keypoints_3d.numpy(), atol=1e-4)  # metres
    assert 0 in numbers and max(numbers) > 1 and (1 in numbers or "lite0" not in config), numbers
    assert student.metadata.skeleton is COCO_17 and found.points_skeleton is H36M_17 and found.points_about == "root"


def test_the_detector_finds_the_hosts_boxes(detector, pictures):
    config, weights, detector = detector
    # Weaker boxes hang on the last bit of an overlap.
    host, numbers = PartialBodyDetector(config, weights, threshold=0.2), []
    detector.least_score = 0.2
    for found, picture in zip(detector.batch(pictures), pictures, strict=True):
        boxes, scores, labels = host([picture])[0]
        numbers.append(len(found))
        assert found.labels == tuple(labels)
        np.testing.assert_allclose(found.scores, scores, atol=1e-3)
        np.testing.assert_allclose(found.boxes, boxes, atol=1e-3)
    assert 0 in numbers and max(numbers) > 1, numbers
    detector.least_score = 0.6
    assert sum(map(len, detector.batch(pictures))) < sum(numbers)
