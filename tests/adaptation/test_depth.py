"""Depth: views of a frame, labels, holes; the tiny network adapted to a generated recording."""

import json

import numpy as np
import pytest

from orplugins.adaptation.agreement import AgreementRules, FrameLabels
from orplugins.adaptation.fusion import single_view
from orplugins.depthpose.adapt import find_in_view, zoom
from orplugins.depthpose.adapt_labels import coco_file, pose_detections, with_holes
from orplugins.skeletons import COCO_17

from .generated import write_recording

SIZE = (64, 48)


def pose(x=20.0, y=10.0, score=0.5):
    """(1, 17, 3): all joints on a column, one pixel apart; the left wrist is two to the right."""
    joints = np.column_stack([np.full(17, x), y + np.arange(17), np.full(17, score)])
    joints[COCO_17.index("left_wrist"), 0] += 2
    return joints[None]


def test_a_nearer_view_magnifies_and_comes_nearer():
    picture = np.zeros((48, 64), np.uint16)
    picture[20:28, 28:36] = 3000
    near = zoom(picture, 2.0)
    assert near[16:32, 24:40].min() == near.max() == 1500 and (near > 0).sum() == 256
    assert (zoom(zoom(picture, 0.5), 2.0) == picture).all() and zoom(picture, 1.0) is not picture[::-1]


@pytest.mark.parametrize("scale", [1.0, 0.85, 1.15])
@pytest.mark.parametrize("mirrored", [False, True])
def test_joints_of_a_view_come_back(scale, mirrored):
    joints, picture = pose(), np.full((48, 64), 2000, np.uint16)

    def people(view):
        assert view.shape == (48, 64)
        seen = joints.copy()
        if mirrored:
            seen[..., 0] = 63 - seen[..., 0]
            seen = seen[:, COCO_17.flip_indices]
        seen[..., :2] = (seen[..., :2] - [31.5, 23.5]) * scale + [31.5, 23.5]
        return seen

    found = find_in_view(people, picture, scale, mirrored)
    assert found.keypoints == pytest.approx(joints) and found.scores == pytest.approx([0.5])


def test_few_joints_score_less_and_three_are_nobody():
    joints = pose()
    joints[0, 5:] = 0
    assert pose_detections(joints, SIZE).scores == pytest.approx([0.5 * np.sqrt(0.5)])
    joints[0, 3:] = 0
    assert len(pose_detections(joints, SIZE)) == 0
    assert len(pose_detections(np.zeros((0, 17, 3)), SIZE)) == 0


def test_what_is_unsure_becomes_a_hole_but_not_where_somebody_is():
    people = single_view(np.array([[10, 10, 20, 30]]), np.array([0.9]), pose())
    labels = FrameLabels(people, np.array([[15.0, 5, 30, 25]]), np.array([False]))
    picture = with_holes(np.full((48, 64), 2000, np.uint16), labels)
    assert picture[8, 18] == 0 and picture[12, 18] == 2000 and picture[20, 25] == 0 and picture[40, 40] == 2000


def test_labels_are_cocos(tmp_path):
    from orplugins.io.coco_people import load_people

    joints = pose(score=0.5)
    joints[0, 0, 2] = 0.05
    content = coco_file([("a.png", SIZE, joints), ("b.png", SIZE, np.zeros((0, 17, 3)))])
    (tmp_path / "labels.json").write_text(json.dumps(content))
    (person,) = load_people(tmp_path / "labels.json")["annotations"]
    assert len(content["images"]) == 2 and person["num_keypoints"] == 16
    assert person["keypoints"][:3] == [0, 0, 0] and person["keypoints"][3:6] == [20, 11, 2]


@pytest.mark.slow
def test_a_depth_recording_is_adapted_to(tmp_path, monkeypatch, capsys):
    pytest.importorskip("mmpose")
    from orplugins.cli.adapt import main
    from orplugins.depthpose.adapt import DepthMethod
    from orplugins.resources import resource

    low = AgreementRules(fuse_iou=0.4, least_score=0.02, sure=0.02, sure_still=0.02, least_presence=0.1, least_length=2)
    monkeypatch.setattr(DepthMethod, "rules", low)
    monkeypatch.setattr("orplugins.depthpose.adapt._ROOM_SIZE", SIZE)
    write_recording(tmp_path / "frames", 22, SIZE, color=False)
    tiny = [str(resource(f"{place}/depthpose_tiny-64x48.{end}"))
            for place, end in (("configs/mmpose/depthpose", "py"), ("demo", "safetensors"))]  # fmt: skip
    arguments = [str(tmp_path / "frames"), "--out", str(tmp_path / "out"), "--iterations", "4", "--device", "cpu"]
    code = main([*arguments, "--config", tiny[0], "--weights", tiny[1]])
    printed = capsys.readouterr()
    assert code in (0, 3), printed.err
    weights = tmp_path / "out" / ("adapted.safetensors" if code == 0 else "not_recommended.safetensors")
    from mmpose.apis import init_model

    init_model(tiny[0], str(weights), device="cpu")  # strict: nothing is missing
    assert json.loads((tmp_path / "out/adaptation.json").read_text())["people_labelled"] >= 10
