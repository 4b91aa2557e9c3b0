"""`live` from capture to 3D tracks: three cameras at 15 frames a second, the shipped small depth network, on two cores.

Each run is of ten seconds. The cameras give rendered depth images of the synthetic room; the network is exported first
(``orplugins export``), in 32 and in 8 bits. Latencies mean something on a machine that nobody else uses; the CPU time
of a moment, of all threads, means something on any.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.harness import Comparison

NAME = "live"
SECONDS, FPS, VIEWS, MOMENTS = 10.0, 15.0, 3, 6
WAYS = {"fp32, one worker": (False, 1), "fp32, two workers": (False, 2), "int8, two workers": (True, 2)}


def scene():
    """Cameras of a room, and depth images [moment][camera] of people who move in it."""
    from orplugins.synthetic.render.frames import render_scene
    from orplugins.synthetic.scene.motion import Clip

    clip = Clip(34, 0, MOMENTS, people=(4, 4), views=VIEWS)
    images = [[frame.depth_mm for frame in render_scene(clip.scene(t), (640, 480), (34, t))] for t in range(MOMENTS)]
    return clip.cameras, images


def sources(images):
    """A camera each, whose frames are due at the same times."""
    import numpy as np

    from orplugins.live.frames import Frame, Source

    class Camera(Source):
        def __init__(self, index: int):
            super().__init__(f"cam{index + 1}", "trigger")
            self.index, self.stopped = index, threading.Event()

        def open(self) -> None:
            self.sizes = {"depth": (640, 480)}

        def close(self) -> None:
            self.stopped.set()

        def frames(self):
            tick = int(np.ceil(time.perf_counter() * FPS))
            while not self.stopped.wait(max(tick / FPS - time.perf_counter(), 0)):
                at = tick % (2 * MOMENTS - 2)  # forwards and back again
                depth = images[min(at, 2 * MOMENTS - 2 - at)][self.index]
                yield Frame(self.name, tick, tick / FPS, depth=depth)
                tick += 1

    return [Camera(k) for k in range(VIEWS)]


def export(folder: Path) -> dict[bool, Path]:
    """The small network's files: {8 bits: path}."""
    from orplugins.export.job import export as write
    from orplugins.resources import shipped

    config, weights = shipped("depthpose")
    out = {}
    for int8 in (False, True):
        out[int8] = folder / f"depth{'_int8' if int8 else ''}.onnx"
        write(config, weights, out[int8], int8=int8, score=False, calibration=20)
    return out


def measure(cameras, images, model: Path, workers: int):
    """A run of `SECONDS`: its report, and CPU seconds a second."""
    from orplugins.deploy import load
    from orplugins.live.pipeline import Live, LiveRules
    from orplugins.multiview.online import LiveRoom

    rules = LiveRules(seconds=SECONDS, workers=workers)
    room = LiveRoom({f"cam{k + 1}": camera for k, camera in enumerate(cameras)})
    start = time.process_time()
    report = Live(sources(images), load(model), room, (), rules).run()
    return report, (time.process_time() - start) / report.seconds


def run(repeats: int) -> list[Comparison]:
    cameras, images = scene()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        models = export(Path(folder))
        runs: dict[str, list] = {name: [] for name in WAYS}
        for _ in range(repeats):
            for name, (int8, workers) in WAYS.items():
                runs[name].append(measure(cameras, images, models[int8], workers))
    for name in list(WAYS)[1:]:
        before, after = ([report.latency["total"]["p50"] for report, _ in runs[way]] for way in (list(WAYS)[0], name))
        ratios = [a / b for a, b in zip(before, after, strict=True)]
        results.append(
            Comparison(
                "live/total p50", list(WAYS)[0], name, statistics.median(before), statistics.median(after),
                statistics.median(ratios), min(ratios), max(ratios), repeats, {"cameras": f"{VIEWS} x 640x480 depth"},
            )
        )  # fmt: skip
    for name, done in runs.items():
        print(f"\n{name}")
        middle, cpu = sorted(done, key=lambda one: one[0].latency["total"]["p50"])[len(done) // 2]
        print("| stage | p50 ms | p99 ms |\n|---|---|---|")
        for stage, row in middle.latency.items():
            print(f"| {stage} | {row['p50']:.1f} | {row['p99']:.1f} |")
        rate, lost = middle.moments / middle.seconds, sum(middle.dropped.values())
        cost = 1000 * cpu / rate
        needed = cost * FPS / 1000
        print(
            f"{rate:.1f} moments a second of {FPS:g}, {lost} dropped; {cost:.0f} CPU ms a moment of three images: "
            f"{FPS:g} a second take {needed:.2f} cores",
            flush=True,
        )
    return results
