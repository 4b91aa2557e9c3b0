"""A motion set that is damaged is one clear error, and leads nowhere; a broken depth image is left out."""

import copy
import json
import shutil

import numpy as np
import pytest

from orplugins.cli.compare_on_set import main
from orplugins.io.json_fields import load_json
from orplugins.multiview.clip_set import read_motion_set
from orplugins.synthetic.export.mvor_layout import write_dataset

pytest.importorskip("scipy")
ANNOTATIONS = "annotations/coco17.json"


@pytest.fixture(scope="module")
def motion_set(tmp_path_factory):
    out = tmp_path_factory.mktemp("motion") / "set"
    write_dataset(out, 4, seed=34, size=(160, 120), views=2, people=(3, 3), motion=4, color=False)
    return out


@pytest.fixture
def changed(motion_set, tmp_path):
    """Return a writer of the set's annotations with something changed."""

    def write(change):
        data = copy.deepcopy(load_json(motion_set / ANNOTATIONS))
        data = [1] if change(data) == [1] else data
        path = tmp_path / "set" / ANNOTATIONS
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data))
        return tmp_path / "set"

    return write


def worker(data):
    return next(a for a in data["annotations"] if a.get("person_role") != "patient")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: worker(d).update(person_id="/../../x"), r"'person_id' is '/../../x', expected a name of letters"),
        (lambda d: worker(d).update(person_id=[1]), "'person_id' is"),
        (lambda d: worker(d).pop("person_id"), "missing key 'person_id'"),
        (lambda d: worker(d).pop("h36m_3d"), "missing key 'h36m_3d'"),
        (lambda d: worker(d).update(keypoints_3d=[0.0] * 50), "'keypoints_3d' has 50 numbers, expected 51"),
        (lambda d: worker(d).update(keypoints=None), "'keypoints' has null"),
        (lambda d: worker(d).update(image_id=5), "'image_id' is 5, expected the id of an image"),
        (lambda d: d["images"][0].update(file_name="../../x.png"), "'file_name' is '../../x.png', which leads out of"),
        (lambda d: d["images"][0].update(file_name="/etc/x.png"), "expected a path below it"),
        (lambda d: d["images"][0].pop("camera"), "missing key 'camera'"),
        (lambda d: d["images"][0].update(width=0), "Camera.size: found"),
        (lambda d: d["images"][0]["camera"].update(pose=[1.0] * 16), "Camera.pose: found"),
        (lambda d: d["images"][0]["camera"].update(intrinsics=[1, 2]), "'intrinsics' has 2 numbers, expected 4"),
        (lambda d: d["images"].append(d["images"][0]), "occur twice"),
        (lambda d: d.update(annotations={}), "annotations: found an object, expected a list"),
        (lambda d: [1], "expected an object with the key 'images'"),
    ],
)  # fmt: skip
def test_a_damaged_set_is_one_clear_error(changed, change, message, capsys, tmp_path):
    folder = changed(change)
    with pytest.raises(ValueError, match=message) as error:
        read_motion_set(folder)
    assert "coco17.json" in str(error.value) and "\n" not in str(error.value)
    assert main([str(folder), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.startswith("error: ") and not (tmp_path / "x").exists()


def test_a_cut_depth_image_does_not_stop_the_others(motion_set, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    shutil.copytree(motion_set, tmp_path / "set")
    paths = sorted((tmp_path / "set").glob("day1/cam*/depth/*.png"))
    for path in paths[::4]:
        path.write_bytes(path.read_bytes()[:200])
    assert main([str(tmp_path / "set"), "--out", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert "error: " in error and paths[0].name in error and "Traceback" not in error
    rows = {row["system"]: row for row in load_json(tmp_path / "out/summary.json")["rows"]}
    assert rows["2 cameras"]["in the room mm"] < 30 and np.isfinite(rows["1 camera, depth"]["joints found %"])
