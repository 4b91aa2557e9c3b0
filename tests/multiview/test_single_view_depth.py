"""Joints placed by a depth picture: measured surfaces, holes, and what stands in front."""

import numpy as np
import pytest

from orplugins.geometry.cameras import Camera
from orplugins.multiview.single_view_depth import INSET, largest_body, place_by_depth
from orplugins.skeletons import COCO_17
from orplugins.synthetic.motion_points import body_motion, in_skeleton, observe, room_rig


@pytest.fixture
def scene():
    """A camera, a person's joints and detections, and a picture of discs around the joints before a far wall."""
    camera = room_rig()[0]
    joints = in_skeleton(body_motion(np.random.default_rng(3), 1, action="arms"), COCO_17)[0]
    keypoints = observe(camera, joints)
    depth = camera.world_to_camera(joints)[:, 2]
    picture = np.full((480, 640), 8000, dtype=np.uint16)
    rows, columns = np.mgrid[:480, :640]
    for k in np.argsort(-depth):
        near = (columns - keypoints[k, 0]) ** 2 + (rows - keypoints[k, 1]) ** 2 < 10**2
        picture[near] = round(1000 * (depth[k] - INSET[k]))
    return camera, joints, keypoints, picture


def test_joints_are_found_behind_their_surface(scene):
    camera, joints, keypoints, picture = scene
    body = np.arange(5, 17)  # discs of the face cover each other
    error = np.linalg.norm(place_by_depth(camera, keypoints, picture) - joints, axis=-1)
    assert np.median(error[body]) < 0.005 and np.nanmax(error[body]) < 0.3
    small = picture[::4, ::4]  # a sensor of lower resolution behind the same lens
    error = np.linalg.norm(place_by_depth(camera, keypoints, small) - joints, axis=-1)
    assert np.median(error[body]) < 0.03


def test_holes_and_what_is_in_front_leave_joints_missing(scene):
    camera, joints, keypoints, picture = scene
    hole = keypoints[9, :2].round().astype(int)
    picture[hole[1] - 25 : hole[1] + 26, hole[0] - 25 : hole[0] + 26] = 0
    feet = keypoints[13:17, 1].min().round().astype(int) - 12
    picture[feet:] = 1500  # a table hides knees and ankles
    keypoints[0] = 0
    found = place_by_depth(camera, keypoints, picture)
    missing = ~np.isfinite(found).all(-1)
    assert missing[[0, 9, 13, 14, 15, 16]].all() and not missing[[5, 6, 11, 12]].any()


def test_nobody(scene):
    camera, _, keypoints, picture = scene
    assert np.isnan(place_by_depth(camera, np.zeros((17, 3)), picture)).all()
    assert np.isnan(place_by_depth(camera, keypoints, np.zeros_like(picture))).all()
    keypoints[3:] = 0
    assert np.isnan(place_by_depth(camera, keypoints[:, [0, 1, 2]] * (1, 1, 0), picture)).all()


def test_the_largest_group_that_bones_join():
    points = np.full((17, 3), np.nan)
    points[[5, 6, 11, 12]] = [(0.2, 0, 1.4), (-0.2, 0, 1.4), (0.1, 0, 0.9), (-0.1, 0, 0.9)]
    points[[13, 15]] = [(0.1, -2, 0.5), (0.1, -2, 0.1)]
    assert np.flatnonzero(largest_body(points)).tolist() == [5, 6, 11, 12]


def test_another_camera_size():
    camera = Camera(fx=100, fy=100, cx=50, cy=50, size=(101, 101))
    keypoints = np.zeros((17, 3))
    keypoints[[5, 6, 11, 12]] = [(45, 40, 1), (55, 40, 1), (47, 58, 1), (53, 58, 1)]
    found = place_by_depth(camera, keypoints, np.full((202, 202), 2000, np.uint16))
    np.testing.assert_allclose(found[5], ((45 - 50) / 100 * 2.06, (40 - 50) / 100 * 2.06, 2.06), atol=1e-9)
