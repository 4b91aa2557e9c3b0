"""Compare the PAF decoders on generated scenes whose people are known.

Example:
    python tools/compare_decoders.py --out runs/decoders --scenes 40

Prints a table and writes ``decoders.json`` to --out. A joint is found if it is within 10 % of its person's extent
(at least 8 pixels). Every decoded person is given to the true one of whom it has most joints, one to one.
  recall   true people of whom at least half of the joints are found
  false    decoded people a scene that are not one of those: pieces and mixtures
  PCK      true joints that are found
  wrong    joints a scene that sit on another person than the one they are given to
  error    mean pixels of the found joints (the half pixel that 'published' adds is taken off first)
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from orplugins.depthpose.paf import DECODERS, PafPoses
from orplugins.depthpose.paf.scenes import PafScene, paf_scene
from orplugins.io.atomic import atomic_write

PEOPLE = (1, 2, 3, 5, 8, 12, 16, 20)
RADIUS, SMALLEST_RADIUS = 0.1, 8.0
HALF_PIXEL = {"published": 0.5}


def judge(keypoints: np.ndarray, present: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Counts of one scene; keypoints (N, 17, 2), present (N, 17), truth (M, 17, 3)."""
    visible = truth[..., 2] > 0
    extent = np.array([np.ptp(joints[seen, :2], axis=0).max() for joints, seen in zip(truth, visible, strict=True)])
    distance = np.linalg.norm(keypoints[:, None] - truth[None, ..., :2], axis=-1)
    radius = np.maximum(RADIUS * extent, SMALLEST_RADIUS)
    found = present[:, None] & visible[None] & (distance < radius[None, :, None])
    common = found.sum(axis=-1)
    counts = {"people": len(truth), "joints": int(visible.sum()), "recalled": 0, "hits": 0, "wrong": 0, "error": 0.0}
    while common.size and common.max() > 0:
        i, j = np.unravel_index(common.argmax(), common.shape)
        counts["recalled"] += int(common[i, j] >= 0.5 * visible[j].sum())
        counts["hits"] += int(common[i, j])
        counts["wrong"] += int((present[i] & ~found[i, j]).sum())
        counts["error"] += float(distance[i, j][found[i, j]].sum())
        common[i], common[:, j] = 0, 0
    counts["false"] = len(keypoints) - counts["recalled"]
    return counts


def measure(name: str, scenes: list[PafScene]) -> dict[str, float]:
    total: dict[str, float] = {}
    seconds = []
    for scene in scenes:
        start = time.perf_counter()
        poses: PafPoses = DECODERS[name](scene.heat, scene.paf, scene.scale, scene.flip_heat, scene.flip_paf)
        seconds.append(time.perf_counter() - start)
        keypoints = poses.keypoints - HALF_PIXEL.get(name, 0.0)
        for key, value in judge(keypoints, poses.keypoint_scores > 0, scene.keypoints).items():
            total[key] = total.get(key, 0) + value
    return {
        "recall": total["recalled"] / total["people"],
        "false": total["false"] / len(scenes),
        "pck": total["hits"] / total["joints"],
        "wrong": total["wrong"] / len(scenes),
        "error_px": total["error"] / max(total["hits"], 1),
        "median_ms": float(np.median(seconds)) * 1e3,
    }


def compare(people: tuple[int, ...], scenes: int, seed: int, noise: float) -> list[dict]:
    rows = []
    for count in people:
        rng = np.random.default_rng([seed, count])
        generated = [paf_scene(rng, count, noise=noise) for _ in range(scenes)]
        for name in DECODERS:
            rows.append({"people": count, "decode": name, **measure(name, generated)})
            print(
                "{people:6d}  {decode:10s} {recall:7.3f} {false:7.2f} {pck:7.3f} {wrong:7.2f} {error_px:7.2f} px "
                "{median_ms:8.1f} ms".format(**rows[-1]),
                flush=True,
            )
    return rows


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for decoders.json")
    parser.add_argument("--scenes", type=int, default=20, help="scenes for each number of people")
    parser.add_argument("--people", type=int, nargs="+", default=PEOPLE, help="numbers of people in a scene")
    parser.add_argument("--noise", type=float, default=0.02, help="noise of the heatmaps; the fields get twice as much")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    if args.scenes < 1 or min(args.people) < 1:
        parser.error("--scenes and --people must be at least 1")
    print(f"people  decode      recall   false     PCK   wrong      error   a scene ({args.scenes} scenes a row)")
    rows = compare(tuple(args.people), args.scenes, args.seed, args.noise)
    args.out.mkdir(parents=True, exist_ok=True)
    result = {"scenes": args.scenes, "seed": args.seed, "noise": args.noise, "rows": rows}
    with atomic_write(args.out / "decoders.json") as file:
        json.dump(result, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
