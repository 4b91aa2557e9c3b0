import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mvor_files import DETECTION, PERSON, shifted

from orplugins.mvor.pck import mvor_pck

FAR, HALF = shifted(DETECTION, 300, 200), shifted(DETECTION, 45, 0)
GOOD, NONE = [100, 100, 50, 100, 50], [0, 0, 0, 0, 0]


def pck(detections, persons=(PERSON,), threshold=0.2):
    """PCK of (pose, score) pairs in one image."""
    poses = np.array([pose for pose, _ in detections]).reshape(-1, 17, 3)
    scores = np.array([score for _, score in detections], dtype=float)
    return mvor_pck([7] * len(persons), np.array(persons), [7] * len(poses), poses, scores, threshold)


@pytest.mark.parametrize(
    ("detections", "columns"),
    [
        ([(DETECTION, 3)], GOOD),
        ([(FAR, 9), (DETECTION, 3)], GOOD),
        ([(FAR, 3), (DETECTION, 3)], NONE),
        ([(DETECTION, 3), (FAR, 3)], GOOD),
        ([(FAR, 3.0000005), (DETECTION, 3)], NONE),
        ([(FAR, 3.000002), (DETECTION, 3)], GOOD),
        ([(HALF, 3), (DETECTION, 2)], NONE),
        ([(FAR, 3)], NONE),
        ([], NONE),
        ([(np.zeros((17, 3)), 9), (DETECTION, 3)], GOOD),
    ],
)
def test_worked_cases(detections, columns):
    result = pck(detections)
    assert list(result.columns.values()) == [*columns, np.mean(columns)]
    assert result.persons == 1
    assert result.unmatched == (not any(pose is DETECTION or pose is HALF for pose, _ in detections))


def test_one_detection_serves_two_persons():
    result = pck([(DETECTION, 3)], [PERSON, shifted(PERSON, 4, 0)])
    assert list(result.columns.values())[:5] == GOOD and result.persons == 2


def test_a_right_hip_within_the_threshold_counts():
    assert pck([(DETECTION, 3)], threshold=20.1 / 91).columns["Hip"] == 100


def test_a_joint_missing_in_the_annotation_is_wrong_and_the_denominator_stays():
    result = pck([(DETECTION, 3)])
    assert result.joints[8] == 1 and result.joints[9] == 0


def test_persons_without_joints_are_left_out_and_other_images_have_no_influence():
    truth = np.stack([PERSON, np.zeros((10, 3))])
    result = mvor_pck([7, 7], truth, [8, 7, 9], np.stack([FAR, DETECTION, FAR]), [3, 3, 3])
    assert result.persons == 1 and list(result.columns.values())[:5] == GOOD


@given(st.permutations(range(6)), st.integers(0, 2**32 - 1))
def test_the_order_of_persons_and_of_distinct_scores_does_not_matter(order, seed):
    rng = np.random.default_rng(seed)
    people = np.array([shifted(PERSON, *rng.integers(0, 60, 2)) for _ in range(6)])
    poses = np.array([shifted(DETECTION, *rng.integers(0, 60, 2)) for _ in range(6)])
    images, scores = rng.integers(0, 2, 6), rng.permutation(6).astype(float)
    one = mvor_pck(images, people, images, poses, scores)
    order = list(order)
    two = mvor_pck(images[order], people[order], images[order], poses[order], scores[order])
    np.testing.assert_allclose(one.joints, two.joints)
    assert one.unmatched == two.unmatched


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gt_keypoints": np.ones((1, 17, 3))}, r"ground-truth keypoints have shape \(1, 17, 3\)"),
        ({"dt_keypoints": np.ones((1, 10, 3))}, r"detected keypoints have shape \(1, 10, 3\)"),
        ({"dt_keypoints": np.full((1, 17, 3), np.nan)}, "NaN"),
        ({"dt_scores": [np.nan]}, "scores"),
        ({"dt_scores": [1, 2]}, "scores"),
        ({"dt_image_ids": [7, 7]}, "2 image ids for 1 detected"),
        ({"gt_keypoints": np.zeros((1, 10, 3))}, "no annotated person"),
        ({"gt_keypoints": [], "gt_image_ids": []}, "no annotated person"),
    ],
)
def test_bad_input(change, message):
    good = {
        "gt_image_ids": [7],
        "gt_keypoints": PERSON[None],
        "dt_image_ids": [7],
        "dt_keypoints": DETECTION[None],
        "dt_scores": [1.0],
    }
    with pytest.raises(ValueError, match=message):
        mvor_pck(**{**good, **change})
