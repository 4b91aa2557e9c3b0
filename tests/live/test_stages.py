"""Queues that never grow, stages, percentiles, events."""

import threading
import time

import numpy as np
import pytest

from orplugins.live.events import Events
from orplugins.live.latency import Histogram, Latency
from orplugins.live.stages import Closed, NewestQueue, Stage


def test_the_newest_wins():
    queue = NewestQueue(2)
    for k in range(5):
        queue.put(k)
    assert [queue.get(), queue.get()] == [3, 4] and queue.dropped == 3


def test_a_complete_moment_does_not_give_way_to_a_poor_one():
    queue = NewestQueue(1)
    queue.put("three cameras", 3)
    queue.put("one camera", 1)
    assert queue.get() == "three cameras"
    queue.put("one camera", 1)
    queue.put("three cameras", 3)
    assert queue.get() == "three cameras"


def test_keep_all_waits():
    queue, taken = NewestQueue(1, keep_all=True), []
    thread = threading.Thread(target=lambda: [queue.put(k) for k in range(20)])
    thread.start()
    for _ in range(20):
        taken.append(queue.get())
    thread.join(5)
    assert taken == list(range(20)) and queue.dropped == 0


def test_a_closed_queue_gives_what_it_has():
    queue = NewestQueue(3)
    queue.put(1)
    queue.close()
    queue.put(2)
    assert queue.get() == 1
    with pytest.raises(Closed):
        queue.get()


def test_who_waits_is_woken():
    queue, out = NewestQueue(1), []

    def wait():
        try:
            queue.get()
        except Closed:
            out.append("closed")

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.05)
    queue.close()
    thread.join(5)
    assert out == ["closed"]


def run_stage(work):
    inbox, outbox, notes, errors = NewestQueue(9), NewestQueue(9), [], []
    stage = Stage("work", work, inbox, outbox, lambda *note: notes.append(note), errors.append)
    for k in range(4):
        inbox.put([k])
    inbox.close()
    stage.thread.start()
    stage.thread.join(5)
    return outbox, notes, errors


def test_a_stage_hands_on_and_notes_times():
    outbox, notes, errors = run_stage(lambda item: item.append("seen"))
    assert [outbox.get() for _ in range(4)] == [[k, "seen"] for k in range(4)] and not errors
    assert [name for _, name, _ in notes] == ["work"] * 4 and all(seconds >= 0 for *_, seconds in notes)
    with pytest.raises(Closed):
        outbox.get()


def test_an_error_reaches_the_caller_and_ends_what_follows():
    def work(item):
        raise KeyError("broken")

    outbox, _, errors = run_stage(work)
    assert isinstance(errors[0], KeyError)
    with pytest.raises(Closed):
        outbox.get()


def test_percentiles():
    times = np.random.default_rng(0).lognormal(-4, 1, 20_000)
    histogram = Histogram()
    for each in times:
        histogram.add(each)
    for share in (0.5, 0.9, 0.99):
        assert histogram.percentile(share) == pytest.approx(np.quantile(times, share), rel=0.03)
    assert histogram.most == times.max() and histogram.count == 20_000


def test_percentiles_of_little():
    assert np.isnan(Histogram().percentile(0.5))
    latency = Latency()
    for seconds in (-1.0, 0.0, 1e9):
        latency.add("a", seconds)
    assert latency.table()["a"]["count"] == 3 and latency.table(["b"]) == {}


def test_events_are_said_once_and_all_counted():
    told = []
    events = Events(told.append, every=60)
    for k in range(100):
        events.add("broken frame", "cam1", f"frame {k}")
    events.add("broken frame", "cam2", "frame 0")
    events.add("stalled", "cam2", always=True)
    events.add("stalled", "cam2", always=True)
    assert [str(event) for event in told] == [
        "cam1: broken frame: frame 0", "cam2: broken frame: frame 0", "cam2: stalled", "cam2: stalled"]  # fmt: skip
    assert events.summary() == {"cam1": {"broken frame": 100}, "cam2": {"broken frame": 1, "stalled": 2}}
    assert events.failures == 101
