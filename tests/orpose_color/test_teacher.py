"""A teacher's labels, and the file they are kept in."""

from __future__ import annotations

import json

import numpy as np
import pytest
from people_files import toy, truth_teacher

from orplugins.io.coco_people import load_people
from orplugins.orpose_color.annotations import known_people
from orplugins.orpose_color.label_store import LabelStore
from orplugins.orpose_color.statistics import load_statistics
from orplugins.orpose_color.teacher import ThreeStageTeacher, Thresholds, dropped_rows

pytest.importorskip("cv2")


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """(annotation file, statistics)."""
    folder = tmp_path_factory.mktemp("toy")
    return toy(folder, 3), load_statistics(folder / "statistics.json")


def pictures(path):
    from orplugins.io.images import read_image

    return [read_image(p) for p in sorted((path.parent / "images").iterdir())]


def test_labels_are_the_truth_that_the_stages_know(scene):
    path, statistics = scene
    teacher, data = truth_teacher(path, statistics)
    found = [person for people in teacher.label(pictures(path)) for person in people]
    assert len(found) == len(data["annotations"])
    for label, person in zip(found, data["annotations"], strict=True):
        truth, hard = (np.reshape(each["keypoints"], (17, 3)) for each in (person, label))
        soft = np.reshape(label["keypoints_soft"], (17, 3))
        there = truth[:, 2] > 0
        assert (hard[:, 2] == np.where(there, 2, 0)).all() and label["num_keypoints"] == there.sum()
        np.testing.assert_allclose(hard[there, :2], truth[there, :2], atol=1e-3)
        np.testing.assert_allclose(soft[there, :2], truth[there, :2] + 0.5, atol=1e-3)
        np.testing.assert_allclose(label["keypoints2d_soft"], statistics.normalise_row(soft[None])[0], atol=1e-3)
        complete = there[3:].all()
        assert any(label["keypoints2d_hard"]) == complete
        assert label["keypoints2d_hard"] == (label["keypoints2d_soft"] if complete else [0] * 32)


def test_people_that_are_known(scene):
    path, statistics = scene
    teacher, data = truth_teacher(path, statistics)
    known = known_people(path)
    names = sorted(image["file_name"] for image in data["images"])
    hidden, missing = known[names[0]][1][0], known[names[0]][1][-1]
    hidden[10, 2], missing[16, 2] = 1, 0
    alone = ThreeStageTeacher(None, None, teacher.lifter, statistics)
    found = [person for people in alone.label_known([known[name] for name in names]) for person in people]
    truth = [joints for name in names for joints in known[name][1]]
    assert len(found) == len(data["annotations"])
    for label, person, joints in zip(found, data["annotations"], truth, strict=True):
        hard, soft = (np.reshape(label[key], (17, 3)) for key in ("keypoints", "keypoints_soft"))
        np.testing.assert_allclose(label["bbox"], person["bbox"], atol=1e-3)
        there = joints[:, 2] > 0
        np.testing.assert_allclose(hard[there, :2], joints[there, :2] - 0.5, atol=1e-3)
        np.testing.assert_allclose(soft[there, :2], joints[there, :2], atol=1e-3)
        assert (hard[:, 2] == np.where(there, 2, 0)).all()
        assert (soft[:, 2] == np.where(joints[:, 2] == 1, 0.5, there)).all()
        expected = statistics.normalise_row(joints[None])[0] if there[3:].all() else np.zeros(32)
        np.testing.assert_allclose(label["keypoints2d_hard"], expected, atol=1e-3)
        assert label["keypoints2d_soft"] == label["keypoints2d_hard"]


def test_thresholds(scene):
    path, statistics = scene
    teacher, _ = truth_teacher(path, statistics)

    def with_thresholds(**options):
        return ThreeStageTeacher(teacher.detector, teacher.pose, teacher.lifter, statistics, Thresholds(**options))

    images = pictures(path)
    assert not any(with_thresholds(detection=0.95).label(images))
    nobody_hard = [p for people in with_thresholds(hard=0.95).label(images) for p in people]
    assert nobody_hard and not any(p["num_keypoints"] for p in nobody_hard)
    filled = with_thresholds(lift="fill", min_hard_joints=1).label(images)
    assert all(any(p["keypoints2d_hard"]) for people in filled for p in people if p["num_keypoints"] > 3)
    with pytest.raises(ValueError, match="lift policy"):
        Thresholds(lift="some")
    with pytest.raises(ValueError, match="hard threshold"):
        Thresholds(hard=7)


def test_an_image_without_people_has_no_labels(scene):
    _, statistics = scene
    nobody = np.zeros((0, 4)), np.zeros(0)
    teacher = ThreeStageTeacher(
        lambda images: [nobody] * len(images),
        lambda images, boxes: [np.zeros((0, 17, 3))] * len(images),
        None,
        statistics,
    )
    assert teacher.label([np.zeros((5, 5, 3), np.uint8)]) == [[]]


def test_nan_from_a_stage_is_an_error(scene):
    path, statistics = scene
    teacher, _ = truth_teacher(path, statistics)
    broken = ThreeStageTeacher(
        teacher.detector, lambda i, b: [np.full((len(x), 17, 3), np.nan) for x in b], teacher.lifter, statistics
    )
    with pytest.raises(ValueError, match="pose estimator"):
        broken.label(pictures(path))


def _run(path, teacher, out, ranks=1, stop=None, torn=False):
    names = sorted(p.name for p in (path.parent / "images").iterdir())
    images = dict(zip(names, pictures(path), strict=True))
    done = 0
    for rank in range(ranks):
        store = LabelStore(out, {"det_threshold": 0.7}, rank)
        for name in names[rank::ranks]:
            if store.is_done(name):
                continue
            if stop is not None and done == stop:
                if torn:
                    store.path.write_bytes(store.path.read_bytes() + b'{"image": {"file_na')
                return done
            store.add(name, *images[name].shape[:2], teacher.label([images[name]])[0])
            done += 1
    LabelStore(out, {"det_threshold": 0.7}).merge(names)
    return done


def test_a_killed_run_and_shared_work_give_the_same_file(scene, tmp_path):
    path, statistics = scene
    teacher, _ = truth_teacher(path, statistics)
    assert _run(path, teacher, tmp_path / "one.json") == 3
    assert _run(path, teacher, tmp_path / "killed.json", stop=2, torn=True) == 2
    assert not (tmp_path / "killed.json").exists()
    assert _run(path, teacher, tmp_path / "killed.json") == 1  # what was finished is not done again
    _run(path, teacher, tmp_path / "two.json", ranks=2)
    texts = {(tmp_path / f"{name}.json").read_text() for name in ("one", "killed", "two")}
    assert len(texts) == 1
    assert not list(tmp_path.glob("*.parts"))
    data = load_people(tmp_path / "one.json")
    assert [image["id"] for image in data["images"]] == [1, 2, 3]
    assert 0 <= dropped_rows(data["annotations"]) <= 2 * len(data["annotations"])


def test_failures_are_kept_and_tried_again(tmp_path):
    store = LabelStore(tmp_path / "l.json", {})
    store.add("a.png", 4, 5, [])
    store.fail("b.png", "broken")
    assert store.is_done("a.png") and not LabelStore(tmp_path / "l.json", {}).is_done("b.png")
    with pytest.raises(ValueError, match="no note of c.png"):
        store.merge(["a.png", "b.png", "c.png"])
    summary = store.merge(["a.png", "b.png"])
    assert summary["failed"] == {"b.png": "broken"} and summary["images"] == 1
    assert [image["file_name"] for image in json.loads((tmp_path / "l.json").read_text())["images"]] == ["a.png"]


def test_other_settings_do_not_go_on_with_the_same_notes(tmp_path):
    LabelStore(tmp_path / "l.json", {"hard_threshold": 0.7})
    with pytest.raises(ValueError, match="hard_threshold differ"):
        LabelStore(tmp_path / "l.json", {"hard_threshold": 0.5})
