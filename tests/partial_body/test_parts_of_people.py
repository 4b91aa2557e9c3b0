"""Parts of people: joint states, connected parts, cuts, and the detector's average precision."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orplugins.partial_body.box_ap import box_ap
from orplugins.partial_body.crops import CUTS, cut_window, grow_part, inside, truncate
from orplugins.partial_body.joint_states import (
    LEAST_OUT_OF_VIEW,
    confusion,
    facing,
    judge,
    near_border,
    truncated_sides,
)
from orplugins.partial_body.udp import decode, half_body_ids, peaks
from orplugins.partial_body.udp_batch import decode_batch
from orplugins.skeletons import COCO_17, OCCLUDED, OUT_OF_VIEW, PATIENT_21, PATIENT_22, VISIBLE

# joint states


def test_truncated_sides():
    boxes = [[0, 10, 50, 60], [10, 1, 99, 79], [5, 5, 50, 50]]
    expected = [[1, 0, 0, 0], [0, 1, 1, 1], [0, 0, 0, 0]]
    np.testing.assert_array_equal(truncated_sides(np.array(boxes), (100, 80)), expected)


def test_judging_by_score_and_place():
    box = np.array([[20.0, 20, 60, 79]])  # the frame cuts it at the bottom
    points = np.array([[[40, 30], [40, 40], [40, 75], [40, 90], [25, 40]]], dtype=float)
    scores = np.array([[0.9, 0.1, 0.1, 0.9, 0.1]])
    expected = [VISIBLE, OCCLUDED, OUT_OF_VIEW, OUT_OF_VIEW, OCCLUDED]
    np.testing.assert_array_equal(judge(points, scores, box, (100, 80), 0.3)[0], expected)


def test_probabilities_decide_except_beyond_the_frame():
    points = np.array([[[40, 30], [40, 95]]], dtype=float)
    states = np.array([[[0.1, 0.7, 0.2], [0.0, 0.0, 1.0]]])
    found = judge(points, np.ones((1, 2)), np.array([[20, 20, 60, 79]]), (100, 80), 0.3, states)
    assert found.tolist() == [[OCCLUDED, OUT_OF_VIEW]]


def test_out_of_view_needs_its_least_probability():
    sure, unsure = LEAST_OUT_OF_VIEW + 0.01, LEAST_OUT_OF_VIEW - 0.01
    states = np.array([[[sure, 1 - sure, 0], [unsure, 0, 1 - unsure], [0.4, 0.31, 0.29]]])
    found = judge(np.full((1, 3, 2), 40.0), np.ones((1, 3)), np.array([[20, 20, 60, 79]]), (100, 80), 0.3, states)
    assert found.tolist() == [[OUT_OF_VIEW, VISIBLE, OCCLUDED]]


def test_near_border():
    crops = np.array([[0.0, 0, 100, 200]])
    points = np.array([[[50, 100], [2, 100], [50, 197], [50, 12]]], dtype=float)
    np.testing.assert_array_equal(near_border(points, crops, (300, 300))[0], [0, 1, 1, 0])
    np.testing.assert_array_equal(near_border(points, crops, (52, 300))[0], [1, 1, 1, 1])


def test_facing():
    scores = np.full((2, 22), 0.5)
    scores[0, PATIENT_22.index("back")] = 0.2
    scores[1, PATIENT_22.index("back")] = 0.8
    assert facing(scores, PATIENT_22).tolist() == [True, False]
    assert facing(scores[:, :21], PATIENT_21) is None


def test_confusion_leaves_unknown_out():
    counts = confusion(np.array([0, 1, 2, 2, -1]), np.array([0, 2, 2, 1, 1]))
    np.testing.assert_array_equal(counts, [[1, 0, 0], [0, 0, 1], [0, 1, 1]])


# parts and cuts


@given(st.integers(0, 2**31), st.integers(1, 17))
def test_parts_hang_together(seed, count):
    rng = np.random.default_rng(seed)
    allowed = rng.random(17) < 0.7
    allowed[5] = True
    part = set(grow_part(COCO_17.limbs, allowed, 5, count, rng).tolist())
    assert 1 <= len(part) <= count and all(allowed[list(part)])
    reached, edge = {5}, {5}
    both_ways = [*COCO_17.limbs, *((b, a) for a, b in COCO_17.limbs)]
    while edge:
        edge = {b for a, b in both_ways if a in edge and b in part} - reached
        reached |= edge
    assert reached == part


@given(st.sampled_from(["left", "top", "right", "bottom"]), st.floats(0, 0.9))
def test_truncation_leaves_the_rest(side, fraction):
    x1, y1, x2, y2 = truncate((200, 100), side, fraction)
    assert 0 <= x1 < x2 <= 200 and 0 <= y1 < y2 <= 100
    assert (x2 - x1) * (y2 - y1) == pytest.approx(200 * 100 * (1 - fraction), abs=200)


def standing(angle: float = 0.0) -> np.ndarray:
    """A person who faces the camera, 100 high, at (160, 120); turned about their middle."""
    points = np.zeros((17, 2))
    points[:5] = (0, -50)
    for k, name in enumerate(COCO_17.joints):
        side = {"l": 12, "r": -12}.get(name[0], 0)  # the subject's left is on the right of the picture
        heights = {"shoulder": -30, "elbow": -15, "wrist": 0, "hip": 5, "knee": 30, "ankle": 50}
        for part, y in heights.items():
            if part in name:
                points[k] = (side, y)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ turn.T + (160, 120)


@pytest.mark.parametrize("angle", [0.0, np.pi / 2, np.pi, 3 * np.pi / 2])
def test_cuts_keep_the_right_half(angle):
    points, labelled = standing(angle), np.ones(17, bool)
    seen = {cut: inside(points, cut_window(points, labelled, COCO_17, cut, (320, 240))) for cut in CUTS}

    def names(cut):
        return {name for name, there in zip(COCO_17.joints, seen[cut], strict=True) if there}

    assert {"nose", "left_shoulder", "right_wrist"} <= names("waist")
    assert not {"left_knee", "right_ankle"} & names("waist")
    assert {"nose", "left_shoulder"} <= names("chest") and not {"left_hip", "right_wrist"} & names("chest")
    assert {"left_hip", "left_ankle"} <= names("side") and not {"right_hip", "right_ankle"} & names("side")


def test_no_cut_without_the_joints_or_in_profile():
    points, labelled = standing(), np.ones(17, bool)
    labelled[COCO_17.index("left_hip")] = False
    assert cut_window(points, labelled, COCO_17, "waist", (320, 240)) is None
    points[:, 0] = 160
    assert cut_window(points, np.ones(17, bool), COCO_17, "side", (320, 240)) is None
    with pytest.raises(ValueError, match="cut is 'leg'"):
        cut_window(points, labelled, COCO_17, "leg", (320, 240))


# decoding


@given(st.floats(6, 41), st.floats(6, 57))
def test_decoding_finds_sub_pixel_peaks(x, y):
    columns, rows = np.arange(48), np.arange(64)[:, None]
    heat = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8).astype(np.float32)[None]
    for how, limit in (("udp", 0.03), ("quarter", 0.51), ("argmax", 0.51)):
        points, scores = decode(heat, how)
        assert np.abs(points[0] - (x, y)).max() <= limit and 0.9 < scores[0] <= 1


@given(st.floats(6, 15), st.floats(6, 21))
def test_batched_decoding_finds_sub_pixel_peaks(x, y):
    rows, columns = np.mgrid[:28, :22]
    heat = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8)
    maps = np.stack([heat, 0.5 * heat, 0 * heat]).reshape(3, 1, 28, 22)
    points, scores = decode_batch(maps)
    np.testing.assert_allclose(points[:2, 0], [(x, y)] * 2, atol=0.02)
    assert points[2, 0].tolist() == [-1, -1] and scores.shape == (3, 1) and scores[2, 0] == 0
    np.testing.assert_array_equal(maps[0, 0], heat)


def test_empty_maps_and_other_words():
    heat = np.stack([np.full((64, 48), -1.0), np.zeros((64, 48))]).astype(np.float32)
    points, scores = decode(heat)
    assert (points == -1).all() and (scores <= 0).all() and (peaks(heat)[0] == -1).all()
    with pytest.raises(ValueError, match="how is 'dark'"):
        decode(heat, "dark")


def test_half_bodies():
    upper = tuple(range(13))
    visible = np.ones(21)
    assert half_body_ids(visible, upper, True).tolist() == list(upper)
    assert half_body_ids(visible, upper, False).tolist() == list(range(13, 21))
    visible[2:] = 0
    assert half_body_ids(visible, upper, False).tolist() == [0, 1]
    visible[1] = 0
    assert half_body_ids(visible, upper, True) is None


# average precision


def detections(seed: int = 0) -> tuple[dict, list[dict]]:
    rng = np.random.default_rng(seed)
    annotations, found = [], []
    for image in range(1, 13):
        for category in (1, 2):
            if rng.random() < 0.7:
                box = [*rng.uniform(0, 50, 2), *rng.uniform(20, 60, 2)]
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": image,
                        "category_id": category,
                        "bbox": box,
                        "area": box[2] * box[3],
                        "iscrowd": 0,
                    }
                )
                if rng.random() < 0.8:
                    noisy = (np.array(box) + rng.normal(0, 3, 4)).tolist()
                    found.append({"image_id": image, "category_id": category, "bbox": noisy, "score": rng.random()})
            if rng.random() < 0.4:  # a false alarm
                found.append(
                    {
                        "image_id": image,
                        "category_id": category,
                        "bbox": [*rng.uniform(0, 50, 2), 30, 30],
                        "score": rng.random(),
                    }
                )
    truth = {
        "images": [{"id": k} for k in range(1, 13)],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "patient"}, {"id": 2, "name": "user"}],
    }
    return truth, found


def test_coco_figures_are_cocos():
    pytest.importorskip("pycocotools")
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth, found = detections()
    coco = COCO()
    coco.dataset = truth
    coco.createIndex()
    evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    ours = box_ap(truth, found)
    for name, value in zip(("AP", "AP50", "AP75"), evaluation.stats, strict=False):
        assert ours[name] == pytest.approx(100 * value, abs=1e-9)


def test_lvis_does_not_count_alarms_that_nobody_has_judged():
    pytest.importorskip("pycocotools")
    truth, found = detections()
    lvis = box_ap(truth, found, "lvis")
    judged = {(a["image_id"], a["category_id"]) for a in truth["annotations"]}
    free = [d for d in found if (d["image_id"], d["category_id"]) not in judged]
    assert free and lvis["AP"] > box_ap(truth, found)["AP"]
    assert lvis == box_ap(truth, [d for d in found if d not in free], "lvis")
    listed = {**truth, "images": [{**image, "neg_category_ids": [1, 2]} for image in truth["images"]]}
    assert box_ap(listed, found, "lvis")["AP"] == pytest.approx(box_ap(truth, found)["AP"])
    with pytest.raises(ValueError, match="protocol is 'voc'"):
        box_ap(truth, found, "voc")


def test_no_detections_are_zero():
    pytest.importorskip("pycocotools")
    truth, _ = detections()
    assert box_ap(truth, [])["AP"] == 0
