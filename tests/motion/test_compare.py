"""Time offset, alignment and agreement of two recordings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orplugins.geometry.similarity import align_clip, fit_similarity
from orplugins.geometry.timeseries import count_jumps, jitter, parabola_offset, resample
from orplugins.motion.compare import Recording, compare, compare_core
from orplugins.motion.measures import count_spikes
from orplugins.motion.offset import find_offset, overlap
from orplugins.skeletons import CORE_12, KINECT_20
from orplugins.synthetic.motion_points import body_motion


def clip(frames=150, seed=0, action="reach"):
    points = body_motion(np.random.default_rng(seed), frames, 30.0, action)
    return np.stack([points[name] for name in CORE_12.joints], 1)


def rotation(seed):
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q * np.sign(np.linalg.det(q))


@given(st.integers(0, 1000), st.floats(0.3, 3))
def test_a_similarity_is_recovered(seed, scale):
    points, turn = np.random.default_rng(seed).normal(size=(20, 3)), rotation(seed)
    found = fit_similarity(points, scale * points @ turn.T + (1, 2, 3))
    assert found.scale == pytest.approx(scale)
    np.testing.assert_allclose(found.rotation, turn, atol=1e-9)
    assert np.linalg.det(fit_similarity(points, points * (-1, 1, 1)).rotation) > 0  # never a mirror


def test_one_motion_twice_agrees_but_for_what_was_done_to_it():
    a = clip()
    b = 0.9 * a[12:] @ rotation(1).T + (1, 0, 2)
    found = compare_core(a, b, 30)
    assert found.offset.lag == -12
    similar = found.alignments["similarity"]
    assert similar.mpjpe < 1e-6 and similar.transform.scale == pytest.approx(1 / 0.9)
    assert found.alignments["rigid"].mpjpe > 5 and found.p_mpjpe < 1e-6
    assert all(angle.rmse < 1e-3 for angle in found.angles.values())


@pytest.mark.parametrize(("lag", "first", "last"), [(-12, 12, 150), (0, 0, 150), (12, 0, 138)])
def test_frames_without_a_partner_count_in_neither_clip(lag, first, last):
    a = clip()
    b = a[-lag:] if lag < 0 else np.concatenate([a[:lag][::-1], a])[: len(a)]
    left, right, start = overlap(a, b, lag)
    assert start == first and len(left) == last - first
    np.testing.assert_array_equal(left, a[first:last])
    np.testing.assert_array_equal(left, right)
    # A movement of A before B begins is not part of A's range of motion.
    if lag < 0:
        a = a.copy()
        a[:-lag, 4] += 0.5
        found = compare_core(a, b, 30)
        assert found.start == 12 and len(found.angles["left_elbow"].a) == len(found.common) == 138
        assert found.angles["left_elbow"].rom[0] == pytest.approx(found.angles["left_elbow"].rom[1])


def test_missing_joints_stay_missing():
    a, b = clip(), clip()
    b[30:60, 4] = np.nan
    found = compare_core(a, b, 30)
    assert found.sequences[1].missing_per_joint[4] == pytest.approx(30 / 150)
    assert not found.common[30:60, 4].any() and found.alignments["none"].mpjpe == pytest.approx(0)


def test_still_people_have_no_time_offset():
    a = np.repeat(clip(1), 90, 0)
    found = find_offset(a, a)
    assert found.lag == 0 and "not found" in found.warnings[0]


def test_a_periodic_motion_is_ambiguous():
    t = np.arange(240)
    a = np.repeat(clip(1), 240, 0)
    a[:, 4, 2] += 0.3 * np.sin(2 * np.pi * t / 12)
    assert any("ambiguous" in warning for warning in find_offset(a, a).warnings)


def test_nothing_in_common():
    a, b = clip(), clip()
    a[:, :6], b[:, 6:] = np.nan, np.nan
    with pytest.raises(ValueError, match="nothing to compare"):
        compare_core(a, b, 30)


def recording(name, xyz, fps=30.0, state=None, root="absolute"):
    full = np.full((len(xyz), 20, 3), np.nan)
    full[:, [KINECT_20.index(joint) for joint in CORE_12.joints]] = xyz
    there = np.isfinite(full).all(-1)
    return Recording(
        name, full, np.where(there, 2, 0) if state is None else state, np.arange(len(xyz)) / fps, fps, KINECT_20, root
    )


def test_frame_rates_and_roots():
    slow, fast = clip(100), None
    points = body_motion(np.random.default_rng(0), 200, 60.0, "reach")
    fast = np.stack([points[name] for name in CORE_12.joints], 1)
    found = compare(recording("a", slow), recording("b", fast, 60.0))
    assert found.offset.lag == 0 and found.alignments["none"].mpjpe < 2 and "resampled" in found.warnings[0]
    centred = slow - slow[:, 6:8].mean(1, keepdims=True)
    about = compare(recording("a", slow), recording("c", centred, root="hip_center"))
    assert about.alignments["similarity"].mpjpe < 1e-6 and "hips" in about.warnings[0]


def test_inferred_joints_can_be_left_out():
    a = clip()
    state = np.where(np.isfinite(recording("a", a).xyz).all(-1), 2, 0)
    state[:20] = np.minimum(state[:20], 1)
    assert compare(recording("a", a), recording("b", a, state=state), measured_only=True).common[:20].sum() == 0


def test_jumps_spikes_jitter():
    still = np.zeros((30, 12, 3))
    still[10, 3, 0] = 0.2
    assert count_spikes(still) == 1 and count_jumps(still, 30) == 2
    assert jitter(np.zeros((30, 12, 3)), 30) == 0


def test_resampling_does_not_fill_long_gaps():
    values = np.arange(20.0)[:, None]
    values[5:15] = np.nan
    found = resample(values, np.arange(20.0), np.arange(0, 19.1, 0.5), max_gap=3)
    assert np.isnan(found[9:28, 0][1:-1]).all() and np.isfinite(found[:9]).all()
    np.testing.assert_allclose(resample(values, np.arange(20.0), np.array([7.0]))[0], 7.0)


def test_parabola():
    assert (
        parabola_offset([0, 1, 0], 1) == 0 and parabola_offset([0, 1, 0.5], 1) > 0 and parabola_offset([1, 0], 0) == 0
    )


def test_unknown_alignment():
    with pytest.raises(ValueError, match="similarity"):
        align_clip(clip(), clip(), "affine", (6, 7))
