"""People of a generated motion set as several systems record them, compared with the truth on one clock.

SET is a set of tools/make_or_dataset.py --motion. The 2D joints are the set's labels with noise, or the detections of
any estimator on the set's pictures (--dt, a COCO result list). From them: a pair of parallel cameras (simulated, labels
only), two and three of the set's cameras, one camera with its depth pictures, one camera and a lifting network. Written
to --out: summary.md, summary.json, the recordings (CLIP_PERSON/SYSTEM.npz), clock.png (the best-seen person by all
systems) and, on demand, the full report of the best-seen people.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from orplugins.depth.png import load_depth
from orplugins.geometry.timeseries import fill_gaps
from orplugins.geometry.triangulation import Code, present
from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.clip_files import write_motion_npz
from orplugins.motion.compare import Recording, compare
from orplugins.motion.measures import CORE_12
from orplugins.motion.report import draw_clock, markdown_table, write_report
from orplugins.multiview.capture_systems import assign_detections, best_view, by_depth, by_views, parallel_pair
from orplugins.multiview.clip_set import FPS, SetClip, detections_of, noisy_labels, read_motion_set
from orplugins.skeletons import COCO_17, H36M_17, Skeleton

EXAMPLES = """examples:
  python tools/make_or_dataset.py --out data/or_motion --frames 300 --seed 34 --motion 100 --people 4-6 --depth-only \\
      --size 160x120
  python tools/compare_on_set.py data/or_motion --weights demo/videopose3d_27.safetensors --out runs/labels
  python tools/compare_on_set.py data/or_motion --dt detections.keypoints.json --out runs/detections"""
# A view with fewer frames in which the person has been detected is not lifted: most of the motion would be invented.
LEAST_SEEN = 0.5


def record(name: str, xyz: np.ndarray, skeleton: Skeleton = COCO_17, root: str = "absolute") -> Recording:
    state = np.where(np.isfinite(xyz).all(-1), 2, 0)
    return Recording(name, xyz, state, np.arange(len(xyz)) / FPS, FPS, skeleton, root)


def lift(model, clip: SetClip, view: int, keypoints: np.ndarray) -> np.ndarray | None:
    """(F, 17, 3) H36M-17 about the pelvis, turned into the room; NaN where nobody was detected; None: too few frames.

    As in tools/lift_video.py, single missing joints are interpolated, a frame counts with six joints or more.
    """
    seen = present(keypoints)
    detected = seen.sum(1) >= 6
    if detected.mean() < LEAST_SEEN or not seen.any(0).all():
        return None
    pixels = np.stack([fill_gaps(keypoints[:, k, :2], seen[:, k]) for k in range(17)], 1)
    camera = clip.cameras[view]
    pose = model.lift(pixels.astype(np.float32), camera.size)["pose"] @ camera.pose[:3, :3].T
    return np.where(detected[:, None, None], pose, np.nan)


def recordings(args, clip: SetClip, model, rng: np.random.Generator) -> dict[int, list[Recording]]:
    """For every person the truth and what each system recorded; a system that found nothing is left out."""
    detections = detections_of(clip, args.dt) if args.dt else noisy_labels(clip, args.noise, rng)
    truth = {k: clip.truth[k] for k in clip.people}
    own = assign_detections(detections, {k: clip.pixels[k] for k in clip.people})
    found: dict[int, list[Recording]] = {k: [record("truth", truth[k])] for k in clip.people}

    def add(person: int, name: str, xyz: np.ndarray | None, *rest) -> None:
        if xyz is not None and np.isfinite(xyz).any():
            found[person].append(record(name, xyz, *rest))

    subsets = [list(range(count)) for count in range(2, len(clip.cameras) + 1)]
    by_subset = []
    for subset in subsets:
        parts = [[frame[v] for v in subset] for frame in detections]
        by_subset.append(by_views([clip.cameras[v] for v in subset], parts, truth))
    for person in clip.people:
        view = best_view(own[person])
        keypoints = own[person][view]
        if not args.dt:
            seen = clip.pixels[person][view][..., 2] > 0
            pair = parallel_pair(clip.cameras[view], truth[person], seen, args.baseline, args.noise, rng)
            add(person, "parallel pair", pair)
        for subset, points in zip(subsets, by_subset, strict=True):
            add(person, f"{len(subset)} cameras", points[person])
        if not args.no_depth:
            pictures = [load_depth(path) for path in clip.files[view]]
            placed = by_depth(clip.cameras[view], keypoints, pictures)
            add(person, "1 camera, depth", placed)
            # Of joints that something hides the picture knows only where that something is.
            seen = clip.pixels[person][view][..., 2] == 2
            add(person, "1 camera, depth, seen joints", np.where(seen[..., None], placed, np.nan))
        if model is not None:
            add(person, "1 camera, lifted", lift(model, clip, view, keypoints), H36M_17, "hip_center")
    return found


def summary(results: list) -> list[dict]:
    """One row a system: means over people, weighted by their common frames."""
    rows = []
    for name in dict.fromkeys(c.names[1] for _, c in results):
        mine = [c for _, c in results if c.names[1] == name]
        weight = np.array([c.common.any(1).sum() for c in mine], dtype=float)

        def mean(values: list[float], weight: np.ndarray = weight) -> float:
            values = np.array(values, dtype=float)
            finite = np.isfinite(values)
            return float(np.average(values[finite], weights=weight[finite])) if finite.any() else float("nan")

        placed = not any("relative to the hips" in note for c in mine for note in c.warnings)
        rows.append(
            {
                "system": name,
                "people": len(mine),
                "frames": int(weight.sum()),
                "joints found %": mean(
                    [100 * c.common.sum() / max(np.isfinite(c.alignments["none"].a).all(-1).sum(), 1) for c in mine]
                ),
                "in the room mm": mean([c.alignments["none"].mpjpe for c in mine]) if placed else float("nan"),
                "about the hips mm": mean([c.alignments["root"].mpjpe for c in mine]),
                "P-MPJPE mm": mean([c.p_mpjpe for c in mine]),
                "MPJVE mm/frame": mean([c.alignments["root"].velocity for c in mine]),
                "angle RMSE deg": mean(
                    [
                        float(np.nanmean([a.rmse for a in c.angles.values()]))
                        if any(np.isfinite(a.rmse) for a in c.angles.values())
                        else np.nan
                        for c in mine
                    ]
                ),
            }
        )
    return rows


def write_recordings(out: Path, systems: list[Recording]) -> None:
    for one in systems:
        code = np.where(one.state > 0, Code.OK, Code.MISSING)
        write_motion_npz(
            out / f"{one.name.replace(', ', '_').replace(' ', '_')}.npz",
            one.xyz,
            one.state,
            code,
            FPS,
            {"axes": "room", "root": one.root},
            one.skeleton.name,
        )


def run(args) -> list[dict]:
    model = None
    if args.weights:
        from orplugins.videopose3d.mmpose.build import build_lifter

        model = build_lifter(args.weights)
    clips, rng, results, seen = read_motion_set(args.set), np.random.default_rng(args.seed), [], []
    for clip in tqdm(clips, unit="clip"):
        for person, systems in recordings(args, clip, model, rng).items():
            name = f"clip{clip.day}_person{person}"
            write_recordings(args.out / name, systems)
            for system in systems[1:]:
                try:
                    results.append((name, compare(systems[0], system, max_lag=args.max_lag)))
                except ValueError as error:
                    print(f"note: {name}: {error}", file=sys.stderr)
            seen.append((sum(int((one.state > 0).sum()) for one in systems), name))
    if not results:
        raise ValueError(f"{args.set}: no system found anybody")
    rows = summary(results)
    source = f"`{args.dt}`" if args.dt else f"labels, noise {args.noise:g} px of 640"
    text = [
        "# Systems on generated motion, against the truth\n",
        f"Set `{args.set}`, 2D: {source}.\n",
        markdown_table(rows),
    ]
    with atomic_write(args.out / "summary.md") as file:
        file.write("\n".join(text) + "\n")
    clean = [{k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in row.items()} for row in rows]
    write_json(args.out / "summary.json", {"set": str(args.set), "detections": args.dt, "rows": clean}, indent=1)
    ranked = [name for _, name in sorted(seen, reverse=True)]
    best = [c for name, c in results if name == ranked[0] and not c.names[1].endswith("seen joints")]
    draw_clock(args.out / "clock.png", best, args.joint, args.frame)
    chosen = set(ranked[: args.report])
    if chosen:
        write_report(args.out, [(name, c) for name, c in results if name in chosen], "root", args.frame)
    return rows


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("set", type=Path, metavar="SET", help="folder of a motion set with fixed cameras")
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument("--dt", metavar="JSON", help="2D detections on the set's pictures (default: labels with noise)")
    parser.add_argument("--noise", type=float, default=1.0, metavar="PX", help="of the labels, pixels of 640 x 480")
    parser.add_argument("--weights", help="lifting weights (a COCO-17 network)")
    parser.add_argument("--no-depth", action="store_true", help="do not place one camera's people by depth")
    parser.add_argument("--baseline", type=float, default=0.28, metavar="M", help="of the parallel pair")
    parser.add_argument("--max-lag", type=int, default=0, help="look for a time offset up to this many frames")
    parser.add_argument("--report", type=int, default=0, metavar="N", help="people of the full report (default: none)")
    parser.add_argument("--frame", type=int, default=25, help="frame at which skeletons are drawn")
    parser.add_argument("--joint", choices=CORE_12, default="right_wrist", help="joint drawn over time")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    args = parser.parse_args(argv)
    try:
        rows = run(args)
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(markdown_table(rows))
    print(f"written to {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
