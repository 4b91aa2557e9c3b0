"""A run of cameras that stall, break, leave and have clocks that jump, for SOAK_SECONDS: memory and latency stay flat.

`make soak` takes ten minutes; the ordinary tests take a quarter of one.
"""

import os
import time

import numpy as np
import psutil
import pytest

pytest.importorskip("filterpy", reason="pip install orplugins[live]")
from fake_devices import FPS, FakeCamera, FakeNetwork, Script, walkers

from orplugins.live.files import FilesOutput, read_records
from orplugins.live.outputs import CallOutput
from orplugins.live.pipeline import Live, LiveRules
from orplugins.multiview.online import LiveRoom
from orplugins.tracking.one_euro import OneEuroRules

SECONDS = float(os.environ.get("SOAK_SECONDS", "15"))
NAMES = ("cam1", "cam2", "cam3")
SIZE = (480, 640)


def troubles(seed):
    """Something about every five seconds: a stall of half a second to two, a cable, broken frames, a clock."""
    rng, script = np.random.default_rng(seed), Script()
    broken, at = set(), 20
    while at < SECONDS * FPS * 1.2:
        kind = rng.integers(4)
        if kind == 0:
            script.stalls[at] = float(rng.uniform(0.5, 2.0))
        elif kind == 1:
            script.lost[at] = float(rng.uniform(0.2, 1.5))
        elif kind == 2:
            broken |= set(range(at, at + int(rng.integers(1, 6))))
        else:
            script.jumps[at] = float(rng.choice([-1, 1]) * rng.uniform(1, 100))
        at += int(rng.uniform(3, 7) * FPS)
    script.broken = frozenset(broken)
    return script


def test_soak(tmp_path):
    cameras, detections, _ = walkers(450, 4)

    def image(camera, number):
        """As large as real ones: what is kept by mistake shows in the memory."""
        from fake_devices import coded

        whole = np.zeros((*SIZE, 3), np.uint8)
        whole[:12, :16] = coded(camera, number)
        return whole

    sources = [FakeCamera(name, k, troubles(k), clock="trigger", image=image) for k, name in enumerate(NAMES)]
    process, memory, latest = psutil.Process(), [], []
    begun = time.perf_counter()

    def watch(record):
        if record["type"] == "people":
            latest.append((time.perf_counter() - begun, record["latency"]["total"]))
            if len(latest) % 15 == 0:
                memory.append((time.perf_counter() - begun, process.memory_info().rss / 2**20))

    outputs = [FilesOutput(tmp_path / "out"), CallOutput(watch)]
    room = LiveRoom(dict(zip(NAMES, cameras, strict=True)))
    rules = LiveRules(seconds=SECONDS, stall=1.0, smooth=OneEuroRules())
    live = Live(sources, FakeNetwork(detections, delay=0.002), room, outputs, rules)
    report = live.run()

    # It went on to the end, and everything that the scripts did was noticed.
    assert report.seconds == pytest.approx(SECONDS, abs=10) and latest[-1][0] > SECONDS - 3
    assert report.moments > 0.6 * SECONDS * FPS
    for source in sources:
        events, did = report.events.get(source.name, {}), source.did
        back = events.get("rejoined", 0) + events.get("did not come back", 0)
        assert events.get("disconnected", 0) == did["lost"] == back
        assert events.get("broken frame", 0) == did["broken"] and events.get("clock jumped", 0) == did["jump"]
    assert sum(source.did.total() for source in sources) >= SECONDS / 5
    # Memory: after the first third, when everything has been loaded, it grows by less than 26 images.
    times, sizes = np.array(memory).T
    settled = times > SECONDS / 3
    early, late = (
        np.median(sizes[settled][: max(settled.sum() // 4, 1)]),
        np.median(sizes[-max(settled.sum() // 4, 1) :]),
    )
    assert late - early < 24, f"memory went from {early:.0f} to {late:.0f} MiB"
    for part in (live._trackers["cam1"], room._tracks, live._smooth_room):
        assert len(part) < 60
    # Latency: the last third is not slower than the first.
    times, totals = np.array(latest).T
    first, last = (np.median(totals[part]) for part in (times < SECONDS / 3, times > 2 * SECONDS / 3))
    assert last < 2 * first + 60 and report.latency["total"]["p50"] < 300
    print(
        f"\n{report.seconds:.0f} s, {report.moments} moments, memory {early:.0f} to {late:.0f} MiB, latency p50 "
        f"{report.latency['total']['p50']:.1f} p99 {report.latency['total']['p99']:.1f} ms, events {report.events}"
    )
    # What was written while all of this happened is whole.
    kinds = [record["type"] for record in read_records(tmp_path / "out" / "records.jsonl")]
    assert kinds[0] == "start" and kinds[-1] == "end" and kinds.count("people") == report.moments
    assert (tmp_path / "out" / "cam1.coco.json").is_file() and list((tmp_path / "out").glob("person*.trc"))
