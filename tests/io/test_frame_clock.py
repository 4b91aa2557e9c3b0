"""Numbers in frame names: counted frames, every n-th frame, time stamps."""

import numpy as np
import pytest

from orplugins.io.frame_clock import frame_clock


def test_counted_frames_stay_as_they_are():
    clock = frame_clock([3, 4, 7], "x")
    assert clock.index.tolist() == [3, 4, 7] and clock.time is None and not clock.note and not clock.needs_fps


@pytest.mark.parametrize(
    "unit, ticks, fps",
    [("ms", 1e3, 30), ("us", 1e6, 30), ("ns", 1e9, 30), ("100 ns", 1e7, 30), ("ms", 1e3, 15), ("us", 1e6, 25)],
)
def test_time_stamps_of_every_unit(unit, ticks, fps):
    frames = np.array([0, 1, 2, 3, 5, 6, 9])
    stamps = [int(1_700_000_000 * ticks) + int(k * ticks / fps) for k in frames]
    clock = frame_clock(stamps, "x")
    assert clock.fps == fps and f"time stamps in {unit}" in clock.note
    assert (clock.index - clock.index[0]).tolist() == frames.tolist()
    np.testing.assert_allclose(clock.time - clock.time[0], frames / fps, atol=2e-3)


def test_two_cameras_with_the_same_clock_agree():
    stamps = [1_700_000_000_000_000 + 33333 * k for k in range(40)]
    first, second = frame_clock(stamps, "a"), frame_clock(stamps[7:], "b")
    assert first.index[7] == second.index[0]


def test_milliseconds_of_a_clock_of_the_device():
    clock = frame_clock([1_700_000_000 + 33 * k for k in range(40)], "x")
    assert clock.fps == 30 and "in ms" in clock.note


def test_jitter_keeps_its_times():
    stamps = [5_000_000_000 + t for t in (0, 30_000, 70_000, 101_000, 131_500)]
    clock = frame_clock(stamps, "x")
    assert clock.fps == 30 and (clock.index - clock.index[0]).tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(np.diff(clock.time), [0.03, 0.04, 0.031, 0.0305], atol=1e-6)


@pytest.mark.parametrize("step", [5, 33, 100])
def test_constant_steps_need_a_frame_rate(step):
    clock = frame_clock(range(0, 20 * step, step), "x")
    assert clock.needs_fps and clock.index.tolist() == list(range(20)) and f"steps of {step}" in clock.note


def test_a_known_rate_decides():
    clock = frame_clock(range(0, 2000, 100), "x", fps=10)
    assert clock.fps == 10 and "in ms" in clock.note


@pytest.mark.parametrize(
    "numbers, message",
    [
        ([0, 1, 2, 300_000_000], "frame number 300000000 comes after 2"),
        ([10**15, 10**15 + 7, 10**15 + 14], "time stamps in none of"),
        ([4, 4, 5], "frame number 4 is not above the one before it"),
    ],
)
def test_others_are_refused(numbers, message):
    with pytest.raises(ValueError, match=message):
        frame_clock(numbers, "x")


@pytest.mark.parametrize("start", [638_000_000_000_000_000, 133_400_000_000_000_000], ids=[".NET", "Windows"])
def test_ticks_since_the_years_1_and_1601(start):
    clock = frame_clock([start + round(k * 1e7 / 30) for k in range(20)], "x")
    assert clock.fps == 30 and "in 100 ns" in clock.note
