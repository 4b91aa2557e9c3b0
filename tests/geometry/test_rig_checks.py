"""Impossible calibrations are found with their cause; possible ones are not doubted."""

from dataclasses import replace

import numpy as np
import pytest

from orplugins.geometry.cameras import Camera
from orplugins.geometry.pose_direction import looks_inverted
from orplugins.geometry.rig_checks import at_size, camera_findings, field_of_view, rig_findings

UPS = {"z": (0, 0, 1.0), "y": (0, 1.0, 0), "-y": (0, -1.0, 0)}


def camera(**changes) -> Camera:
    return Camera(**{"fx": 525.0, "fy": 525.0, "cx": 319.5, "cy": 239.5, "size": (640, 480), **changes})


def looking(place, target, up, roll=0.0, **changes) -> Camera:
    z = np.subtract(target, place) / np.linalg.norm(np.subtract(target, place))
    x = np.cross(z, up)
    x /= np.linalg.norm(x)
    turn = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = np.stack([x, np.cross(z, x), z], 1) @ turn, place
    return camera(pose=pose, **changes)


def inverted(camera: Camera) -> Camera:
    return replace(camera, pose=np.linalg.inv(camera.pose))


def room(rng, up, count, roll=0.05, aim=0.3) -> list[Camera]:
    """Cameras below the ceiling around a room, aimed at its middle roughly."""
    up = np.array(up)
    a, b = (axis for axis in np.eye(3) if abs(axis @ up) < 0.5)
    middle = rng.uniform(-2, 2, 3)
    cameras = []
    for k in range(count):
        angle = 2 * np.pi * k / count + rng.normal(0, 0.15)
        radius = rng.uniform(1.5, 4)
        place = middle + radius * (a * np.cos(angle) + b * np.sin(angle)) + up * rng.uniform(1.5, 3)
        cameras.append(looking(place, middle + up + rng.normal(0, aim, 3), up, rng.normal(0, roll)))
    return cameras


@pytest.mark.parametrize("up", UPS.values(), ids=UPS)
def test_right_poses_are_not_doubted(up):
    rng = np.random.default_rng(0)
    for count in (2, 3, 4, 5) * 20:
        cameras = room(rng, up, count)
        assert not looks_inverted(cameras)
        first = np.linalg.inv(cameras[0].pose)
        assert not looks_inverted([replace(c, pose=first @ c.pose) for c in cameras])


@pytest.mark.parametrize("up", UPS.values(), ids=UPS)
def test_most_poses_read_the_wrong_way_round_are_found(up):
    rng = np.random.default_rng(1)
    found = [looks_inverted([inverted(c) for c in room(rng, up, count)]) for count in (3, 4, 5) * 20]
    assert np.mean(found) > 0.4


def test_cameras_that_look_at_the_axis_of_the_room_are_found():
    """Read the wrong way round they stand at one place and are rolled, and see each other's view."""
    up = np.array([0, 0, 1.0])
    places = ((3.6, -2.6, 2.2), (-3.6, -2.6, 2.2), (0.3, 4.4, 2.3))
    cameras = [looking(np.array(place), 0.9 * up, up) for place in places]
    assert not rig_findings(cameras, "abc")
    (found,) = rig_findings([inverted(c) for c in cameras], "abc")
    assert '"pose": "camera_to_world"' in found
    known = rig_findings([inverted(c) for c in cameras], "abc", direction_known=True)
    assert not any("pose" in text and "camera_to_world" in text for text in known)


@pytest.mark.parametrize("kind", ["in a row", "from the ceiling", "parallel", "portrait and landscape"])
def test_other_arrangements_are_not_doubted(kind):
    rng = np.random.default_rng(2)
    up = np.array([0, 0, 1.0])
    for _ in range(30):
        if kind == "in a row":
            cameras = [looking((3, 0.6 * k, 1.8), (0, 0.6 * k + rng.normal(0, 0.02), 1.8), up) for k in range(4)]
        elif kind == "from the ceiling":
            places = [np.array([*rng.uniform(-1.5, 1.5, 2), 2.8]) for _ in range(3)]
            cameras = [looking(p, p - up + rng.normal(0, 0.02, 3), (1.0, 0, 0), rng.choice([0, np.pi])) for p in places]
        elif kind == "parallel":
            cameras = [looking((0.3 * k, 0, 0), (0.3 * k, 0, 1), (0, -1.0, 0)) for k in range(3)]
        else:
            cameras = room(rng, up, 4)
            turned = looking(cameras[0].pose[:3, 3], cameras[0].camera_to_world(np.array([0, 0, 2.0])), up, np.pi / 2)
            cameras[0] = turned
        assert not looks_inverted(cameras)


def test_field_of_view():
    assert field_of_view(camera(fx=320.0, fy=240.0)) == (pytest.approx(90), pytest.approx(90))
    fisheye = camera(fx=320.0, fy=240.0, distortion=(0.0,) * 4, distortion_order="fisheye")
    assert field_of_view(fisheye)[0] == pytest.approx(np.degrees(2))
    assert camera_findings(replace(fisheye, fx=200.0, fy=200.0)) == []  # 183 degrees


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, None),
        ({"cx": 345.0, "cy": 210.0}, None),
        ({"cx": 239.5, "cy": 319.5}, "written as (height, width)"),
        ({"size": (480, 640)}, "written as (height, width)"),
        ({"size": (1920, 1440)}, "another resolution, 640x480"),
        ({"size": (1280, 720), "fx": 1365.0, "fy": 1365.0, "cx": 959.5, "cy": 539.5}, "another resolution, 1920x1080"),
        ({"size": (1280, 1024)}, "another resolution, 640x480"),
        ({"cx": 600.0}, "does not fit an image of 640x480"),
        ({"cx": -3.0}, "does not fit an image of 640x480"),
        ({"fx": 20.0, "fy": 20.0}, "a field of view of 173 degrees"),
        ({"fx": 5.0}, "looks like metres"),
    ],
)
def test_intrinsics(changes, message):
    found = camera_findings(camera(**changes))
    assert (not found) if message is None else (len(found) == 1 and message in found[0]), found


def test_scaling_keeps_the_view():
    full = camera(size=(1280, 960), fx=1050.0, fy=1050.0, cx=639.5, cy=479.5)
    small = at_size(full, (640, 480))
    assert (small.fx, small.cx, small.cy) == (525, 319.5, 239.5)
    assert at_size(small, (640, 480)) is small
    with pytest.raises(ValueError, match="cropped or turned"):
        at_size(full, (480, 640))


def test_two_cameras_with_one_pose():
    up = (0, 0, 1.0)
    cameras = [looking((3, 0, 2), (0, 0, 1), up), looking((0, 3, 2), (0, 0, 1), up), looking((3, 0, 2), (0, 0, 1), up)]
    assert rig_findings(cameras, "abc") == ["a and c are at the same place: one pose copied to both?"]
