"""Lens models: what OpenCV projects and undistorts, to 1e-6 pixels; no inverse is said, not invented."""

import numpy as np
import pytest

from orplugins.geometry.cameras import Camera, cameras_to_mvor
from orplugins.geometry.triangulation import triangulate

cv2 = pytest.importorskip("cv2")

# Numerator and denominator nearly cancel, as calibrations of the rational model do.
RATIONAL = (-9.1, 21.0, 4e-4, 7e-4, 30.0, -9.0, 20.4, 33.0)
LENSES = {
    "4": (0.1, -0.2, 0.001, -0.002),
    "5": (-0.3, 0.12, 0.001, -0.002, -0.02),
    "8": (0.4, 0.2, 0.001, -0.0005, 0.01, 0.7, 0.3, 0.02),
    "8 nearly cancelling": RATIONAL,
    "12": (*RATIONAL, 0.002, -0.001, 0.001, 0.0005),
    "14": (0.4, 0.2, 0.001, -0.0005, 0.01, 0.7, 0.3, 0.02, 0.002, -0.001, 0.001, 0.0005, 0.03, -0.02),
}
SIZE = (640, 480)


def camera(**changes) -> Camera:
    return Camera(**{"fx": 525.0, "fy": 520.0, "cx": 317.0, "cy": 242.0, "size": SIZE, **changes})


def grid() -> np.ndarray:
    return np.stack(np.meshgrid(np.linspace(0, 639, 33), np.linspace(0, 479, 25)), axis=-1)


@pytest.mark.parametrize("numbers", LENSES.values(), ids=LENSES)
def test_project_and_undistort_as_opencv_does(numbers):
    there = camera(distortion=numbers)
    points = np.random.default_rng(0).uniform([-0.5, -0.4, 1], [0.5, 0.4, 3], (200, 3))
    expected, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), there.matrix, np.array(numbers))
    pixels = there.project(points, distort=True)[0]
    np.testing.assert_allclose(pixels, expected[:, 0], atol=1e-9)
    ideal = there.project(points)[0]
    np.testing.assert_allclose(there.distort(ideal), pixels, atol=1e-9)
    np.testing.assert_allclose(there.undistort(pixels), ideal, atol=1e-6)
    np.testing.assert_allclose(there.back_project(pixels, points[:, 2], undistort=True), points, atol=1e-8)


@pytest.mark.parametrize("numbers", LENSES.values(), ids=LENSES)
def test_the_inverse_holds_over_the_image(numbers):
    there = camera(distortion=numbers)
    found = there.undistort(grid())
    assert np.isfinite(found).all()
    np.testing.assert_allclose(there.distort(found), grid(), atol=1e-6)
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 500, 1e-12)
    pixels = grid().reshape(-1, 1, 2)
    if len(numbers) < 14:  # OpenCV's fixed-point iteration is good for these
        theirs = cv2.undistortPointsIter(
            pixels, there.matrix, np.array(numbers), np.eye(3), there.matrix, criteria
        ).reshape(grid().shape)
        near = np.abs(there.distort(theirs) - grid()).max(-1) < 1e-7
        assert near.mean() > 0.2
        np.testing.assert_allclose(found[near], theirs[near], atol=1e-6)


@pytest.mark.parametrize("numbers", [(0.0,) * 4, (0.05, -0.01, 0.003, -0.001), (-0.02, 0.004, -0.001, 0.0002)])
def test_fisheye_as_opencv_does(numbers):
    there = camera(distortion=numbers, distortion_order="fisheye", fx=200.0, fy=201.0)
    points = np.random.default_rng(0).uniform([-3, -2, 1], [3, 2, 2], (200, 3))
    expected, _ = cv2.fisheye.projectPoints(points[:, None], np.zeros(3), np.zeros(3), there.matrix, np.array(numbers))
    pixels = there.project(points, distort=True)[0]
    np.testing.assert_allclose(pixels, expected[:, 0], atol=1e-8)
    ideal = there.project(points)[0]
    np.testing.assert_allclose(there.undistort(pixels), ideal, atol=1e-6)
    theirs = cv2.fisheye.undistortPoints(pixels[:, None], there.matrix, np.array(numbers), P=there.matrix)
    near = np.abs(there.distort(theirs[:, 0]) - pixels).max(-1) < 1e-8
    assert near.mean() > 0.5
    np.testing.assert_allclose(there.undistort(pixels)[near], theirs[near, 0], atol=1e-6)


def test_what_has_no_inverse_is_missing():
    # r (1 - 0.5 r^2) rises up to r = 0.816, where it is 0.544 (285 px), and falls beyond.
    folding = camera(distortion=(-0.5, 0, 0, 0))
    found = folding.undistort(np.array([[317.0 + 280, 242.0], [317.0 + 290, 242.0], [1e6, 1e6], [np.nan, 5.0]]))
    assert np.isfinite(found[0]).all() and np.isnan(found[1:]).all()
    assert found[0, 0] - 317 < 0.817 * 525
    fisheye = camera(distortion=(0.0,) * 4, distortion_order="fisheye", fx=200.0, fy=200.0)
    found = fisheye.undistort(np.array([[317.0 + 200 * 1.5, 242.0], [317.0 + 200 * 1.6, 242.0]]))
    np.testing.assert_allclose(found[0], [317 + 200 * np.tan(1.5), 242], atol=1e-6)
    assert np.isnan(found[1]).all()  # 91.7 degrees off the axis


def test_one_pixel_far_outside_does_not_harm_the_others():
    there = camera(distortion=RATIONAL)
    pixels = np.concatenate([grid().reshape(-1, 2), [[1e5, 1e5], [np.inf, 0.0]]])
    np.testing.assert_allclose(there.distort(there.undistort(pixels)[:-2]), grid().reshape(-1, 2), atol=1e-6)


@pytest.mark.parametrize(
    ("order", "numbers"),
    [("opencv", LENSES["8"]), ("opencv", LENSES["14"]), ("fisheye", (0.05, -0.01, 0.003, -0.001))],
)
def test_triangulation_takes_the_lens_out(order, numbers):
    rng = np.random.default_rng(1)
    points = rng.uniform([-0.4, -0.3, 1.5], [0.4, 0.3, 2.5], (17, 3))
    cameras = []
    for x in (-0.5, 0.0, 0.5):
        pose = np.eye(4)
        pose[0, 3] = x
        cameras.append(camera(distortion=numbers, distortion_order=order, pose=pose))
    views = [np.column_stack([c.project(points, distort=True)[0], np.ones(17)]) for c in cameras]
    found = triangulate(cameras, np.stack(views))
    np.testing.assert_allclose(found.points, points, atol=1e-7)


@pytest.mark.parametrize(
    ("order", "numbers"), [("opencv", (0.1,) * 6), ("opencv", (0.1,)), ("fisheye", (0.1,) * 5), ("fisheye", ())]
)
def test_other_counts_are_refused(order, numbers):
    with pytest.raises(ValueError, match="Camera.distortion: found"):
        camera(distortion=numbers, distortion_order=order)


def test_mvor_files_take_no_other_lens():
    for order, numbers in (("opencv", LENSES["8"]), ("fisheye", (0.0,) * 4)):
        with pytest.raises(ValueError, match="cameras_to_mvor: camera 1 has"):
            cameras_to_mvor([camera(distortion=numbers, distortion_order=order)])
    written = cameras_to_mvor([camera(distortion=(1e-3, 2e-3, 3e-3, 4e-3))])["intrinsics"][0]["distortion"]
    assert written == [1e-3, 2e-3, 0.0, 3e-3, 4e-3]
