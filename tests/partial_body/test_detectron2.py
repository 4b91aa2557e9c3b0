"""The partial-body detector: weights or an error, data sets by path, boxes of pictures."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")

from detectron2.checkpoint import DetectionCheckpointer  # noqa: E402
from detectron2.data import DatasetCatalog, MetadataCatalog  # noqa: E402
from detectron2.modeling import build_model  # noqa: E402

import orplugins  # noqa: E402, F401
from orplugins.io.weights import write_weights  # noqa: E402
from orplugins.partial_body.detectron2.datasets import load_partial_body, register_partial_body  # noqa: E402
from orplugins.partial_body.detectron2.detector import (  # noqa: E402
    PartialBodyDetector,  # noqa: E402
    class_names,
    detector_config,
)

CONFIG = Path(__file__).resolve().parents[2] / "configs/detectron2/partial_body/faster_rcnn_R_101_FPN_partial_body.yaml"
# Few channels; everything else as in the file.
NARROW = ["MODEL.RESNETS.DEPTH", "50", "MODEL.FPN.OUT_CHANNELS", "16", "MODEL.ROI_BOX_HEAD.FC_DIM", "16",
          "MODEL.RESNETS.RES2_OUT_CHANNELS", "16", "MODEL.RESNETS.STEM_OUT_CHANNELS", "8",
          "MODEL.RESNETS.WIDTH_PER_GROUP", "4", "INPUT.MIN_SIZE_TEST", "64"]  # fmt: skip


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return build_model(detector_config(CONFIG, ["MODEL.DEVICE", "cpu", *NARROW])).eval()


def save(path: Path, state: dict) -> Path:
    torch.save({"model": state}, path)
    return path


def test_boxes_of_pictures_of_any_size(model, tmp_path):
    weights = save(tmp_path / "detector.pth", model.state_dict())
    detector = PartialBodyDetector(CONFIG, weights, threshold=0.0, opts=NARROW)
    rng = np.random.default_rng(0)
    sizes = [(120, 160), (90, 50)]
    found = detector([rng.integers(0, 255, (*size, 3), dtype=np.uint8) for size in sizes])
    for (boxes, scores, labels), (height, width) in zip(found, sizes, strict=True):
        assert len(boxes) == len(scores) == len(labels) > 0 and set(labels) <= {"patient", "user"}
        assert (boxes >= 0).all() and (boxes[:, [0, 2]] <= width).all() and (boxes[:, [1, 3]] <= height).all()
        assert (np.diff(scores) <= 0).all()


def test_no_weights_no_boxes(model, tmp_path):
    with pytest.raises(ValueError, match="MODEL.WEIGHTS is empty"):
        PartialBodyDetector(CONFIG, opts=NARROW)
    with pytest.raises(FileNotFoundError, match="absent.pth"):
        PartialBodyDetector(CONFIG, tmp_path / "absent.pth", opts=NARROW)
    picture = np.zeros((64, 64, 3), np.uint8)
    backbone = {name: value for name, value in model.state_dict().items() if name.startswith("backbone.")}
    other = {**model.state_dict(), "roi_heads.box_predictor.cls_score.weight": torch.zeros(81, 16)}
    for name, state in (("backbone.pth", backbone), ("coco.pth", other)):
        file = save(tmp_path / name, state)
        with pytest.raises(ValueError, match=f"{name}: is for another model"):
            PartialBodyDetector(CONFIG, file, opts=NARROW)
        # The stock scripts load it with a line in the log.
        random = build_model(detector_config(CONFIG, ["MODEL.DEVICE", "cpu", *NARROW])).eval()
        DetectionCheckpointer(random).load(str(file))
        with pytest.raises(ValueError, match="the detector's last layer is random"):
            random([{"image": torch.as_tensor(picture.transpose(2, 0, 1))}])


def test_stock_loading_takes_safetensors_and_no_code(model, tmp_path):
    file = tmp_path / "detector.safetensors"
    write_weights(file, model.state_dict(), {})
    options = ["MODEL.DEVICE", "cpu", *NARROW, "MODEL.WEIGHTS"]
    other = build_model(detector_config(CONFIG, [*options, str(file)])).eval()
    DetectionCheckpointer(other).load(str(file))
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in model.state_dict().items())
    with open(tmp_path / "code.pkl", "wb") as evil:
        pickle.dump({"model": Path}, evil)
    with pytest.raises(ValueError, match="code.pkl"):
        build_model(detector_config(CONFIG, [*options, str(tmp_path / "code.pkl")]))


def test_categories_of_another_set_are_refused(tmp_path):
    path = tmp_path / "coco.json"
    path.write_text(json.dumps({"images": [], "annotations": [], "categories": [{"id": 1, "name": "person"}]}))
    with pytest.raises(ValueError, match=r"coco.json: 'categories' are \[\(1, 'person'\)\], expected \[\(1, 'pat"):
        load_partial_body("none", path, tmp_path)
    path.write_text("{}")
    with pytest.raises(ValueError, match="coco.json: missing key 'categories'"):
        load_partial_body("none", path, tmp_path)


# detectors of other classes, files of other tools


def test_classes_of_a_general_detector():
    cfg = detector_config("COCO-Detection/faster_rcnn_R_50_FPN_3x.yaml")
    assert len(class_names(cfg)) == 80 and class_names(cfg)[:2] == ("person", "bicycle")
    cfg.MODEL.ROI_HEADS.NUM_CLASSES = 1
    assert class_names(cfg) == ("person",)
    cfg.MODEL.ROI_HEADS.NUM_CLASSES = 3
    with pytest.raises(ValueError, match="the detector has 3 classes .*, expected 2"):
        class_names(cfg)
    with pytest.raises(FileNotFoundError, match="not a name in detectron2's model zoo"):
        detector_config("none.yaml")
    with pytest.raises(ValueError, match="options FOO bar: Non-existent"):
        detector_config("COCO-Detection/faster_rcnn_R_50_FPN_3x.yaml", ["FOO", "bar"])


def test_a_set_without_what_cocos_evaluation_needs(tmp_path):
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 20, "height": 10}],
        "annotations": [{"id": 0, "image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4], "segmentation": [[1, 2]]}],
        "categories": [{"id": 1, "name": "patient"}, {"id": 2, "name": "user"}],
    }
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(content))
    register_partial_body("incomplete", path, tmp_path)
    (record,) = DatasetCatalog.get("incomplete")
    assert record["annotations"][0]["iscrowd"] == 0 and record["annotations"][0]["category_id"] == 1
    truth = json.loads(Path(MetadataCatalog.get("incomplete").json_file).read_text())
    assert truth["annotations"][0]["id"] == 1 and truth["annotations"][0]["area"] > 0
    content["images"][0]["file_name"] = "../a.png"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="leads out of"):
        DatasetCatalog.get("incomplete")
