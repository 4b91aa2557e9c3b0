"""Cameras: projection and back-projection undo each other, as do distortion and undistortion; MVOR's fields."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orplugins.geometry.cameras import Camera, cameras_from_mvor, cameras_to_mvor


def rotation(vector):
    """Rodrigues' formula."""
    angle = np.linalg.norm(vector)
    if angle == 0:
        return np.eye(3)
    x, y, z = np.asarray(vector) / angle
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k


def make_camera(seed=0, **kwargs):
    rng = np.random.default_rng(seed)
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation(rng.normal(0, 1, 3)), rng.normal(0, 2, 3)
    return Camera(**{"fx": 540.0, "fy": 538.0, "cx": 316.0, "cy": 242.0, "size": (640, 480), "pose": pose, **kwargs})


@given(st.integers(0, 1000), st.floats(0, 639), st.floats(0, 479), st.floats(0.3, 10))
@settings(max_examples=50, deadline=None)
def test_back_projection_undoes_projection(seed, x, y, depth):
    camera = make_camera(seed)
    pixels, found = camera.project(camera.back_project(np.array([x, y]), depth))
    np.testing.assert_allclose(pixels, [x, y], atol=1e-7)
    np.testing.assert_allclose(found, depth, atol=1e-9)


def test_batches_have_any_leading_shape():
    camera = make_camera()
    points = camera.camera_to_world(np.random.default_rng(0).uniform(1, 3, (2, 5, 17, 3)))
    pixels, depth = camera.project(points)
    assert pixels.shape == (2, 5, 17, 2) and depth.shape == (2, 5, 17)
    np.testing.assert_allclose(camera.back_project(pixels, depth), points, atol=1e-9)
    np.testing.assert_allclose(camera.project(points[1, 3, 4])[0], pixels[1, 3, 4])
    assert camera.project(np.empty((0, 3)))[0].shape == (0, 2)


def test_world_and_camera_coordinates():
    camera = make_camera(3)
    points = np.random.default_rng(1).normal(size=(6, 3))
    np.testing.assert_allclose(camera.camera_to_world(camera.world_to_camera(points)), points, atol=1e-9)
    np.testing.assert_allclose(camera.world_to_camera(camera.pose[:3, 3]), 0, atol=1e-9)


def test_a_point_on_the_axis_falls_on_the_principal_point():
    pixels, depth = Camera(fx=500, fy=400, cx=10, cy=20, size=(64, 48)).project(np.array([0, 0, 2.0]))
    np.testing.assert_allclose(pixels, [10, 20])
    assert depth == 2


def test_resizing_keeps_the_corners():
    camera = make_camera()
    small = camera.resized((64, 48))
    points = camera.back_project(np.array([[-0.5, -0.5], [639.5, 479.5]]), 2.0)
    np.testing.assert_allclose(small.project(points)[0], [[-0.5, -0.5], [63.5, 47.5]], atol=1e-9)


# The distortions of MVOR's cameras; the third has its largest radial term at the corners.
LENSES = [(0.2788, -1.2543, 6.459, -0.0, 0.0007), (0.0197, -0.0508, 0.3164, -0.0001, 0.0006),
          (0.0267, -1.6653, 13.3344, -0.0025, 0.0002)]  # fmt: skip


@pytest.mark.parametrize("lens", LENSES)
def test_undistortion_undoes_distortion(lens):
    camera = make_camera(distortion=lens, distortion_order="mvor")
    grid = np.stack(np.meshgrid(np.linspace(0, 639, 21), np.linspace(0, 479, 17)), axis=-1)
    np.testing.assert_allclose(camera.undistort(camera.distort(grid)), grid, atol=1e-4)
    points = camera.back_project(grid, 2.0, undistort=True)
    np.testing.assert_allclose(camera.project(points, distort=True)[0], grid, atol=1e-4)


def test_undistort_marks_what_has_no_inverse():
    camera = make_camera(distortion=(-0.5, 0, 0, 0, 0))
    result = camera.undistort(np.array([[320.0, 240.0], [1e5, 1e5]]))
    assert np.isfinite(result[0]).all() and np.isnan(result[1]).all()


def test_the_two_distortion_orders_mean_the_same():
    k1, k2, k3, p1, p2 = LENSES[0]
    pixels = np.array([[20.0, 30.0], [600.0, 400.0]])
    opencv = make_camera(distortion=(k1, k2, p1, p2, k3)).distort(pixels)
    mvor = make_camera(distortion=(k1, k2, k3, p1, p2), distortion_order="mvor").distort(pixels)
    np.testing.assert_allclose(opencv, mvor)
    assert np.abs(opencv - pixels).max() > 1


def test_distortion_agrees_with_opencv():
    cv2 = pytest.importorskip("cv2")
    camera = make_camera(distortion=(0.1, -0.2, 0.001, -0.002, 0.05))
    points = np.random.default_rng(0).uniform([-0.5, -0.4, 1], [0.5, 0.4, 3], (20, 3))
    expected, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), camera.matrix, np.array(camera.distortion))
    pixels, _ = camera.project(camera.camera_to_world(points), distort=True)
    np.testing.assert_allclose(pixels, expected[:, 0], atol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fx": 0}, "Camera.fx"),
        ({"cx": np.nan}, "Camera.cx"),
        ({"size": (640, 0)}, "Camera.size"),
        ({"distortion": (1, 2)}, "Camera.distortion"),
        ({"distortion_order": "x"}, "Camera.distortion_order"),
        ({"pose": np.eye(3)}, "Camera.pose"),
        ({"pose": np.diag([1, 1, -1, 1])}, "rigid"),
        ({"pose": np.full((4, 4), np.nan)}, "Camera.pose"),
    ],
)
def test_bad_cameras_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        make_camera(**change)


def test_points_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"points: found shape \(4, 2\)"):
        make_camera().project(np.zeros((4, 2)))


def rig():
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation([0.1, 2.0, -0.3]), [-2.5, -0.6, 0.9]
    return [make_camera(pose=np.eye(4), distortion=LENSES[0], distortion_order="mvor"), make_camera(pose=pose)]


def test_mvor_cameras_are_read_as_written():
    room = np.eye(4)
    room[:3, :3], room[:3, 3] = rotation([1, 0, 0.5]), [1, 2, 3]
    params = cameras_to_mvor(rig(), first_to_room=room)
    assert params["extrinsics"][1][3] == pytest.approx(-2500)  # millimetres
    for camera, again in zip(rig(), cameras_from_mvor(params), strict=True):
        np.testing.assert_allclose(again.pose, camera.pose, atol=1e-12)
        np.testing.assert_allclose(again.matrix, camera.matrix)
        pixels = np.array([[5.0, 7.0], [630.0, 470.0]])
        np.testing.assert_allclose(again.distort(pixels), camera.distort(pixels))
        assert again.size == camera.size
    np.testing.assert_allclose(cameras_from_mvor(params, world="room")[0].pose, room, atol=1e-12)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: p.pop("intrinsics"), "camParams.intrinsics"),
        (lambda p: p["extrinsics"].pop(), "camParams.extrinsics"),
        (lambda p: p["extrinsics"][1].pop(), r"camParams.extrinsics\[1\]"),
        (lambda p: p["intrinsics"][1].pop("focallength"), r"camParams.intrinsics\[1\].focallength"),
        (lambda p: p["intrinsics"][0].update(imagesize=["a", "b"]), r"camParams.intrinsics\[0\].imagesize"),
    ],
)
def test_bad_mvor_cameras_are_refused(damage, message):
    params = cameras_to_mvor(rig())
    damage(params)
    with pytest.raises(ValueError, match=message):
        cameras_from_mvor(params)
    with pytest.raises(ValueError, match="firstCamToRoomRef|" + message):
        cameras_from_mvor(params, world="room")
