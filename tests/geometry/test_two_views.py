"""Two views without a calibration: the matrix, its distances, and the pose that it holds."""

import numpy as np
import pytest
from room_people import room_cameras

from orplugins.geometry.epipolar import epipolar_distance, fundamental_matrix
from orplugins.geometry.two_views import eight_points, essential_mismatch, line_distance, relative_poses


@pytest.fixture
def views():
    cameras = room_cameras(2)
    points = np.random.default_rng(0).uniform((-1.5, -1, 0), (1.5, 1.5, 1.8), (40, 3))
    return cameras, *(camera.project(points)[0] for camera in cameras)


def test_the_true_matrix_comes_out(views):
    cameras, first, second = views
    wrong = second.copy()
    wrong[:5] += 200
    weights = np.r_[np.zeros(5), np.ones(35)]
    found = eight_points(np.stack([first, first]), np.stack([wrong, second]), np.stack([weights, np.ones(40)]))
    true = fundamental_matrix(cameras)
    for matrix in found:
        assert np.abs(line_distance(matrix, first, second)).max() < 1e-6
        assert np.abs(np.abs(matrix) - np.abs(true) / np.linalg.norm(true)).max() < 1e-6


def test_distances_are_those_of_calibrated_cameras(views):
    cameras, first, second = views
    moved = second + 3.0
    signed = line_distance(fundamental_matrix(cameras), first, moved)
    assert np.abs(signed) == pytest.approx(epipolar_distance(cameras, first, moved))


def test_focal_length_and_pose(views):
    cameras, first, second = views
    matrix = eight_points(first, second, np.ones(40))
    right = essential_mismatch(matrix, *(camera.matrix for camera in cameras))
    wide = np.diag([1.5, 1.5, 1.0])
    assert right < 1e-6 and essential_mismatch(matrix, *(camera.matrix @ wide for camera in cameras)) > 0.001
    relative = np.linalg.inv(cameras[1].pose) @ cameras[0].pose
    poses = relative_poses(cameras[1].matrix.T @ matrix @ cameras[0].matrix)
    unit = relative[:3, 3] / np.linalg.norm(relative[:3, 3])
    off = [np.abs(r - relative[:3, :3]).max() + np.abs(t - unit).max() for r, t in poses]
    assert len(poses) == 4 and min(off) < 1e-5
