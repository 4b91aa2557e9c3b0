"""Joint sets and the maps between them."""

import numpy as np
import pytest

from orplugins.mvor.camma import coco_to_camma
from orplugins.skeletons import (
    BODY_25,
    CAMMA_10,
    COCO_17,
    H36M_17,
    ITOP_15,
    KINECT_20,
    OPENPOSE_18,
    SKELETONS,
    convert,
)


def poses(skeleton, seed=0, people=4, dimensions=3):
    rng = np.random.default_rng(seed)
    return np.concatenate(
        [
            rng.normal(size=(people, skeleton.num_joints, dimensions)),
            rng.uniform(0.2, 1, (people, skeleton.num_joints, 1)),
        ],
        -1,
    )


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_each_set_is_consistent(skeleton):
    flip = np.array(skeleton.flip_indices)
    assert np.array_equal(flip[flip], np.arange(skeleton.num_joints))
    for left, right in skeleton.flip_pairs:
        assert skeleton.joints[left].replace("left", "right") == skeleton.joints[right]
    ends = np.array(skeleton.limbs)
    assert ends.min() >= 0 and ends.max() < skeleton.num_joints
    # A drawing of the limbs reaches every joint.
    assert set(ends.ravel()) == set(range(skeleton.num_joints))


@pytest.mark.parametrize("target", SKELETONS.values(), ids=SKELETONS)
@pytest.mark.parametrize("source", SKELETONS.values(), ids=SKELETONS)
def test_mirroring_before_and_after_is_the_same(source, target):
    pose = poses(source)
    mirrored = convert(pose[:, source.flip_indices], source, target)
    np.testing.assert_allclose(mirrored, convert(pose, source, target)[:, target.flip_indices])


def test_coco_from_body25_has_the_published_indices():
    pose = poses(BODY_25)
    source = [0, 16, 15, 18, 17, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11]
    np.testing.assert_array_equal(convert(pose, BODY_25, COCO_17), pose[:, source])


def test_itop_from_body25_has_the_published_indices():
    pose = poses(BODY_25)
    source = [0, 1, 2, 5, 3, 6, 4, 7, 8, 9, 12, 10, 13, 11, 14]
    np.testing.assert_array_equal(convert(pose, BODY_25, ITOP_15), pose[:, source])


def test_openpose18_is_body25_without_mid_hip_and_feet():
    pose = poses(BODY_25)
    np.testing.assert_array_equal(convert(pose, BODY_25, OPENPOSE_18), np.delete(pose, [8, *range(19, 25)], 1))


def test_camma_from_coco_is_the_mvor_rule():
    rng = np.random.default_rng(1)
    pose = poses(COCO_17, people=200, dimensions=2)
    pose[rng.random(pose.shape[:2]) < 0.4] = 0
    ours = convert(pose, COCO_17, CAMMA_10)
    np.testing.assert_allclose(ours[..., :2], coco_to_camma(pose)[..., :2])


def test_h36m_from_coco():
    pose = poses(COCO_17)
    out = convert(pose, COCO_17, H36M_17)
    pelvis, thorax = pose[:, 11:13].mean(1), pose[:, 5:7].mean(1)
    for joint, expected in (
        (0, pelvis),
        (8, thorax),
        (7, (pelvis + thorax) / 2),
        (9, pose[:, 0]),
        (10, pose[:, 1:3].mean(1)),
        (3, pose[:, 16]),
        (13, pose[:, 9]),
    ):
        np.testing.assert_allclose(out[:, joint], expected)


def test_kinect():
    h36m = poses(H36M_17)
    out = convert(h36m, H36M_17, KINECT_20)
    np.testing.assert_allclose(out[:, 3], h36m[:, 9:11].mean(1))
    # Human3.6M's "feet" are ankles: Kinect's feet and hands stay missing.
    assert not out[:, [7, 11, 15, 19]].any()
    np.testing.assert_array_equal(out[:, 14], h36m[:, 6])
    feet = convert(poses(BODY_25), BODY_25, KINECT_20)[:, 15]
    np.testing.assert_allclose(feet, poses(BODY_25)[:, 19:21].mean(1))


def test_a_mean_of_a_missing_joint_is_missing():
    pose = poses(COCO_17)
    pose[:, 11] = 0
    out = convert(pose, COCO_17, H36M_17)
    assert not out[:, [0, 4, 7]].any() and (out[:, 8, -1] > 0).all()


def test_spine_fraction():
    pose = poses(COCO_17)
    out = convert(pose, COCO_17, KINECT_20, spine_fraction=0.2)
    np.testing.assert_allclose(out[:, 1], 0.8 * out[:, 0] + 0.2 * out[:, 2])
    assert not convert(pose, COCO_17, KINECT_20, spine_fraction=None)[:, 1].any()


def test_wrong_shapes_and_names_are_named():
    with pytest.raises(ValueError, match=r"\(4, 10, 4\).*17.*coco_17"):
        convert(poses(CAMMA_10), COCO_17, H36M_17)
    with pytest.raises(ValueError, match="coco_17 has no joint 'tail'"):
        COCO_17.index("tail")
