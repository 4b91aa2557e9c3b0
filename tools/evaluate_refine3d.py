"""How much better refined 3D poses are than plain lifting, on frames with several people and 3D truth.

Example, true 2D joints moved by 4 pixels, and detections of any 2D estimator:

    python tools/make_or_dataset.py --out data/or_color/val --frames 60 --seed 12 --size 320x240
    python tools/evaluate_refine3d.py data/or_color/val --noise 4 --out outputs/refine3d_val
    python tools/evaluate_refine3d.py data/or_color/val --poses detections.json --out outputs/refine3d_val

The data set is what tools/make_or_dataset.py writes; detections are a COCO result list whose image ids are the data
set's. Joints that the 2D pose lacks are not counted. Prints a table and writes report.json, report.md and pictures to
--out. A frame that cannot be used is reported, the others are done, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from orplugins.depth.png import load_depth
from orplugins.device import add_device_option
from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.coco_results import load_keypoint_results
from orplugins.refinet.or_frames import DepthPeople, load_depth_people
from orplugins.refinet.refined_poses import RefinedErrors, match_people
from orplugins.skeletons import COCO_17, ITOP_15, convert

ROOT = Path(__file__).resolve().parents[1]
CONFIG, WEIGHTS = ROOT / "configs/mmpose/refinet/refinet-lift-bc_or.py", ROOT / "demo/refinet_or-bc.safetensors"


def moved_labels(frame: DepthPeople, noise: float, seed: int) -> np.ndarray:
    """(M, 17, 3) the labelled joints, moved by `noise` pixels (standard deviation); the same for the same frame."""
    rng = np.random.default_rng([seed, frame.image_id])
    poses = frame.keypoints.copy()
    poses[..., :2] += rng.normal(0, noise, poses[..., :2].shape)
    poses[..., 2] = poses[..., 2] > 0
    return poses * poses[..., 2:]


def compare(frame: DepthPeople, poses: np.ndarray, owner: np.ndarray, result, errors: RefinedErrors) -> None:
    """Add a frame; `owner` (M,) is the pose of each labelled person, or -1."""
    people = np.flatnonzero(owner >= 0)
    # One more than the flag: a joint outside the picture has a place too.
    truth = convert(np.concatenate([frame.points, frame.keypoints[..., 2:] + 1], axis=-1), COCO_17, ITOP_15)[people]
    own = owner[people]
    errors.add(
        result.plain[own],
        result.points[own],
        truth[..., :3],
        result.valid[own] & (truth[..., 3] > 1),
        truth[..., 3] >= 3,
        len(poses),
    )


def spaced(count: int, wanted: int) -> list[int]:
    """At most `wanted` of `count` numbers, evenly spaced."""
    return np.linspace(0, count - 1, min(wanted, count)).astype(int).tolist()


def report(rows: list[dict], headline: str) -> str:
    lines = [
        headline,
        "",
        "| people in the picture | joints | number | plain lifting, mm | refined, mm | factor |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['people']} | {row['joints']} | {row['count']} | {1000 * row['plain']:.0f} | "
        f"{1000 * row['refined']:.0f} | {row['ratio']:.2f} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of the data set")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    parser.add_argument("--poses", type=Path, help="detections (default: the labels)")
    parser.add_argument("--noise", type=float, help="pixels that labels are moved by (default: 4)")
    parser.add_argument("--seed", type=int, default=0, help="of that noise (default: 0)")
    parser.add_argument("--config", type=Path, default=CONFIG, help="of the chain")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="of the chain (refinet_files.py merge-weights)")
    parser.add_argument("--min-score", type=float, default=0.0, help="2D joints below it are missing")
    add_device_option(parser)
    parser.add_argument("--images", type=int, help="take that many of the images, evenly spaced (default: all)")
    parser.add_argument("--pictures", type=int, default=4, help="frames to draw, evenly spaced (default: 4)")
    args = parser.parse_args(arguments)
    if args.poses and args.noise is not None:
        parser.error("found --poses and --noise, expected one of them")
    noise = 4.0 if args.noise is None else args.noise

    from tqdm import tqdm

    from orplugins.refinet.mmpose.load import load_refine_chain
    from orplugins.refinet.refiner import Refiner3D
    from orplugins.viz.depth_figures import draw_frame

    try:
        frames = [frame for frame in load_depth_people(args.data) if len(frame.keypoints)]
        found = load_keypoint_results(args.poses) if args.poses else None
        chain = load_refine_chain(args.config, args.weights, args.device)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if args.images:
        frames = [frames[k] for k in spaced(len(frames), args.images)]
    errors, failed, missed = RefinedErrors(), 0, 0
    drawn = spaced(len(frames), args.pictures)
    for number, frame in enumerate(tqdm(frames, unit="frame")):
        try:
            if found:
                poses = found.keypoints[found.image_ids == frame.image_id]
                owner = match_people(poses, frame.keypoints)
            else:
                poses = moved_labels(frame, noise, args.seed)
                owner = np.arange(len(poses))
            depth = load_depth(frame.depth, size=frame.camera.size)
            result = Refiner3D(chain, frame.camera, args.min_score)(depth, poses, COCO_17)
            if number in drawn and len(poses):
                draw_frame(args.out / f"{frame.name.replace('/', '_')}.png", depth, result, ITOP_15, frame.name)
        except (ValueError, OSError) as error:
            print(f"error: {frame.name}: {error}", file=sys.stderr)
            failed += 1
            continue
        missed += int((owner < 0).sum())
        if len(poses):
            compare(frame, poses, owner, result, errors)
    try:
        rows = errors.table()
    except ValueError as error:
        print(f"error: {args.poses or args.data}: {error}", file=sys.stderr)
        return 1
    source = f"detections of {args.poses.name}" if found else f"labels moved by {noise:g} px"
    headline = f"{len(frames) - failed} depth images, 2D joints: {source}" + (
        f"; {missed} people without a detection" if found else ""
    )
    text = report(rows, headline)
    write_json(
        args.out / "report.json",
        {"frames": len(frames) - failed, "poses": source, "missed": missed, "unit": "metres", "rows": rows},
    )
    with atomic_write(args.out / "report.md") as file:
        file.write(text)
    print(text)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
