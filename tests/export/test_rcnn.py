"""detectron2's networks as model files: the student and the detector find what the host finds, without the host."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")
pytest.importorskip("onnxruntime")
pytest.importorskip("cv2")

import orplugins  # noqa: E402, F401
from orplugins.adaptation.views import network_size  # noqa: E402
from orplugins.deploy import load  # noqa: E402
from orplugins.deploy.resize import resize  # noqa: E402
from orplugins.export import export  # noqa: E402
from orplugins.orpose_color.pipeline import ColorSettings, load_predictor  # noqa: E402
from orplugins.partial_body.detectron2.detector import PartialBodyDetector  # noqa: E402
from orplugins.resources import resource, shipped  # noqa: E402
from orplugins.skeletons import COCO_17, H36M_17  # noqa: E402
from orplugins.synthetic.export.in_memory import generate  # noqa: E402
from orplugins.synthetic.pictures import generated_pictures  # noqa: E402


def tiny(config: str, weights: str) -> tuple[str, str]:
    return str(resource(f"configs/detectron2/{config}.yaml")), str(resource(f"demo/{weights}.safetensors"))


# EfficientNet-Lite0 of timm, and ResNet.
STUDENTS = [shipped("orpose-color"), tiny("orpose_color/orpose_tiny", "orpose_tiny")]
DETECTORS = [shipped("partial-body-detector"), tiny("partial_body/faster_rcnn_tiny", "faster_rcnn_tiny")]


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
    config, weights = request.param
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


WITHOUT_HOSTS = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchvision", "detectron2", "mmpose", "mmengine", "mmcv", "timm"):
            raise AssertionError(f"{name} was imported")

sys.meta_path.insert(0, Refuse())
import numpy as np
from orplugins.deploy import load
from orplugins.archive import run_batch
from orplugins.archive.work import Worker

people = load(sys.argv[1])(np.load(sys.argv[2]))
np.savez(sys.argv[3], keypoints=people.keypoints, boxes=people.boxes, points=people.points)
"""


def test_the_student_runs_without_torch_and_hosts_by_either_engine(student, pictures, tmp_path):
    model, wanted = student[2], student[2](pictures[0])
    np.save(tmp_path / "picture.npy", pictures[0])
    args = [model.path, str(tmp_path / "picture.npy"), str(tmp_path / "people.npz")]
    subprocess.run([sys.executable, "-c", WITHOUT_HOSTS, *args], check=True)
    found = np.load(tmp_path / "people.npz")
    for name in ("keypoints", "boxes", "points"):
        np.testing.assert_array_equal(found[name], getattr(wanted, name))
    pytest.importorskip("openvino", reason="openvino is not installed: pip install openvino")
    other = load(model.path, engine="openvino")
    for picture in (pictures[0], pictures[-1]):  # several people, and nobody
        wanted, found = model(picture), other(picture)
        assert len(found) == len(wanted)
        np.testing.assert_allclose(found.boxes, wanted.boxes, atol=0.01)
        np.testing.assert_allclose(found.keypoints, wanted.keypoints, atol=0.05)
        np.testing.assert_allclose(found.points, wanted.points, atol=1e-4)


def test_a_picture_without_people_has_people_of_no_length(student, pictures):
    found = student[2](pictures[-1])
    shapes = [value.shape for value in (found.keypoints, found.boxes, found.scores, found.points)]
    assert shapes == [(0, 17, 3), (0, 4), (0,), (0, 17, 3)]


def test_the_least_score_of_the_graph_and_of_the_runtime(tmp_path, pictures):
    config, weights = STUDENTS[0]
    low = load(export(config, weights, tmp_path / "low.onnx", least_score=0.3).model)
    many = low(pictures[0])
    assert low.least_score == pytest.approx(0.3) and many.scores.min() >= 0.3
    low.least_score = 0.84
    assert len(low(pictures[0])) < len(many)


@pytest.mark.slow
def test_half_and_int8_are_for_the_layers_that_take_the_time(tmp_path, pictures):
    import onnx

    config, weights = DETECTORS[1]
    files = {
        name: export(config, weights, tmp_path / f"{name}.onnx", score=False, calibration=3, **options).model
        for name, options in (("full", {}), ("half", {"half": True}), ("int8", {"int8": True}))
    }
    graph = onnx.load(files["int8"]).graph
    quantised = {node.input[0] for node in graph.node if node.op_type == "QuantizeLinear"}
    assert any("/backbone/" in name for name in quantised) and not any("/Add" == name[:4] for name in quantised)
    sizes = {name: path.stat().st_size for name, path in files.items()}
    assert sizes["half"] < 0.75 * sizes["full"] and sizes["int8"] < sizes["half"]
    found = {name: load(path) for name, path in files.items()}
    assert {name: model.metadata.precision for name, model in found.items()} == {
        "full": "fp32", "half": "fp16", "int8": "int8"
    }  # fmt: skip
    for picture in pictures[:3]:
        wanted = found["full"](picture)
        assert len(wanted)
        for name, pixels in (("half", 0.5), ("int8", 8.0)):
            boxes = found[name](picture).boxes
            assert np.abs(boxes[:, None] - wanted.boxes[:1]).max(-1).min() < pixels, name


def test_what_is_not_exported(tmp_path):
    config, weights = STUDENTS[0]
    with pytest.raises(ValueError, match="opset: found 15, expected 16"):
        export(config, weights, tmp_path / "old.onnx", opset=15)
    cascade = tmp_path / "cascade.yaml"
    cascade.write_text(f"_BASE_: {resource(DETECTORS[1][0])}\nMODEL: {{ROI_HEADS: {{NAME: CascadeROIHeads}}}}\n")
    with pytest.raises(ValueError, match="builds CascadeROIHeads, expected one of"):
        export(cascade, weights, tmp_path / "cascade.onnx")
    with pytest.raises(ValueError, match="is for another model|expected"):
        export(config, str(resource("demo/faster_rcnn_tiny.safetensors")), tmp_path / "other.onnx")
    assert not list(tmp_path.glob("*.onnx"))


def test_a_file_that_says_other_things_of_itself(student, tmp_path):
    import onnx

    from orplugins.deploy.metadata import KEY

    model = onnx.load(student[2].path)
    for wrong, said in (
        ({"channels": "grey"}, "input.channels: found 'grey', expected bgr or rgb"),
        ({"options": {}}, "input.options.sides: found None"),
    ):
        about = json.loads({each.key: each.value for each in model.metadata_props}[KEY])
        about["input"] |= wrong
        changed = onnx.ModelProto.FromString(model.SerializeToString())
        onnx.helper.set_model_props(changed, {KEY: json.dumps(about)})
        onnx.save(changed, str(tmp_path / "changed.onnx"))
        with pytest.raises(ValueError, match=re.escape(said)):
            load(tmp_path / "changed.onnx")
    with pytest.raises(ValueError, match="expected uint8"):
        student[2](np.zeros((20, 20), np.uint16))
