"""The tiny colour network adapted to a generated recording: files, resuming, the command's words and code."""

import json

import numpy as np
import pytest

from orplugins.adaptation.agreement import AgreementRules, FrameLabels
from orplugins.adaptation.fusion import Detections
from orplugins.adaptation.method import Labelled
from orplugins.orpose_color.adapt_labels import frame_labels, room_labels

from .generated import write_recording

SIZE = (64, 48)


def labels(count=1, unsure=0):
    joints = np.tile([10.5, 20.5, 0.9], (count, 17, 1))
    joints[:, 3, 2] = 0.1
    people = Detections(np.tile([4.0, 8, 16, 40], (count, 1)), np.full(count, 0.7), joints, np.ones(count))
    return FrameLabels(people, np.tile([30.0, 2, 40, 30], (unsure, 1)), np.zeros(count, dtype=bool))


def test_labels_in_a_teacher_files_form(tmp_path):
    from orplugins.io.coco_people import load_people

    content = frame_labels([Labelled(tmp_path / "a/b.png", labels(1, 1))], tmp_path, SIZE)
    (tmp_path / "labels.json").write_text(json.dumps(content))
    person, crowd = load_people(tmp_path / "labels.json")["annotations"]
    assert content["images"][0]["file_name"] == "a/b.png" and person["bbox"] == [4, 8, 12, 32]
    assert person["keypoints"][:3] == [10, 20, 2] and person["keypoints"][9:12] == [0, 0, 0]  # unsure: no hard label
    assert person["keypoints_soft"][9:12] == [10.5, 20.5, 0.1] and not any(person["keypoints3d_soft"])
    assert crowd["iscrowd"] == 1 and crowd["num_keypoints"] == 0


def test_rooms_get_smaller_with_their_labels():
    joints = [[0.0, 0, 0]] * 15 + [[9.0, 5, 1], [19.0, 5, 2]]
    person = {"image_id": 7, "bbox": [10, 4, 20, 40], "keypoints": np.ravel(joints).tolist()}
    image = {"id": 7, "file_name": "7.png", "width": 320, "height": 240}
    person = room_labels({"images": [image], "annotations": [person]}, [(32, 24)])["annotations"][0]
    assert person["bbox"] == pytest.approx([1, 0.4, 2, 4]) and person["num_keypoints"] == 1
    assert person["keypoints_soft"][-6:] == pytest.approx([0.95, 0.55, 0.5, 1.95, 0.55, 1])
    assert person["keypoints"][-6:] == pytest.approx([0, 0, 0, 1.45, 0.05, 2])


def test_unsure_regions_are_no_examples():
    pytest.importorskip("detectron2")
    from orplugins.hosts.detectron2.config import add_orplugins_config
    from orplugins.orpose_color.detectron2.adapt_mapper import NEITHER, AdaptMapper, Colours, Enlarge

    from detectron2.config import get_cfg  # isort: skip

    cfg = get_cfg()
    add_orplugins_config(cfg)
    mapper = AdaptMapper(cfg, (128, 96))
    assert [each["category_id"] for each in mapper.people([{"category_id": 0}, {"category_id": 0, "iscrowd": 1}])] == [
        0,
        NEITHER,
    ]
    np.random.seed(0)
    picture = np.full((48, 64, 3), 100, np.uint8)
    height, width = Enlarge((128, 96)).get_transform(picture).apply_image(picture).shape[:2]
    assert 70 < height < 127 and abs(width / height - 4 / 3) < 0.02
    changed = Colours().get_transform(picture).apply_image(picture)
    assert changed.dtype == np.uint8 and changed.std() > 0


@pytest.mark.slow
def test_a_recording_is_adapted_to_and_the_same_command_goes_on(tmp_path, monkeypatch, capsys):
    pytest.importorskip("detectron2")
    from orplugins.cli.adapt import main
    from orplugins.orpose_color.adapt import ColorMethod

    monkeypatch.setattr(ColorMethod, "rules", AgreementRules(sure=0.1, sure_still=0.1, least_presence=0.2))
    monkeypatch.setattr("orplugins.synthetic.export.small_rooms.SIZES", (SIZE,))
    write_recording(tmp_path / "frames", 22, SIZE, color=True)
    arguments = [str(tmp_path / "frames"), "--out", str(tmp_path / "out"), "--iterations", "3", "--size", "128x96"]
    arguments += ["--device", "cpu"]
    code = main(arguments)
    printed = capsys.readouterr()
    assert code in (0, 3), printed.err
    facts = json.loads((tmp_path / "out/adaptation.json").read_text())
    assert facts["people_labelled"] >= 10 and facts["size"] == [128, 96]
    weights = tmp_path / "out" / ("adapted.safetensors" if code == 0 else "not_recommended.safetensors")
    stamp = weights.stat().st_size
    assert stamp == pytest.approx(8.0e6, rel=0.2) and "recommended" in printed.out.splitlines()[-1]
    student = (tmp_path / "out/round1/student/student.safetensors").stat().st_mtime_ns
    assert (
        main(arguments) == code and (tmp_path / "out/round1/student/student.safetensors").stat().st_mtime_ns == student
    )
    assert main([*arguments, "--seed", "1"]) == 1 and "was begun with other seed" in capsys.readouterr().err
