"""Windows, padding, mirroring and streaming with a network whose answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orplugins.skeletons import COCO_17, H36M_17
from orplugins.videopose3d.screen import display_points, to_screen
from orplugins.videopose3d.sequence import (
    StreamingLifter,
    chunk_bounds,
    input_bounds,
    lift_normalised,
    lift_sequence,
    mirror,
    output_frames,
    window,
)

FIELD = 9


def middle(causal):
    """A 'network' that gives the frame that its output belongs to, with z = 1."""
    at = FIELD - 1 if causal else FIELD // 2

    def run(x):
        taken = x[:, at : x.shape[1] - (FIELD - 1 - at)]
        return np.concatenate([taken, np.ones_like(taken[..., :1])], -1)

    return run


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("frames", [1, 5, 30])
def test_every_frame_gets_its_own_output(causal, frames):
    clip = np.random.default_rng(0).normal(size=(frames, 17, 2)).astype(np.float32)
    found = lift_normalised(middle(causal), clip, FIELD, causal)
    np.testing.assert_array_equal(found[..., :2], clip)
    flipped = lift_normalised(middle(causal), clip, FIELD, causal, (COCO_17, COCO_17))
    np.testing.assert_allclose(flipped[..., :2], clip, atol=1e-6)


def test_streaming_gives_what_the_causal_pass_gives():
    clip = np.random.default_rng(0).normal(size=(20, 17, 2)).astype(np.float32)
    stream = StreamingLifter(middle(True), FIELD)
    np.testing.assert_array_equal(np.stack([stream.push(frame) for frame in clip])[..., :2], clip)
    stream.reset()
    np.testing.assert_array_equal(stream.push(clip[5])[..., :2], clip[5])


@given(st.integers(1, 100), st.integers(0, 30))
def test_chunks_cover_a_clip_once(frames, chunk):
    bounds = list(chunk_bounds(frames, chunk))
    covered = [t for start, stop in bounds for t in range(start, stop) if 0 <= t < frames]
    assert covered == list(range(frames))
    assert all(stop - start == (chunk or frames) for start, stop in bounds)


@pytest.mark.parametrize("causal", [False, True])
def test_output_frames_of_a_window(causal):
    clip = np.arange(50.0)[:, None]
    first, last = input_bounds(20, 24, FIELD, causal)
    assert output_frames(window(clip, first, last), 4, causal)[:, 0].tolist() == [20, 21, 22, 23]
    assert window(clip, -2, 1)[:, 0].tolist() == [0, 0, 0]


def test_resampling_to_another_rate_and_back():
    t = np.arange(60) / 30
    clip = np.stack([320 + 100 * np.sin(2 * t), 240 + 50 * t], -1)[:, None].repeat(17, 1)
    found = lift_sequence(middle(False), clip, (640, 480), FIELD, fps=30, resample_hz=50)
    assert found.shape == (60, 17, 3)
    np.testing.assert_allclose((found[:59, :, :2] + (1, 480 / 640)) * (640 / 2), clip[:59], atol=0.5)


def test_gaps_and_unknown_rates_are_refused():
    clip = np.full((5, 17, 2), np.nan)
    with pytest.raises(ValueError, match="NaN"):
        lift_sequence(middle(False), clip, (640, 480), FIELD)
    with pytest.raises(ValueError, match="frame rate"):
        lift_sequence(middle(False), np.zeros((5, 17, 2)), (640, 480), FIELD, resample_hz=50)


def test_mirroring_twice_changes_nothing():
    points = np.random.default_rng(0).normal(size=(4, 17, 3))
    for skeleton in (COCO_17, H36M_17, None):
        np.testing.assert_array_equal(mirror(mirror(points, skeleton), skeleton), points)


def test_a_jump_stays_a_jump_on_display():
    poses = np.random.default_rng(0).normal(size=(1, 17, 3)).repeat(3, 0)
    poses[1, :, 1] -= 0.3  # up, in camera axes
    shown = display_points(poses)
    assert shown[..., 2].min() == 0 and shown[1, :, 2].min() > 0.2


def test_screen_units():
    pixels = np.array([[0.0, 0.0], [640.0, 480.0], [320.0, 240.0]])
    np.testing.assert_allclose(to_screen(pixels, (640, 480)), [[-1, -0.75], [1, 0.75], [0, 0]])
