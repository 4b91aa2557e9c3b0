"""RefiNet's preparation: the fast, vectorised way against a plain one, properties, and bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.refinet_reference import published_cloud, published_patch
from orplugins.geometry.cameras import Camera
from orplugins.refinet.augment import dropped_joints, mirror_depth, mirror_joints
from orplugins.refinet.checks import checked_metres
from orplugins.refinet.clouds import CloudSettings, depth_to_points, joint_clouds
from orplugins.refinet.confidence import joint_confidence
from orplugins.refinet.depth_camera import ITOP_CAMERA, baracca_camera
from orplugins.refinet.lift import LiftSettings, lift
from orplugins.refinet.patches import PatchSettings, depth_patches
from orplugins.refinet.resample import Resampler, to_metres
from orplugins.refinet.skeleton import SkeletonScale

PUBLISHED_CLOUDS = CloudSettings(preparation="published", sampling="first")


def scene(seed: int, size=(240, 320), hole=0.05) -> np.ndarray:
    """A wall at 3.5 m with blocks in front of it, in millimetres that come from float16 metres."""
    rng = np.random.default_rng(seed)
    depth = 3.5 + 0.02 * rng.standard_normal(size)
    for _ in range(6):
        y, x = rng.integers(0, size[0] - 40), rng.integers(0, size[1] - 40)
        depth[y : y + 60, x : x + 40] = rng.uniform(1.5, 3.2) + 0.05 * rng.random()
    depth[rng.random(size) < hole] = 0
    return checked_metres(depth.astype(np.float16))


def joints_on(depth: np.ndarray, seed: int, count: int = 15) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pixels = rng.uniform((0, 0), depth.shape[::-1], (count, 2))
    return lift(pixels, depth, ITOP_CAMERA)[0] + rng.normal(0, 40, (count, 3))


@settings(max_examples=15)
@given(st.integers(0, 10**6))
def test_patches_are_those_of_the_plain_way(seed):
    depth = scene(seed % 5)
    joints = np.random.default_rng(seed).uniform(-80, 400, (15, 2))
    expected = [published_patch(joint, depth) for joint in joints]
    np.testing.assert_array_equal(depth_patches(joints, depth), expected)
    together = depth_patches(joints.reshape(3, 5, 2), depth)
    assert together.shape == (3, 5, 40, 40)
    np.testing.assert_array_equal(together.reshape(15, 40, 40), expected)


@settings(max_examples=8)
@given(st.integers(0, 10**6), st.booleans())
def test_clouds_are_those_of_the_plain_way(seed, half):
    depth = scene(seed % 5)
    joints = joints_on(depth, seed)
    valid = np.random.default_rng(seed).random(15) < 0.8
    found = joint_clouds(joints, valid, depth, ITOP_CAMERA, PUBLISHED_CLOUDS, half=half)
    points = depth_to_points(depth, ITOP_CAMERA, half).reshape(-1, 3)
    for k, joint in enumerate(joints):
        expected = published_cloud(joint, points) if valid[k] else np.zeros((2001, 3))
        np.testing.assert_allclose(found.points[k], expected, atol=5e-4)


@pytest.mark.parametrize(
    ("centre", "read"),
    [
        (20, (0, 40)),
        (100, (80, 120)),
        (300, (280, 320)),
        (310, (290, 320)),
        (340, None),
        (19, None),
        (-5, None),
        (-30, (270, 310)),
        (-330, (0, 10)),
    ],
)
def test_border_of_published_patches(centre, read):
    depth = np.broadcast_to(np.arange(1, 321, dtype=np.float32) * 10, (240, 320))
    patch = depth_patches([[centre, 100]], depth, PatchSettings(normalize="patch"))[0]
    if read is None:
        assert not patch.any()
    else:
        row = np.ptp(patch, axis=0) < 1e-6  # every row is alike
        assert row.all() and (np.diff(patch[0, : read[1] - read[0]]) > 0).all()


def test_correct_patches_stay_centred_and_are_filled_from_themselves():
    depth = np.full((240, 320), 2000.0, np.float32)
    depth[:, :10] = 1500
    patch = depth_patches([[0, 0]], depth, PatchSettings(preparation="correct", normalize="domain"))[0]
    mean = (10 * 1.5 + 10 * 2.0) / 20
    settings_ = PatchSettings()
    np.testing.assert_allclose(patch[20:, 20:30], (1.5 - settings_.mean) / settings_.std, rtol=1e-5)
    np.testing.assert_allclose(patch[:20], (mean - settings_.mean) / settings_.std, rtol=1e-5)
    away = depth_patches([[9000, -9000]], depth, PatchSettings(preparation="correct", normalize="joint"))
    assert not away.any()


@pytest.mark.parametrize("sampling", ["uniform", "farthest"])
def test_sampling_keeps_the_whole_body_part(sampling):
    depth = np.full((240, 320), 1200.0, np.float32)
    joint = np.array([[0.0, 0.0, 1200.0]])
    options = dict(preparation="correct", num_points=50)
    found = joint_clouds(joint, [True], depth, ITOP_CAMERA, CloudSettings(**options, sampling=sampling))
    first = joint_clouds(joint, [True], depth, ITOP_CAMERA, CloudSettings(**options, sampling="first"))
    assert found.count[0] == 50 and found.found[0] > 2000
    assert np.ptp(found.points[0, :50, 1]) > 1.8 > 0.2 > np.ptp(first.points[0, :50, 1])
    assert np.abs(found.points[0, :50]).max() <= 1


def test_few_points_widen_the_cube_and_none_are_no_error():
    depth = np.zeros((240, 320), np.float32)
    found = joint_clouds([[0, 0, 2000.0], [0, 0, 0.0]], [True, True], depth, ITOP_CAMERA)
    assert found.cube.tolist() == [450, 0] and not found.points.any()
    assert joint_clouds(np.zeros((0, 3)), np.zeros(0), depth, ITOP_CAMERA).points.shape == (0, 2001, 3)


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_lifting_and_projecting_are_inverse(seed):
    depth = scene(seed % 5)
    pixels = np.random.default_rng(seed).uniform((5, 5), (315, 235), (15, 2))
    for name in ("itop", "pixel", "baracca"):
        points, valid = lift(pixels, depth, ITOP_CAMERA, LiftSettings(name))
        np.testing.assert_allclose(ITOP_CAMERA.project(points)[valid], pixels[valid], atol=1e-4)
        assert not points[~valid].any()


def test_holes_take_the_persons_depth_only_where_asked():
    depth = np.full((240, 320), 2500.0, np.float32)
    depth[:, 200:] = 0
    pixels = np.array([[50.0, 50.0], [60, 60], [250, 100], [260, 100]])
    present = np.array([True, True, True, False])
    _, valid = lift(pixels, depth, ITOP_CAMERA, LiftSettings("pixel"), present)
    assert valid.tolist() == [True, True, False, False]
    points, valid = lift(pixels, depth, ITOP_CAMERA, LiftSettings("pixel", holes="person"), present)
    assert valid.tolist() == [True, True, True, False] and points[2, 2] == 2500
    empty = lift(pixels, np.zeros((240, 320), np.float32), ITOP_CAMERA, LiftSettings("pixel", holes="person"))
    assert not empty[1].any() and not empty[0].any()


def test_missing_joints_are_zeros_in_the_skeletons_input():
    poses = np.arange(45, dtype=float).reshape(15, 3) + 100
    valid = np.arange(15) % 2 == 0
    for root in ("camera", "median"):
        scaled = SkeletonScale(root=root)(poses, valid)
        assert not scaled[~valid].any() and scaled[valid].any()
    moved = SkeletonScale(root="median")(poses + [500, -300, 900], valid)
    np.testing.assert_allclose(moved, SkeletonScale(root="median")(poses, valid), atol=1e-9)
    assert not SkeletonScale(root="median")(poses, np.zeros(15, bool)).any()


def test_another_camera_sees_the_same_people():
    camera = Camera(540.0, 538.0, 322.0, 241.0, (640, 480), distortion=(0.05, -0.02, 0.001, 0.0005, 0.0))
    resampler = Resampler(camera)
    pixels = np.random.default_rng(0).uniform((100, 100), (540, 380), (15, 2))
    moved = resampler.joints(pixels)
    np.testing.assert_allclose(resampler.back(moved), pixels, atol=1e-4)
    depth = np.full((480, 640), 2000, np.uint16)
    depth[200:280, 300:380] = 1500
    small = resampler.depth(depth)
    assert small.shape == resampler.size[::-1]
    points, valid = lift(resampler.joints([[340.0, 240.0]]), small, resampler.camera, LiftSettings("pixel"))
    expected = camera.back_project(camera.undistort([[340.0, 240.0]]), 1.5)
    np.testing.assert_allclose(to_metres(points), expected, atol=1e-6)
    with pytest.raises(ValueError, match="found 100x50, expected 640x480"):
        resampler.depth(np.ones((50, 100), np.uint16))


def test_confidence_of_hidden_joints():
    depth = np.full((240, 320), 2000.0, np.float32)
    points = ITOP_CAMERA.back_project(np.full((1, 3, 2), 100.0), np.array([[2100.0, 2600.0, 0.0]]))
    valid = np.array([[True, True, False]])
    confidence, hidden = joint_confidence(points, valid, np.full((1, 3), 0.8), depth, ITOP_CAMERA)
    np.testing.assert_allclose(confidence, [[0.8, 0.4, 0]])
    assert hidden.tolist() == [[False, True, False]]


@pytest.mark.parametrize(
    ("depth", "message"),
    [
        (np.full((4, 4), 3.2, np.float32), "metres"),
        (np.full((4, 4), np.nan), "NaN"),
        (np.ones((4, 4, 3)), "shape"),
        (np.full((4, 4), -1.0), "expected millimetres from 0"),
        (np.array([["a"]]), "dtype"),
        (np.full((4, 4), 1e6), "up to 65535"),
        (np.zeros((0, 4)), "shape"),
    ],
)
def test_bad_depth_is_one_clear_error(depth, message):
    for call in (
        lambda: depth_patches([[1, 1]], depth),
        lambda: lift([[1, 1]], depth, ITOP_CAMERA),
        lambda: joint_clouds([[0, 0, 1000.0]], [True], depth, ITOP_CAMERA),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_other_bad_input():
    with pytest.raises(ValueError, match="these look like millimetres"):
        checked_metres(np.full((2, 2), 2500.0))
    with pytest.raises(ValueError, match="NaN"):
        checked_metres(np.full((2, 2), np.nan, np.float16))
    for joints in ([[np.nan, 0.0]], [[0.0]], np.zeros((2, 3))):
        with pytest.raises(ValueError, match="joints|pixels"):
            depth_patches(joints, np.ones((50, 50), np.uint16) * 1000)
    for options in (dict(size=5), dict(preparation="x"), dict(normalize="x")):
        with pytest.raises(ValueError, match=next(iter(options))):
            PatchSettings(**options)
    for make in (
        lambda: LiftSettings("x"),
        lambda: LiftSettings(holes="x"),
        lambda: SkeletonScale(root="x"),
        lambda: CloudSettings(sampling="x"),
        lambda: CloudSettings(cube=0),
        lambda: baracca_camera(45),
        lambda: SkeletonScale(std=(1, 0, 1)),
    ):
        with pytest.raises(ValueError, match="found"):
            make()


def test_a_mirrored_frame_lifts_to_the_mirrored_pose():
    rng = np.random.default_rng(5)
    depth = rng.integers(1500, 4000, (240, 320)).astype(np.float32)
    pixels = np.rint(rng.uniform((5, 5), (315, 235), (15, 2)))
    points, valid = lift(pixels, depth, ITOP_CAMERA, LiftSettings("pixel"))
    mirrored = mirror_depth(depth, ITOP_CAMERA)
    again, still = lift(mirror_joints(pixels, ITOP_CAMERA), mirrored, ITOP_CAMERA, LiftSettings("pixel"))
    assert valid.all() and still.all()
    np.testing.assert_allclose(again, mirror_joints(points), atol=1e-3)
    np.testing.assert_allclose(again[2], points[3] * (-1, 1, 1), atol=1e-3)  # right shoulder, left shoulder
    np.testing.assert_array_equal(mirror_joints(mirror_joints(points)), points)
    assert not mirror_joints(np.zeros((15, 2)), ITOP_CAMERA).any()
    np.testing.assert_array_equal(mirror_joints(np.arange(15)[:, None])[:4, 0], [0, 1, 3, 2])
    with pytest.raises(ValueError, match="multiple of 0.5"):
        mirror_depth(depth, replace(ITOP_CAMERA, cx=160.2))


def test_dropped_joints():
    rng = np.random.RandomState(0)
    pose = np.stack([np.linspace(0, 140, 15), np.linspace(0, 280, 15)], axis=1)
    assert not dropped_joints(pose, 0.0, 0.0, rng).any()
    assert not dropped_joints(pose, 1.0, 0.0, rng).any()  # too few would be left
    for _ in range(50):
        gone = dropped_joints(pose, 0.0, 1.0, rng)
        assert (~gone).sum() >= 4 and (np.diff(gone.astype(int)) != 0).sum() <= 1  # one end of the line
    share = np.mean([dropped_joints(pose, 0.1, 0.0, rng).mean() for _ in range(400)])
    assert 0.08 < share < 0.12
