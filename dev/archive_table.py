"""Frames a second of `orplugins batch` against nodes of a Ray cluster on this machine, as a table in Markdown.

    python dev/archive_table.py --model outputs/student.onnx --out outputs/archive_table

Videos of the generated operating room are made once below --out. Every node has one processor, and a worker one thread.
The best of several runs counts; before them a cluster has one in which it starts its workers' processes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from pathlib import Path

from orplugins.archive import read_frames, run_batch
from orplugins.archive.engines import Cluster
from orplugins.archive.pipeline import BatchSettings
from orplugins.io.video import write_video
from orplugins.synthetic.pictures import generated_pictures

MOMENTS = 12


def make_videos(folder: Path, videos: int, frames: int) -> None:
    """Write videos of a dozen generated pictures each, again and again: who is in them does not matter here."""
    for k in range(videos):
        path = folder / f"{k}.mp4"
        if not path.exists():
            pictures = list(generated_pictures(MOMENTS, 240, 300 + k)[1].values())
            write_video(path, (pictures[n // 5 % MOMENTS] for n in range(frames)), 20.0)


def timed(recordings: Path, out: Path, settings: BatchSettings, repeats: int) -> tuple[int, float]:
    """Frames, and seconds of the quickest of several runs from nothing."""
    seconds, frames = [], 0
    for _ in range(repeats):
        shutil.rmtree(out, ignore_errors=True)
        began = time.perf_counter()
        done = run_batch([recordings], out, settings)
        seconds.append(time.perf_counter() - began)
        frames = done.frames
        if done.problems:
            raise SystemExit(f"error: {done.problems[0]}")
    return frames, min(seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="what `orplugins export` wrote")
    parser.add_argument("--out", type=Path, default=Path("outputs/archive_table"))
    parser.add_argument("--videos", type=int, default=4)
    parser.add_argument("--frames", type=int, default=100, help="of each video")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--nodes", type=int, nargs="+", default=[1, 2])
    args = parser.parse_args()
    recordings = args.out / "recordings"
    make_videos(recordings, args.videos, args.frames)
    one = {"models": [args.model], "seconds": 2.5, "root": recordings}
    rows = [("local", "1 process", *timed(recordings, args.out / "local", BatchSettings(**one), args.repeats))]
    truth = read_frames(args.out / "local")
    for nodes in args.nodes:
        import ray
        from ray.cluster_utils import Cluster as LocalCluster

        node = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
        cluster = LocalCluster(initialize_head=True, head_node_args=node)
        for _ in range(nodes - 1):
            cluster.add_node(**node)
        ray.init(address=cluster.address, log_to_driver=False)
        settings = BatchSettings(**one, cluster=Cluster("ray", cluster.address))
        timed(recordings, args.out / f"nodes{nodes}", settings, 1)
        times = timed(recordings, args.out / f"nodes{nodes}", settings, args.repeats)
        rows.append(("ray", f"{nodes} node{'s' if nodes > 1 else ''} of one processor", *times))
        if read_frames(args.out / f"nodes{nodes}") != truth:
            raise SystemExit(f"error: {nodes} nodes found others than one process")
        ray.shutdown()
        cluster.shutdown()
    first = rows[0][2] / rows[0][3]
    print("| engine | workers | frames | seconds | frames/s | to one process |\n|---|---|--:|--:|--:|--:|")
    for engine, workers, frames, seconds in rows:
        rate = frames / seconds
        print(f"| {engine} | {workers} | {frames} | {seconds:.1f} | {rate:.1f} | {rate / first:.2f} |")
    print(f"\nload of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
