"""Generated depth frames: deterministic, and the joints lie where the picture shows them."""


import numpy as np
import pytest

from orplugins.core.camma import coco_to_camma
from orplugins.synthetic.body import COVER
from orplugins.synthetic.raycast import Ball, Box, Ellipsoid, Limb, Pinhole, cast
from orplugins.synthetic.solids import render_frame, render_views


def same(one, two):
    return all(
        np.array_equal(getattr(one, name), getattr(two, name))
        for name in ("depth_mm", "keypoints", "camma", "keypoints3d", "hands3d", "bboxes", "person_ids")
    )


def test_a_frame_depends_on_seed_and_index_alone():
    first = render_frame(3, 5, (160, 120))
    render_frame(3, 6, (160, 120))
    assert same(first, render_frame(3, 5, (160, 120)))
    assert not same(first, render_frame(3, 6, (160, 120)))
    assert not same(first, render_frame(4, 5, (160, 120)))


@pytest.mark.parametrize("index", range(8))
def test_joints_lie_in_the_rendered_bodies(index):
    frame = render_frame(1, index, noise=False)
    height, width = frame.depth_mm.shape
    assert (height, width) == (480, 640) and frame.depth_mm.dtype == np.uint16
    pixels, depth = frame.camera.project(frame.camera.camera_to_world(frame.keypoints3d))
    xy, v = frame.keypoints[..., :2], frame.keypoints[..., 2]
    np.testing.assert_allclose(xy[v > 0], pixels[v > 0], atol=1e-6)
    assert (xy[v == 0] == 0).all()
    assert (xy >= -0.5).all() and (xy < (width - 0.5, height - 0.5)).all()
    column, row = np.rint(xy[..., 0]).astype(int), np.rint(xy[..., 1]).astype(int)
    surface = frame.depth_mm[row, column] / 1000
    in_front = depth - surface
    cover = np.broadcast_to(COVER, depth.shape)
    assert (in_front[v == 2] < cover[v == 2] + 2e-3).all()
    assert (in_front[v == 2] > -2e-3).mean() > 0.99  # the joint is inside its body, so the surface is not behind it
    assert (in_front[v == 1] > cover[v == 1] - 2e-3).all()


@pytest.mark.parametrize("index", range(4))
def test_boxes_hold_the_joints(index):
    frame = render_frame(2, index)
    for box, joints in zip(frame.bboxes, frame.keypoints, strict=True):
        shown = joints[joints[:, 2] > 0, :2]
        assert (shown >= box[:2] - 1.5).all() and (shown <= box[:2] + box[2:] + 0.5).all()
        assert box[0] >= 0 and box[1] >= 0 and box[0] + box[2] <= 640 and box[1] + box[3] <= 480


def test_a_small_picture_shows_the_same_scene():
    large, small = render_frame(1, 2, noise=False), render_frame(1, 2, (160, 120), noise=False)
    np.testing.assert_allclose(small.keypoints3d, large.keypoints3d, atol=1e-9)
    both = (large.keypoints[..., 2] > 0) & (small.keypoints[..., 2] > 0)
    expected = (large.keypoints[..., :2] + 0.5) / 4 - 0.5
    np.testing.assert_allclose(small.keypoints[..., :2][both], expected[both], atol=1e-6)
    blocks = np.median(large.depth_mm.reshape(120, 4, 160, 4).astype(float), axis=(1, 3))
    assert np.median(np.abs(blocks - small.depth_mm)) < 15


def test_frames_without_people():
    frame = render_frame(0, 0, (64, 48), people=(0, 0))
    assert frame.depth_mm.any()
    assert frame.keypoints.shape == (0, 17, 3) and frame.camma.shape == (0, 10, 3) and frame.bboxes.shape == (0, 4)
    assert frame.keypoints3d.shape == (0, 17, 3) and frame.hands3d.shape == (0, 2, 3) and frame.person_ids.shape == (0,)


def test_camma_joints_follow_the_rules():
    frame = render_frame(1, 0, (160, 120))
    np.testing.assert_allclose(frame.camma[..., :2], coco_to_camma(frame.keypoints)[..., :2])
    assert np.isin(frame.camma[..., 2], (0, 1, 2)).all()


def test_people_are_of_human_size_and_left_is_left():
    sizes = []
    for index in range(12):
        frame = render_frame(7, index, (64, 48), people=(3, 3))
        room = frame.camera.camera_to_world(frame.keypoints3d)
        sizes += list(room[:, 1:3, 2].mean(axis=1))
        for joints in room:
            # The nose is in front of the ears: then the left ear is on the left of that direction, with z up.
            ahead, left = joints[0] - joints[3:5].mean(axis=0), joints[3] - joints[4]
            assert ahead[0] * left[1] - ahead[1] * left[0] > 0
            assert -0.05 < joints[15:, 2].min() < 0.3
    assert 1.2 < min(sizes) and max(sizes) < 1.95


def test_sensor_errors_leave_most_pixels_near_the_truth():
    exact, noisy = render_frame(1, 3, noise=False), render_frame(1, 3)
    both = (exact.depth_mm > 0) & (noisy.depth_mm > 0)
    assert 0.9 < both.sum() / (exact.depth_mm > 0).sum() < 1
    error = noisy.depth_mm[both].astype(float) - exact.depth_mm[both]
    assert abs(np.median(error)) < 5 and np.std(error) < 80


@pytest.mark.parametrize("index", range(3))
def test_views_show_the_same_people(index):
    frames = render_views(1, index, (160, 120), noise=False)
    assert len(frames) == 3
    seen = {}
    for frame in frames:
        room = frame.camera.camera_to_world(frame.keypoints3d)
        for person, joints, points in zip(frame.person_ids, frame.keypoints, room, strict=True):
            np.testing.assert_allclose(points, seen.setdefault(person, points), atol=1e-9)
            there = joints[:, 2] > 0
            np.testing.assert_allclose(frame.camera.project(points)[0][there], joints[there, :2], atol=1e-6)
    assert same(frames[0], render_views(1, index, (160, 120), views=1, noise=False)[0])


@pytest.mark.parametrize("bad", [{"seed": -1}, {"size": (0, 4)}, {"views": 4}, {"people": (3, 1)}])
def test_bad_arguments_are_refused(bad):
    with pytest.raises(ValueError, match="render: .*" + next(iter(bad))):
        render_views(**{"seed": 0, "index": 0, **bad})


PINHOLE = Pinhole(fx=100, fy=100, cx=49.5, cy=39.5, size=(100, 80))


def march(distance, pixel, steps=4000):
    """Depth along a pixel's ray by small steps: slow, and free of the formulas under test."""
    ray = np.array([(pixel[0] - 49.5) / 100, (pixel[1] - 39.5) / 100, 1])
    z = np.linspace(1, 4, steps)
    inside = distance(z[:, None] * ray) <= 0
    return z[np.argmax(inside)] if inside.any() else np.inf


def segment_distance(p, a, b, ra, rb):
    """A cone with round ends is the union of the balls on the segment whose radius goes from ra to rb."""
    t = np.linspace(0, 1, 60)
    centres, radii = a + t[:, None] * (b - a), ra + t * (rb - ra)
    return (np.linalg.norm(p[:, None] - centres, axis=-1) - radii).min(axis=1)


TURN = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
A, B = np.array([-0.3, -0.2, 2.2]), np.array([0.35, 0.25, 2.7])
SHAPES = {
    "ellipsoid": (
        [Ellipsoid(np.array([0.1, -0.1, 2.5]), TURN, np.array([0.5, 0.3, 0.2]))],
        lambda p: np.linalg.norm((p - [0.1, -0.1, 2.5]) @ TURN.T / [0.5, 0.3, 0.2], axis=-1) - 1,
    ),
    "box": (
        [Box(np.array([0.1, -0.1, 2.5]), TURN, np.array([0.5, 0.3, 0.2]))],
        lambda p: (np.abs((p - [0.1, -0.1, 2.5]) @ TURN.T) - [0.5, 0.3, 0.2]).max(axis=-1),
    ),
    "limb": ([Limb(A, B, 0.2, 0.1), Ball(A, 0.2), Ball(B, 0.1)], lambda p: segment_distance(p, A, B, 0.2, 0.1)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_solids_against_stepping_along_the_ray(name):
    solids, distance = SHAPES[name]
    depth = np.full((80, 100), np.inf)
    window, near, _ = cast(solids, PINHOLE)
    depth[window] = near
    wrong = 0
    for row in range(2, 80, 6):
        for column in range(1, 100, 7):
            expected = march(distance, (column, row), steps=400)
            if np.isinf(expected) != np.isinf(depth[row, column]):
                wrong += 1  # a grazing ray may fall between two steps
            elif np.isfinite(expected):
                assert depth[row, column] == pytest.approx(expected, abs=0.012)
    assert wrong <= 2


def test_solids_too_near_or_behind_are_not_drawn():
    for z in (-2, 0, 0.3):
        assert cast([Ball(np.array([0, 0, z]), 0.1)], PINHOLE)[2] is None
    assert cast([], PINHOLE)[1].size == 0
