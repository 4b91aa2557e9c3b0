"""What is refused before a network is loaded or a first step taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from people_files import toy

pytest.importorskip("detectron2")
pytest.importorskip("cv2")

from detectron2.data import DatasetCatalog, MetadataCatalog  # noqa: E402

from orplugins.cli.train_net import main as train_net  # noqa: E402
from orplugins.orpose_color.detectron2.datasets import register_people  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "configs/detectron2/orpose_color/orpose_tiny.yaml"
WEIGHTS = ROOT / "demo/orpose_tiny.safetensors"


@pytest.fixture
def people(tmp_path):
    return toy(tmp_path / "toy", 3)


def command(part: str, people: Path, out: Path, *more: str) -> list[str]:
    name = f"preflight_{out.parent.name}_{out.name}_{part}".lower()
    sets = [f"DATASETS.{part}_SET_NAME", name, f"DATASETS.{part}_SET_JSON", str(people)]
    sets += [f"DATASETS.{part}_SET_IMGDIR", str(people.parent / "images")]
    first = ["--eval-only"] if part == "TEST" else []
    options = ["MODEL.DEVICE", "cpu", "OUTPUT_DIR", str(out), *sets, *more]
    return ["--config-file", str(CONFIG), "--num-gpus", "0", *first, *options]


def change(people: Path, **fields) -> Path:
    content = json.loads(people.read_text())
    for person in content["annotations"]:
        person.update(fields)
    people.write_text(json.dumps(content))
    return people


@pytest.mark.parametrize(
    ("part", "fields", "options", "message"),
    [
        ("TEST", {"id": "1"}, [], "'id' is '1', expected a whole number"),
        ("TEST", {"category_id": "1"}, [], "'category_id' is '1', expected 1"),
        ("TEST", {}, ["MODEL.WEIGHTS", ""], "MODEL.WEIGHTS: is empty"),
        ("TEST", {}, ["DATASETS.H36_STATS_PATH", "none.json"], "none.json: no such file"),
        ("TRAIN", {}, [], "annotations have no 'keypoints_soft', which LOSS_WEIGHT_2DKEYPOINTS_SOFT needs"),
    ],
)
def test_one_line_before_the_work(people, tmp_path, capsys, part, fields, options, message):
    weights = ["MODEL.WEIGHTS", str(WEIGHTS)] if part == "TEST" else []
    assert train_net(command(part, change(people, **fields), tmp_path / "out", *weights, *options)) == 1
    printed = capsys.readouterr().err.strip().splitlines()
    assert printed[-1].startswith("error: ") and message in printed[-1]


def test_missing_images_and_nobody(people, tmp_path, capsys):
    (people.parent / "images" / json.loads(people.read_text())["images"][0]["file_name"]).unlink()
    assert train_net(command("TEST", people, tmp_path / "a", "MODEL.WEIGHTS", str(WEIGHTS))) == 1
    assert "1 of 3 images are missing" in capsys.readouterr().err
    content = json.loads(people.read_text())
    content["images"], content["annotations"] = content["images"][1:], []
    people.write_text(json.dumps(content))
    assert train_net(command("TEST", people, tmp_path / "b", "MODEL.WEIGHTS", str(WEIGHTS))) == 1
    assert "nobody is annotated" in capsys.readouterr().err


def test_evaluators_read_the_completed_file(people, tmp_path):
    content = json.loads(people.read_text())
    for person in content["annotations"]:
        del person["iscrowd"], person["area"]
        person["segmentation"] = {"counts": [0, 96 * 72], "size": [72, 96]}
    content["categories"].insert(0, {"id": 0, "name": "theatre", "supercategory": "none"})
    people.write_text(json.dumps(content))
    for _ in range(2):  # a name may be registered again with the same files
        register_people("completed", people, people.parent / "images")
        records = DatasetCatalog.get("completed")
    assert all("segmentation" not in person for record in records for person in record["annotations"])
    found = json.loads(Path(MetadataCatalog.get("completed").json_file).read_text())
    assert found["annotations"][0]["iscrowd"] == 0 and len(found["categories"]) == 1
    with pytest.raises(ValueError, match="is registered with"):
        register_people("completed", people, tmp_path)
