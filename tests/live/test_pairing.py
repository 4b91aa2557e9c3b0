"""Frames of one moment: complete ones, missing frames, rates, cameras that do not run."""

import numpy as np
import pytest

from orplugins.live.pairing import Pairing


def times(together):
    return {name: pytest.approx(value) for name, value in together.frames.items()}


def push_all(pairing, frames):
    """Frames (camera, time) in the order of their arrival; each is its own time."""
    return [moment for camera, time in frames for moment in pairing.push(camera, time, time)]


def test_complete_moments():
    pairing = Pairing(["a", "b"], 0.02)
    out = push_all(pairing, [("a", 0.0), ("b", 0.01), ("b", 0.076), ("a", 0.066)])
    assert [moment.frames for moment in out] == [{"a": 0.0, "b": 0.01}, {"a": 0.066, "b": 0.076}]
    assert out[0].time == 0 and out[0].spread == pytest.approx(0.01) and len(pairing) == 0


def test_a_frame_that_never_came():
    pairing = Pairing(["a", "b"], 0.02)
    out = push_all(pairing, [("a", 0.0), ("b", 0.0), ("a", 0.1), ("a", 0.2), ("b", 0.2)])
    assert [moment.frames for moment in out] == [{"a": 0, "b": 0}, {"a": 0.1}, {"a": 0.2, "b": 0.2}]


def test_cameras_of_different_rates():
    pairing = Pairing(["a", "b"], 0.01)
    arrivals = sorted([("a", k / 30) for k in range(60)] + [("b", k / 15) for k in range(30)], key=lambda f: f[1])
    sizes = [len(moment.frames) for moment in push_all(pairing, arrivals)]
    assert sizes.count(2) == 30 and sizes.count(1) >= 28


def test_order_of_arrival_does_not_matter():
    rng = np.random.default_rng(0)
    wanted = [{name: k / 15 for name in "abc"} for k in range(20)]
    for _ in range(20):
        order = [("abc"[c], k / 15) for k in range(20) for c in rng.permutation(3)]
        assert [moment.frames for moment in push_all(Pairing(list("abc"), 0.02), order)] == wanted


def test_out_of_step_by_more_than_the_tolerance():
    pairing = Pairing(["a", "b"], 0.02)
    arrivals = [(name, k / 15 + shift) for k in range(10) for name, shift in (("a", 0), ("b", 0.03))]
    assert {len(moment.frames) for moment in push_all(pairing, arrivals)} == {1}


def test_who_does_not_run_is_not_waited_for():
    pairing = Pairing(["a", "b"], 0.02)
    assert push_all(pairing, [("a", 0.0)]) == []
    assert [moment.frames for moment in pairing.stop("b")] == [{"a": 0}]
    assert len(push_all(pairing, [("a", 0.1)])) == 1
    assert push_all(pairing, [("b", 0.15), ("a", 0.2)])[-1].frames == {"b": 0.15}  # it runs again, and is waited for
    assert push_all(pairing, [("b", 0.2)])[0].frames == {"a": 0.2, "b": 0.2}


def test_overdue():
    pairing = Pairing(["a", "b"], 0.02)
    push_all(pairing, [("a", 0.0), ("a", 0.1)])
    assert [moment.frames for moment in pairing.overdue(0.05)] == [{"a": 0}]
    # What comes after that is of the past.
    assert push_all(pairing, [("b", -0.01)]) == [] and pairing.dropped["b"] == 1


def test_a_broken_frame_is_not_waited_for():
    pairing = Pairing(["a", "b"], 0.02)
    push_all(pairing, [("a", 0.1)])
    assert [moment.frames for moment in pairing.skip("b", 0.1)] == [{"a": 0.1}]


def test_memory_is_flat():
    pairing = Pairing(["a", "b"], 0.02, most=8)
    push_all(pairing, [("a", k / 15) for k in range(1000)])
    assert len(pairing) == 8 and pairing.dropped["a"] == 992


def test_a_clock_that_jumped():
    pairing = Pairing(["a", "b"], 0.02)
    push_all(pairing, [("a", 5.0)])
    pairing.reset("a")
    assert push_all(pairing, [("a", 0.0), ("b", 0.0)])[0].frames == {"a": 0, "b": 0}


def test_tolerance():
    with pytest.raises(ValueError, match="tolerance: found 0"):
        Pairing(["a"], 0)
