"""3D people from the 2D detections of several calibrated cameras: association, triangulation, body prior, evaluation.

With --mvor, MVOR's annotation file gives the cameras, its frames and the truth; detections are result files of any
2D pose
estimator on MVOR's images (COCO-17 or CAMMA-10). With --rig, each --view is one camera's detections, a COCO result list
(image_id = frame number) or an OpenPose folder, and people are followed over time. A parallel pair (left view first)
with
two OpenPose folders gives one subject's clip with a reason for every refused joint, as npz and as a Kinect record.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path

import numpy as np

from orplugins.depth.png import load_depth
from orplugins.geometry.tracking import track_points
from orplugins.geometry.triangulation import Code, present
from orplugins.io.atomic import write_json
from orplugins.io.calibration import is_parallel, read_parallel, read_rig
from orplugins.io.clip_files import write_motion_npz, write_people
from orplugins.io.coco_results import load_keypoint_results, load_mv3dreg
from orplugins.io.json_fields import field, load_json, numbers
from orplugins.io.kinect_files import make_record, write_kinect_record
from orplugins.io.openpose import read_openpose_folder
from orplugins.multiview.batch import reconstruct
from orplugins.multiview.mvor import (
    Truth,
    detections_by_frame,
    fit_with_other_days,
    mv3dreg_people,
    mv3dreg_table,
    pinholes,
    place_one_view,
    reconstruct_all,
    score,
    to_room,
    truth_from_poses,
)
from orplugins.multiview.people import LIMB_JOINTS, LIMB_NAMES, MultiViewRules
from orplugins.multiview.rectified_pair import stereo_clip
from orplugins.mvor.annotations import MVORAnnotations, load_mvor
from orplugins.skeletons import BODY_25, CAMMA_10, COCO_17, convert
from orplugins.viz.figures import draw_people

METHODS = {
    "geometry": "triangulation only: uses the calibration and nothing else",
    "hips": "the same, hips moved to MVOR's convention (two numbers from the other days' annotations)",
    "map": "a body prior from the other days' annotations as well: every joint is placed",
}
PUBLISHED = {"1": 26.9, "2": 18.3, "3": 9.9}
EXAMPLES = """examples:
  python tools/triangulate.py --mvor camma_mvor_2018.json --dt openpose_kps.json --out runs/mvor3d
  python tools/triangulate.py --mvor camma_mvor_2018.json --dt rtpose_kps.json --method map --one-view --out runs/mvor3d
  python tools/triangulate.py --mvor camma_mvor_2018.json --mv3dreg mv3dreg.mat --out runs/mvor3d
  python tools/triangulate.py --rig rig.json --view camera1.json --view camera2.json --view camera3.json --out runs/take
  python tools/triangulate.py --rig pair.json --view openpose_left --view openpose_right --fps 30 --out runs/stereo"""


def _room(path: str) -> np.ndarray:
    """MVOR's transform from camera 1 to the room, metres."""
    params = field(field(load_json(path), "cameras_info", path), "camParams", f"{path}: cameras_info")
    room = numbers(params, "firstCamToRoomRef", 16, f"{path}: cameras_info.camParams").reshape(4, 4)
    room[:3, 3] /= 1000
    return room


def _truth(data: MVORAnnotations) -> Truth:
    index = {frame.id: k for k, frame in enumerate(data.need("frames"))}
    poses = data.need("poses3d")
    return truth_from_poses(
        np.stack([pose.keypoints for pose in poses]),
        np.array([index[pose.frame_id] for pose in poses]),
        np.array([pose.person_id for pose in poses]),
    )


def _labels(data: MVORAnnotations) -> dict:
    place = {i: (k, v) for k, frame in enumerate(data.frames) for v, i in enumerate(frame.image_ids)}
    labels: dict = {}
    for person in data.annotations:
        if not person.get("only_bbox", 0) and person["image_id"] in place:
            joints = np.array(person["keypoints"], dtype=np.float64).reshape(10, 3)
            labels.setdefault(place[person["image_id"]], []).append((person.get("person_id", -1), joints))
    return labels


def _day(data: MVORAnnotations) -> np.ndarray:
    days = {image["id"]: int(image.get("day_id", 0)) for image in data.images}
    return np.array([days[frame.image_ids[0]] for frame in data.frames])


def _coco(keypoints: np.ndarray) -> np.ndarray:
    return keypoints if keypoints.shape[1] == COCO_17.num_joints else convert(keypoints, CAMMA_10, COCO_17)


def run_mvor(args: argparse.Namespace) -> None:
    """Evaluate detection files, and the published method's samples, against MVOR's 3D annotations."""
    data = load_mvor(args.mvor)
    cameras = data.need("cameras") if args.undistort else pinholes(data.need("cameras"))
    truth, labels, days, room = _truth(data), _labels(data), _day(data), _room(args.mvor)
    if args.method != "geometry" and len(np.unique(days[truth.frame])) < 2:
        raise ValueError(f"{args.mvor}: annotations of one day only; --method {args.method} learns from the other days")
    report: dict = {"truth": args.mvor, "method": args.method, "one_view": args.one_view, "results": {}}
    for path in args.dt:
        poses = load_keypoint_results(path, sizes=(51, 30))
        known = np.isin(poses.image_ids, data.image_ids)
        if not known.all():
            print(
                f"warning: {path}: {(~known).sum()} detections are in images that {args.mvor} does not have",
                file=sys.stderr,
            )
        detections = detections_by_frame(data.frames, poses.image_ids, _coco(poses.keypoints))
        result = reconstruct_all(cameras, detections, MultiViewRules().for_cameras(cameras), args.one_view)
        if args.depth:
            result = place_one_view(result, cameras, _depth_pictures(args, data))
        if args.method != "geometry":
            result = fit_with_other_days(cameras, room, result, truth, days, args.method)
        table = score(result, truth, labels, len(data.frames))
        report["results"][Path(path).stem] = table
        _print_scores(Path(path).stem, args.method, table)
        name = args.out / f"{Path(path).stem}_{args.method}"
        frames = result.people.frame
        code = np.where(
            np.isfinite(result.joints).all(-1), np.where(result.inferred, Code.FILLED, Code.OK), Code.MISSING
        )
        details = [
            {"frame_id": data.frames[f].id, "detections": m.tolist()}
            for f, m in zip(frames, result.people.members, strict=True)
        ]
        write_people(
            name.with_suffix(".json"),
            frames,
            np.full(len(frames), -1),
            result.joints,
            code,
            LIMB_NAMES,
            {"world": "camera 1", "method": args.method, "detections": str(path)},
            details,
        )
        _draw_mvor(name, result, truth, room, args.pictures)
    if args.mv3dreg:
        report["mv3dreg"] = _published_samples(args, cameras, truth, days, room)
    write_json(args.out / "scores.json", report, indent=1)
    print(f"written to {args.out}")


def _depth_pictures(args: argparse.Namespace, data: MVORAnnotations):
    """Reader of the depth picture of a frame and view below --depth."""
    names = {image["id"]: image["file_name"] for image in data.images}

    def picture(frame: int, view: int) -> np.ndarray:
        return load_depth(Path(args.depth) / names[data.frames[frame].image_ids[view]].replace("/color/", "/depth/"))

    return picture


def _published_samples(args, cameras, truth, days, room) -> dict:
    predicted, target, encoded = load_mv3dreg(args.mv3dreg)
    result, owner, rows = mv3dreg_people(cameras, truth, target, encoded)
    tables = {"geometry": mv3dreg_table(result, truth, owner, predicted[rows])}
    fitted = fit_with_other_days(cameras, room, result, truth, days, "map")
    tables["map"] = mv3dreg_table(fitted, truth, owner, predicted[rows])
    print("\nThe published method's own samples, same 2D, known identities; root-relative, hip centre, cm (pub):")
    print(
        f"{'method':<10}{'views':>6}{'people':>8}{'shoulder':>10}{'hip':>8}{'elbow':>8}{'wrist':>8}{'mean':>8}"
        f"{'joints %':>10}{'published':>11}"
    )
    for method, table in tables.items():
        for views, row in table.items():
            values = "".join(f"{row['cm'][g]:8.1f}" for g in ("hip", "elbow", "wrist", "mean"))
            print(
                f"{method:<10}{views:>6}{row['people']:>8}{row['cm']['shoulder']:>10.1f}{values}"
                f"{100 * row['joints_found']:>10.0f}{row['published_cm']['mean']:>11.1f}"
            )
    return {method: _plain(table) for method, table in tables.items()}


def _print_scores(name: str, method: str, table: dict) -> None:
    print(f"\n{name}, method {method} ({METHODS[method]})")
    print(
        f"  recall {table['recall_percent']:.1f} % of {table['annotated_people']} people; false people a frame "
        f"{table['false_per_frame']:.2f}, not explained by a person without a 3D label "
        f"{table['unexplained_false_per_frame']:.2f}; PCK3D@15cm, missed counted as wrong: "
        f"{table['pck3d_15cm_percent']:.0f} % (visible joints {table['pck3d_15cm_f2_percent']:.0f} %)"
    )
    print(
        f"  {'views':<7}{'people':>7}  {'measure':<14}{'shoulder':>9}{'hip':>8}{'elbow':>8}{'wrist':>8}{'mean':>8}"
        f"{'joints %':>10}{'published*':>12}"
    )
    for views, row in table["by_views"].items():
        for key, text in (("abs_cm", "abs"), ("abs_f2_cm", "abs, visible"), ("pub_cm", "pub")):
            values = "".join(f"{row[key][g]:8.1f}" for g in ("hip", "elbow", "wrist", "mean"))
            published = PUBLISHED.get(views.rstrip("+"), "") if key == "pub_cm" else ""
            print(
                f"  {views:<7}{row['people']:>7}  {text:<14}{row[key]['shoulder']:>9.1f}{values}"
                f"{100 * row['joints_found']:>10.0f}{published:>12}"
            )
    print(
        "  * mv3dreg's table: cm, identities known beforehand, people without a supporting view left out, no false\n"
        "    people; pub is counted as there (about the own middle of the shoulders, centre of the hips), but over\n"
        "    the people found here. abs: in camera 1, hips apart."
    )


def _draw_mvor(name: Path, result, truth: Truth, room: np.ndarray, pictures: int) -> None:
    frames = np.unique(truth.frame)
    counts = [(truth.frame == f).sum() + (result.people.frame == f).sum() for f in frames]
    chosen = frames[np.argsort(counts)[::-1][:pictures]]
    for frame in sorted(chosen.tolist()):
        groups = {"annotated": truth.joints[truth.frame == frame], "found": result.joints[result.people.frame == frame]}
        groups = {key: to_room(_as_coco(limbs), room) for key, limbs in groups.items()}
        draw_people(name.parent / f"{name.name}_frame{frame:04d}.png", groups, COCO_17, f"frame {frame}")


def _as_coco(limbs: np.ndarray) -> np.ndarray:
    """(N, 8, 3) as COCO-17 with NaN where nothing is."""
    out = np.full((len(limbs), COCO_17.num_joints, 3), np.nan)
    out[:, list(LIMB_JOINTS)] = limbs
    return out


def _read_view(path: str) -> tuple[dict[int, np.ndarray], list[str]]:
    """People (N, 17, 3) by frame number, and warnings."""
    if Path(path).is_dir():
        read = read_openpose_folder(path, broken="skip")
        people = {
            int(n): convert(frame, read.skeleton, COCO_17) for n, frame in zip(read.numbers, read.frames, strict=True)
        }
        return people, [*read.warnings, *read.failed]
    poses = load_keypoint_results(path, sizes=(51, 30))
    keypoints = _coco(poses.keypoints)
    keypoints = np.where(((keypoints[..., :2] != 0).any(-1) & (keypoints[..., 2] > 0))[..., None], keypoints, 0.0)
    frames = np.arange(poses.image_ids.min(), poses.image_ids.max() + 1) if len(poses.image_ids) else []
    return {int(f): keypoints[poses.image_ids == f] for f in frames}, []


def run_stereo(args: argparse.Namespace) -> int:
    """One subject before a parallel pair: OpenPose folders in, cleaned BODY_25 clip and Kinect record out."""
    rig = read_parallel(args.rig)
    read = [read_openpose_folder(path, broken="skip") for path in args.view]
    for warning in itertools.chain(*([*view.warnings, *view.failed] for view in read)):
        print(f"warning: {warning}", file=sys.stderr)
    for path, view in zip(args.view, read, strict=True):
        if view.skeleton is not BODY_25:
            raise ValueError(f"{path}: joints of {view.skeleton.name}, expected BODY_25")
    start = max(view.numbers[0] for view in read)
    if any(view.numbers[0] != start for view in read):
        print(
            f"warning: the cameras start at frames {[int(v.numbers[0]) for v in read]}: cut to {start}", file=sys.stderr
        )
    left, right = (view.frames[start - view.numbers[0] :] for view in read)
    found = stereo_clip(
        left, right, rig, mirrored=args.mirrored, auto_swap=args.auto_swap, synchronise=not args.no_sync
    )
    for warning in found.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    record = {
        "baseline_m": rig.baseline_m,
        "focal_px": rig.focal_px,
        "size": list(rig.size),
        "left": list(rig.left),
        "right": list(rig.right),
    }
    clip = found.clip
    write_motion_npz(args.out / "motion.npz", clip.xyz, clip.state, clip.code, args.fps, record, BODY_25.name)
    text = make_record(clip.xyz, clip.state, BODY_25, args.fps, "openpose_stereo", "absolute", first_frame=int(start))
    write_kinect_record(args.out / "record.txt", text)
    total = clip.code.size
    print(
        f"{len(clip.xyz)} frames; joint samples before cleaning: "
        + ", ".join(f"{name} {count}" for name, count in found.counts.items())
    )
    print(
        "after cleaning: "
        + ", ".join(
            f"{Code(c).name.lower()} {100 * (clip.code == c).sum() / total:.1f} %" for c in np.unique(clip.code)
        )
    )
    for k in np.linspace(0, len(clip.xyz) - 1, min(args.pictures, len(clip.xyz))).astype(int):
        draw_people(
            args.out / f"frame{start + k:06d}.png",
            {"found": clip.xyz[k : k + 1]},
            BODY_25,
            f"frame {start + k}",
            np.array([0.0, -1.0, 0.0]),
        )
    print(f"written to {args.out}")
    return sum(len(view.failed) for view in read)


def run_rig(args: argparse.Namespace) -> int:
    """Reconstruct people of a rig, frame by frame, and follow them. Returns the number of inputs that failed in
    part."""
    if is_parallel(args.rig) and len(args.view) == 2 and all(Path(view).is_dir() for view in args.view):
        return run_stereo(args)
    rig = read_rig(args.rig)
    if len(args.view) != len(rig.cameras):
        raise ValueError(f"{args.rig}: {len(rig.cameras)} cameras, but {len(args.view)} --view: one each, in its order")
    views, failed = [], 0
    for path in args.view:
        people, warnings = _read_view(path)
        failed += sum("frame numbers have no file" not in w for w in warnings)
        for warning in warnings:
            print(f"warning: {warning}", file=sys.stderr)
        if not any(len(frame) for frame in people.values()):
            raise ValueError(f"{path}: no person in any frame")
        views.append(people)
    frames = sorted(set().union(*views))
    lengths = [len(view) for view in views]
    if len(set(lengths)) > 1:
        print(
            f"warning: the views have {', '.join(map(str, lengths))} frames; missing ones count as without people",
            file=sys.stderr,
        )
    empty = np.zeros((0, COCO_17.num_joints, 3))
    rules = MultiViewRules().for_cameras(rig.cameras)
    result = reconstruct(rig.cameras, [[view.get(f, empty) for view in views] for f in frames], rules)
    numbers_ = np.array(frames)[result.frame] if len(result.frame) else np.zeros(0, dtype=np.int64)
    tracks = track_points(numbers_, result.points)
    seen = present(result.keypoints).sum(1)
    code = np.where(result.views > 0, Code.OK, np.where(seen < 2, Code.MISSING, Code.REPROJECTION))
    details = [
        {"detections": m.tolist(), "error_px": [None if np.isnan(e) else round(float(e), 2) for e in row]}
        for m, row in zip(result.members, result.error, strict=True)
    ]
    write_people(
        args.out / "people.json",
        numbers_,
        tracks,
        result.points,
        code,
        COCO_17.joints,
        {"world": "rig", "rig": str(args.rig), "method": "geometry"},
        details,
    )
    found = np.isfinite(result.points).all(-1)
    print(
        f"frames {len(frames)}, people {len(tracks)} in {len(set(tracks.tolist()))} tracks, joints found "
        f"{100 * found.mean() if found.size else 0:.1f} %, mean reprojection error {np.nanmean(result.error):.2f} px"
    )
    up = rig.up
    for k in np.linspace(0, len(frames) - 1, min(args.pictures, len(frames))).astype(int):
        draw_people(
            args.out / f"frame{frames[k]:06d}.png",
            {"found": result.points[numbers_ == frames[k]]},
            COCO_17,
            f"frame {frames[k]}",
            up,
        )
    _write_subject(args, frames, numbers_, tracks, result.points, rig)
    print(f"written to {args.out}")
    return failed


def _write_subject(args, frames: list[int], numbers_: np.ndarray, tracks: np.ndarray, points: np.ndarray, rig) -> None:
    """The longest track as a clip and as a Kinect record, in the first camera's axes."""
    if not len(tracks):
        return
    longest = np.bincount(tracks).argmax()
    xyz = np.full((frames[-1] - frames[0] + 1, COCO_17.num_joints, 3), np.nan)
    xyz[numbers_[tracks == longest] - frames[0]] = rig.cameras[0].world_to_camera(points[tracks == longest])
    found = np.isfinite(xyz).all(-1)
    state, code = np.where(found, 2, 0), np.where(found, Code.OK, Code.MISSING)
    note = {"cameras": rig.names, "axes": "first camera", "track": int(longest)}
    write_motion_npz(args.out / "motion.npz", xyz, state, code, args.fps, note, COCO_17.name)
    record = make_record(
        xyz,
        state,
        COCO_17,
        args.fps,
        "multi_view",
        "absolute",
        {"cameras": str(len(rig.cameras))},
        first_frame=int(frames[0]),
    )
    write_kinect_record(args.out / "record.txt", record)


def _plain(value):
    """Numbers that JSON knows: NaN becomes null."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return None if isinstance(value, float) and not np.isfinite(value) else value


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--mvor", metavar="JSON", help="MVOR's annotation file: cameras, frames and truth")
    source.add_argument("--rig", metavar="FILE", help="calibration (JSON, YAML or a folder of OpenPose's XML)")
    parser.add_argument("--dt", action="append", default=[], metavar="JSON", help="2D detections on MVOR (repeatable)")
    parser.add_argument(
        "--view", action="append", default=[], metavar="PATH", help="a camera's detections, in rig order"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for people, scores and pictures")
    parser.add_argument(
        "--method",
        choices=METHODS,
        default="geometry",
        help="; ".join(f"{name}: {text}" for name, text in METHODS.items()),
    )
    parser.add_argument("--one-view", action="store_true", help="also who is in one view only (--method map, --depth)")
    parser.add_argument(
        "--depth",
        metavar="DIR",
        help="with --one-view: place them by the depth pictures below DIR "
        "(the annotation file's names, color/ replaced by depth/; geometry only)",
    )
    parser.add_argument("--undistort", action="store_true", help="use MVOR's distortion numbers (they fit worse)")
    parser.add_argument("--mv3dreg", metavar="MAT", help="the published 3D results: compare on their samples")
    parser.add_argument("--fps", type=float, default=30.0, help="frames a second of the --view inputs")
    parser.add_argument("--mirrored", action="store_true", help="parallel pair: the pictures are mirror images")
    parser.add_argument("--auto-swap", action="store_true", help="parallel pair: exchange the cameras if need be")
    parser.add_argument("--no-sync", action="store_true", help="parallel pair: do not take out a time offset")
    parser.add_argument("--pictures", type=int, default=3, help="3D pictures to draw")
    args = parser.parse_args(argv)
    if args.mvor and not (args.dt or args.mv3dreg):
        parser.error("--mvor needs --dt or --mv3dreg")
    if bool(args.depth) != (args.one_view and args.method != "map"):
        parser.error("--one-view needs --method map, or --depth with another method: one camera gives no depth")
    if args.depth and not Path(args.depth).is_dir():
        parser.error(f"--depth {args.depth}: no such folder")
    try:
        if args.mvor:
            run_mvor(args)
            return 0
        return 1 if run_rig(args) else 0
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
