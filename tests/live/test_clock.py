"""Clocks: offsets, jumps, and what is only late."""

import numpy as np
import pytest

from orplugins.live.clock import CameraClock, Clocks


def frames(offset=0.0, count=60, fps=15.0, delay=0.02):
    """(time stamp, arrival) of a camera whose clock is ahead by an offset."""
    rng = np.random.default_rng(0)
    taken = np.arange(count) / fps + 50
    return taken + offset, taken + delay + rng.exponential(0.01, count)


def test_the_least_delay_is_the_offset():
    clock = CameraClock("a")
    for time, arrival in zip(*frames(offset=1000.0), strict=True):
        assert clock.step(time, arrival) is None
    assert clock.offset == pytest.approx(-1000 + 0.02, abs=0.003)


@pytest.mark.parametrize("seconds", [5.0, -5.0, 3600.0])
def test_jumps(seconds):
    clock = CameraClock("a")
    time, arrival = frames()
    time = time + seconds * (np.arange(len(time)) >= 30)
    jumps = [(k, jump) for k in range(len(time)) if (jump := clock.step(time[k], arrival[k])) is not None]
    assert len(jumps) == 1 and jumps[0][0] == 30 and jumps[0][1].seconds == pytest.approx(seconds, abs=0.1)
    assert ("forwards" if seconds > 0 else "back") in str(jumps[0][1])
    assert clock.offset == pytest.approx(-seconds + 0.02, abs=0.01)  # learned anew


def test_frames_that_are_late_are_no_jump():
    """The system held frames back for two seconds, then gave all of them."""
    clock = CameraClock("a")
    time, arrival = frames()
    late = np.maximum(arrival, np.where((time > 51) & (time < 53), 53.0, arrival))
    assert not [jump for t, a in zip(time, late, strict=True) if (jump := clock.step(t, a))]
    assert clock.offset == pytest.approx(0.02, abs=0.003)


def test_drift_is_followed_and_memory_is_flat():
    clock = CameraClock("a", window=5.0)
    time, arrival = frames(count=3000)
    for t, a in zip(time * 1.0005, arrival, strict=True):  # half a second in a thousand
        assert clock.step(t, a) is None
        assert len(clock._least) < 100
    assert clock.offset == pytest.approx(arrival[-1] - time[-1] * 1.0005, abs=0.05)


def test_one_clock_for_several_cameras():
    """Time stamps of one clock keep their differences, however differently frames are delayed."""
    clocks = Clocks({"a": "trigger", "b": "trigger", "c": "own"})
    for k in range(30):
        t = 10 + k / 15
        one, _ = clocks.step("a", t, t + 0.01)
        two, _ = clocks.step("b", t + 0.003, t + 0.2)
        three, _ = clocks.step("c", t + 77, t + 0.02)
    assert two - one == pytest.approx(0.003) and three == pytest.approx(t + 0.02)
    assert clocks.apart()["c"] == pytest.approx(77 - 0.01, abs=1e-6) and clocks.apart()["a"] == 0


def test_a_camera_that_left_the_shared_clock():
    clocks = Clocks({"a": "trigger", "b": "trigger", "c": "trigger"})
    for k in range(30):
        t = 10 + k / 15
        jumped = 100.0 if k >= 15 else 0.0
        common = {name: clocks.step(name, t + (jumped if name == "b" else 0), t + 0.01)[0] for name in "abc"}
    assert common["a"] == common["c"] == pytest.approx(common["b"], abs=0.01)


def test_nothing_yet():
    assert Clocks({"a": "x"}).apart() == {}
