"""The parallel pair, one clip's cleaning, time offsets, mirrored pictures, exchanged cameras."""

import dataclasses

import numpy as np
import pytest

from orplugins.geometry.rectified import ParallelRig, triangulate_rectified
from orplugins.geometry.timeseries import running_median
from orplugins.geometry.triangulation import Code, triangulate
from orplugins.multiview.rectified_pair import clean_clip, row_offset, shift_sequence, stereo_clip, unmirror
from orplugins.skeletons import BODY_25
from orplugins.synthetic.motion_points import body_motion, in_skeleton, observe, parallel_cameras

RIG = ParallelRig(0.28, 525.0, (640, 480), (319.5, 239.5), (319.5, 239.5))


def take(frames=60, shift=0.0, action="walk"):
    """(left, right) people of one person, the right camera ``shift`` frames late, and the truth in left-camera axes."""
    rng = np.random.default_rng(3)
    points = in_skeleton(body_motion(rng, frames + 5, 30.0, action), BODY_25)
    left, right = parallel_cameras()
    times = np.arange(frames)
    later = points[times] + (points[times + 1] - points[times]) * shift
    truth = left.world_to_camera(points[:frames])
    return observe(left, points[:frames]), observe(right, later), truth


def people(view):
    return [frame[None] for frame in view]


def test_a_rectified_pair_is_a_special_rig():
    left, right, truth = take()
    xyz, code, _ = triangulate_rectified(left, right, RIG)
    general = triangulate(parallel_cameras(), np.stack([left, right]))
    ok = code == Code.OK
    assert ok.mean() > 0.8
    np.testing.assert_allclose(xyz[ok], truth[ok], atol=1e-9)
    np.testing.assert_allclose(parallel_cameras()[0].world_to_camera(general.points)[ok], truth[ok], atol=1e-6)


def test_a_focal_length_in_metres_is_refused():
    with pytest.raises(ValueError, match="looks like metres"):
        dataclasses.replace(RIG, focal_px=0.525)


def test_resizing_keeps_the_depth():
    left, right, _ = take(10)
    small = RIG.resized((320, 240))
    halves = [np.concatenate([(v[..., :2] + 0.5) / 2 - 0.5, v[..., 2:]], -1) * (v[..., 2:] > 0) for v in (left, right)]
    a, b = triangulate_rectified(left, right, RIG)[0], triangulate_rectified(*halves, small)[0]
    both = np.isfinite(a) & np.isfinite(b)
    np.testing.assert_allclose(a[both], b[both], atol=1e-9)


def test_whole_clip():
    left, right, truth = take()
    found = stereo_clip(people(left), people(right), RIG)
    ok = found.clip.code == Code.OK
    np.testing.assert_allclose(found.clip.xyz[ok], truth[ok], atol=1e-6)
    assert not np.isfinite(found.clip.xyz[found.clip.state == 0]).any()
    assert not found.corrected


def test_exchanged_cameras_are_named_and_can_be_exchanged():
    left, right, truth = take()
    with pytest.raises(ValueError, match="exchanged"):
        stereo_clip(people(right), people(left), RIG)
    found = stereo_clip(people(right), people(left), RIG, auto_swap=True)
    ok = found.clip.code == Code.OK
    # On the clock of the left camera, in the axes of the true left one.
    np.testing.assert_allclose(found.clip.xyz[ok], truth[ok], atol=1e-6)
    assert any("exchanged" in warning for warning in found.warnings)


def test_mirrored_pictures():
    left, right, truth = take()
    mirrored = [unmirror(view, 640) for view in (left, right)]  # mirroring is its own inverse
    found = stereo_clip(people(mirrored[0]), people(mirrored[1]), RIG, mirrored=True)
    ok = found.clip.code == Code.OK
    np.testing.assert_allclose(found.clip.xyz[ok], truth[ok], atol=1e-6)


def test_time_offset_is_found_and_taken_out():
    left, right, truth = take(shift=0.5)
    offset, correlation = row_offset(left, right)
    assert offset == pytest.approx(-0.5, abs=0.15) and correlation > 0.95
    with_it = stereo_clip(people(left), people(right), RIG, synchronise=False).clip
    without = stereo_clip(people(left), people(right), RIG).clip
    both = (with_it.code == 0) & (without.code == 0)
    errors = [np.linalg.norm(clip.xyz - truth, axis=-1)[both].mean() for clip in (with_it, without)]
    assert errors[1] < 0.5 * errors[0]


def test_different_lengths_are_said():
    left, right, _ = take()
    found = stereo_clip(people(left), people(right[:50]), RIG)
    assert len(found.clip.xyz) == 50 and "cut to 50" in found.warnings[0]


def test_nobody():
    empty = [np.zeros((0, 25, 3))] * 5
    with pytest.raises(ValueError, match="nobody"):
        stereo_clip(empty, empty, RIG)


def test_long_gaps_and_ends_stay_missing():
    _, _, truth = take()
    code = np.zeros(truth.shape[:2], dtype=int)
    xyz = truth.copy()
    for frames, joint in ((range(10, 15), 0), (range(20, 26), 0), (range(0, 3), 4)):
        xyz[list(frames), joint], code[list(frames), joint] = np.nan, Code.MISSING_LEFT
    clip = clean_clip(xyz, code)
    assert (clip.code[10:15, 0] == Code.FILLED).all() and (clip.state[10:15, 0] == 1).all()
    assert (clip.state[20:26, 0] == 0).all() and np.isnan(clip.xyz[20:26, 0]).all()
    assert (clip.state[0:3, 4] == 0).all()


def test_running_median_with_gaps():
    values = np.array([1.0, 2, 100, 4, 5, np.nan, np.nan, np.nan, np.nan])
    found = running_median(values, 2)
    expected = [np.nanmedian(values[max(0, t - 2) : t + 3]) for t in range(5)]
    np.testing.assert_allclose(found[:5], expected)
    assert np.isnan(found[6:]).all()


def test_shifting_by_whole_frames_is_exact():
    left, _, _ = take(20)
    np.testing.assert_allclose(shift_sequence(left, 2.0)[:18], left[2:])
