"""Association and triangulation of people in three views: the readable form, and frames one by one, against a batch."""

from __future__ import annotations

from benchmarks.harness import Comparison, compare

NAME = "multiview"
FRAMES, PEOPLE = 200, 8


def crowd(frames: int = FRAMES, people: int = PEOPLE) -> list:
    """Detections of people who stand and move in a room, three cameras, 2 px noise, 5 % of the joints missing."""
    import numpy as np

    from orplugins.skeletons import COCO_17
    from orplugins.synthetic.motion_points import body_motion, in_skeleton, observe, room_rig

    rng, bodies = np.random.default_rng(0), []
    for k in range(people):
        body = in_skeleton(body_motion(rng, frames, 30.0, ("arms", "reach")[k % 2]), COCO_17)
        spot = np.array([(-1.2, -0.4, 0.4, 1.2)[k % 4], (-0.5, 0.5)[k // 4 % 2], 0.0])
        bodies.append(body - body[:, 11:13].mean((0, 1)) * (1, 1, 0) + spot)
    world = np.stack(bodies, 1)
    return [[observe(camera, frame, rng, 2.0, 0.05) for camera in room_rig()] for frame in world]


def _cpu(run) -> float:
    """CPU seconds of a call: what a machine that others use too takes from this process does not count."""
    import time

    start = time.process_time()
    run()
    return time.process_time() - start


def run(repeats: int) -> list[Comparison]:
    from benchmarks import multiview_reference
    from orplugins.multiview import batch as multiview_batch
    from orplugins.synthetic.motion_points import room_rig

    cameras, detections = room_rig(), crowd()

    def readable() -> None:
        multiview_reference.reconstruct(cameras, detections)

    def single() -> None:
        for views in detections:
            multiview_batch.reconstruct(cameras, [views])

    def batch() -> None:
        multiview_batch.reconstruct(cameras, detections)

    shapes, results = {"frames": str(FRAMES), "views": "3", "people": str(PEOPLE)}, []
    for name, baseline in (("readable", ("multiview_reference", readable)), ("single", ("one frame a call", single))):
        found = compare(f"multiview/{name}", baseline, ("multiview/batch", batch), repeats, shapes=shapes)
        for side, milliseconds in ((found.baseline, found.baseline_ms), (found.contender, found.contender_ms)):
            found.shapes[f"frames/s, {side}"] = f"{1000 * FRAMES / milliseconds:.0f}"
        found.shapes["frames a CPU second, multiview/batch"] = f"{FRAMES / min(_cpu(batch) for _ in range(5)):.0f}"
        results.append(found)
    return results
