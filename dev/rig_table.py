"""Print how good calibration from people is: on the generated room, MVOR and a take of the package pose2sim.

    python tools/make_or_dataset.py --out outputs/or_rig --frames 1000 --seed 21 --depth-only --size 160x120
    python tools/make_or_dataset.py --out outputs/or_clock --frames 500 --seed 36 --motion 500 --people 4-6 \\
        --depth-only --size 160x120
    python dev/rig_table.py --set outputs/or_rig --set-dt outputs/or_rig/small.keypoints.json \\
        --clock outputs/or_clock --clock-dt outputs/or_clock/small.keypoints.json \\
        --mvor ../shared/data/mvor --take ../shared/data/pose2sim

Detections are those of the shipped network, see docs/rig.md.

Errors are given against the first camera (its axes are the world), and after the rigid motion that brings all cameras
closest to the true ones.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from orplugins.geometry.cameras import Camera, cameras_from_mvor, cameras_to_mvor
from orplugins.geometry.rotations import from_vector, nearest_rotation
from orplugins.geometry.similarity import fit_similarity
from orplugins.geometry.triangulation import triangulate, world_to_camera_matrices
from orplugins.io.atomic import write_json
from orplugins.io.calibration import read_rig
from orplugins.io.json_fields import load_json
from orplugins.io.trc import read_trc
from orplugins.multiview.pipeline import MvorSettings, evaluate_mvor
from orplugins.mvor.annotations import load_mvor
from orplugins.rig.bundle import BodyRules, Cameras, Sightings, adjust
from orplugins.rig.calibrate import Calibration, calibrate
from orplugins.rig.depths import DepthFolders
from orplugins.rig.inputs import read_recording
from orplugins.rig.observations import observe
from orplugins.rig.points import intersect
from orplugins.rig.report import moves_text
from orplugins.rig.settings import Knowledge
from orplugins.rig.solve import errors_of_joints, free_unknowns, gated
from orplugins.rig.uncertainty import turn_degrees
from orplugins.rig.update import update
from orplugins.rig.verdict import judge
from orplugins.structures import Rig


def moved_to(cameras: list[Camera], world: np.ndarray) -> list[Camera]:
    """The cameras in another world."""
    return [replace(camera, pose=world @ camera.pose) for camera in cameras]


def to_first(found: list[Camera], true: list[Camera]) -> np.ndarray:
    """The motion that brings the first cameras together."""
    return true[0].pose @ np.linalg.inv(found[0].pose)


def to_all(found: list[Camera], true: list[Camera]) -> np.ndarray:
    """The motion that brings all cameras together: the mean turn, then the mean place."""
    world = np.eye(4)
    turn = sum(t.pose[:3, :3] @ f.pose[:3, :3].T for f, t in zip(found, true, strict=True))
    world[:3, :3] = nearest_rotation(turn)
    places = [[c.pose[:3, 3] for c in cameras] for cameras in (found, true)]
    world[:3, 3] = np.mean(places[1], 0) - world[:3, :3] @ np.mean(places[0], 0)
    return world


def row(name: str, found: list[Camera], true: list[Camera]) -> None:
    """Print the errors of a rig."""
    for how, align in (("first camera", to_first), ("all cameras", to_all)):
        placed = moved_to(found, align(found, true))
        turns = [turn_degrees(a.pose[:3, :3], b.pose[:3, :3]) for a, b in zip(placed, true, strict=True)]
        away = [np.linalg.norm(a.pose[:3, 3] - b.pose[:3, 3]) for a, b in zip(placed, true, strict=True)]
        used = slice(1, None) if align is to_first else slice(None)
        print(
            f"{name} | against the {how} | mean {np.mean(turns[used]):.2f}, most {max(turns):.2f} degrees | "
            f"mean {100 * np.mean(away[used]):.1f}, most {100 * max(away):.1f} cm"
        )


def scale_of(found: list[Camera], true: list[Camera]) -> float:
    """Size of the found rig as a share of the true one."""
    one, two = (np.array([c.pose[:3, 3] - cs[0].pose[:3, 3] for c in cs]) for cs in (found, true))
    return float(np.linalg.norm(one) / np.linalg.norm(two))


def at_true_scale(found: list[Camera], true: list[Camera]) -> list[Camera]:
    """The rig with its places scaled."""
    out = []
    for camera in found:
        pose = camera.pose.copy()
        pose[:3, 3] /= scale_of(found, true)
        out.append(replace(camera, pose=pose))
    return out


def said(found: Calibration) -> str:
    """What a calibration says of itself."""
    verdict = judge(found)
    return (
        f"says +- {found.spread.turn.max():.2f} degrees, {100 * found.spread.place.max():.1f} cm; "
        f"{'trusted' if verdict.trusted else verdict.problems}"
    )


def true_cameras(folder: Path) -> list[Camera]:
    """Cameras of a generated set."""
    return cameras_from_mvor(load_json(folder / "annotations/mvor.json")["cameras_info"]["camParams"], "room")


def labels(folder: Path, true: list[Camera], frames: int) -> tuple[list[dict[int, np.ndarray]], list[str]]:
    """A set's labels with 1 px of noise (of an image 640 wide), of the first frames, and the cameras' names."""
    read = read_recording([folder / "annotations/coco17.json"])
    rng, sigma = np.random.default_rng(0), true[0].size[0] / 640
    return [
        {
            n: p + rng.normal(0, sigma, p.shape) * (1, 1, 0) * (p[..., 2:] > 0)
            for k, (n, p) in enumerate(sorted(view.items()))
            if k < frames
        }
        for view in read.people
    ], read.names


def detections(folder: Path, path: Path) -> list[dict[int, np.ndarray]]:
    """A detector's people on a set."""
    return read_recording([path], annotations=folder / "annotations/mvor.json").people


def without_pose(cameras: list[Camera]) -> list[Camera]:
    """The cameras' intrinsics."""
    return [replace(camera, pose=np.eye(4)) for camera in cameras]


def generated(folder: Path) -> None:
    """Labels of 300 frames of a generated set with 1 px of noise."""
    true = true_cameras(folder)
    people, names = labels(folder, true, 300)
    bare = without_pose(true)
    found = calibrate(people, bare, names, Knowledge())
    row("generated, true scale", at_true_scale(found.cameras, true), true)
    print(f"generated, scale from bodies | {100 * (scale_of(found.cameras, true) - 1):+.1f} % | {said(found)}")
    guess = 0.625 * true[0].size[0]
    found = calibrate(people, [replace(c, fx=guess, fy=guess) for c in bare], names, Knowledge(focal=False))
    row("generated, focal lengths unknown, true scale", at_true_scale(found.cameras, true), true)
    off = [f"{100 * (a.fx / b.fx - 1):+.2f} %" for a, b in zip(found.cameras, true, strict=True)]
    print(f"generated, focal lengths | {', '.join(off)}")
    moves("generated", people, true, names)


def moves(what: str, people: list, true: list[Camera], names: list[str]) -> None:
    """Nothing moved, and each camera in turn by little and by much."""
    print(f"{what}, nothing moved | {moves_text(update(people, Rig(true, names, None)))}")
    for degrees, metres in ((0.5, 0.02), (2.0, 0.05), (5.0, 0.10)):
        for k in range(len(true)):
            axis, way = (v / np.linalg.norm(v) for v in np.random.default_rng(k).normal(size=(2, 3)))
            pose = true[k].pose.copy()
            pose[:3, :3] = from_vector(axis * np.radians(degrees)) @ pose[:3, :3]
            pose[:3, 3] += metres * way
            done = update(
                people, Rig([replace(c, pose=pose) if v == k else c for v, c in enumerate(true)], names, None)
            )
            now = done.found.cameras[k]
            print(
                f"{what}, {names[k]} moved by {degrees:g} degrees and {100 * metres:g} cm | found {done.moved} | "
                f"{turn_degrees(now.pose[:3, :3], true[k].pose[:3, :3]):.2f} degrees, "
                f"{100 * np.linalg.norm(now.pose[:3, 3] - true[k].pose[:3, 3]):.1f} cm"
            )


def detected(folder: Path, path: Path) -> None:
    """People that a network found in small depth images of the set: the whole way, and its time."""
    true = true_cameras(folder)
    people = detections(folder, path)
    names = [f"cam{v + 1}" for v in range(len(true))]
    start = time.process_time()
    found = calibrate(people, without_pose(true), names, Knowledge())
    seconds = time.process_time() - start
    row("detections, true scale", at_true_scale(found.cameras, true), true)
    print(f"detections, scale from bodies | {100 * (scale_of(found.cameras, true) - 1):+.1f} % | {said(found)}")
    print(f"detections, {len(people[0])} frames of {len(true)} cameras | {seconds:.1f} s of processor time")
    images = read_recording([path], annotations=folder / "annotations/mvor.json").images
    with_depth = calibrate(people, without_pose(true), names, Knowledge(), depth=DepthFolders([folder], images))
    print(f"detections, scale from depth images | {100 * (scale_of(with_depth.cameras, true) - 1):+.1f} %")
    moves("detections", people, true, names)


def clocks(folder: Path, path: Path | None) -> None:
    """People who work in the room, cameras out of step by whole frames and by half of one."""
    true = true_cameras(folder)
    names = [f"cam{v + 1}" for v in range(len(true))]
    sources = {"labels": labels(folder, true, 100_000)[0]}
    if path is not None:
        sources["detections"] = detections(folder, path)
    for name, people in sources.items():
        for what, true_offsets, views in _out_of_step(people):
            found = calibrate(views, without_pose(true), names, Knowledge())
            off = ", ".join(f"{a - b:+.2f}" for a, b in zip(found.offsets[1:], true_offsets, strict=True))
            sure = ", ".join(f"{s:.2f}" for s in found.spread.offset[1:])
            print(f"clocks, {name}, {what} | frames from the true offsets {off} (said: +- {sure}) | {said(found)}")
            row(f"clocks, {name}, {what}, true scale", at_true_scale(found.cameras, true), true)


def _out_of_step(people: list) -> Iterator[tuple[str, tuple[float, ...], list]]:
    """What was done, the offsets of the second and third camera, and the views."""
    shifts = (0, 7, -12)
    whole = [{n + s: p for n, p in view.items()} for view, s in zip(people, shifts, strict=True)]
    yield "25 frames a second, 7 and -12 frames", shifts[1:], whole
    # Every second frame of a camera, the others of the second one: it is half a frame late.
    half = [{n // 2: p for n, p in view.items() if n % 2 == (v == 1)} for v, view in enumerate(people)]
    yield "12.5 frames a second, -0.5 and 0 frames", (-0.5, 0.0), half


def mvor(folder: Path, detections: list[Path]) -> None:
    """Published detections, known intrinsics."""
    annotations = folder / "camma_mvor_2018.json"
    content = load_json(annotations)
    params = content["cameras_info"]["camParams"]
    true = [replace(camera, distortion=()) for camera in cameras_from_mvor(params)]
    for path in detections:
        read = read_recording([path], [annotations], annotations=annotations)
        found = calibrate(read.people, [replace(c, pose=np.eye(4)) for c in true], read.names, Knowledge())
        row(f"MVOR, {path.name}", found.cameras, true)
        print(f"MVOR, {path.name}, nothing moved | {moves_text(update(read.people, Rig(true, read.names, None)))}")
        print(f"MVOR, {path.name} | scale {100 * (scale_of(found.cameras, true) - 1):+.1f} % | {said(found)}")
        placed = moved_to(found.cameras, to_all(found.cameras, true))
        changed = cameras_to_mvor(placed)
        # Frames of reference are kept: people are compared in the published first camera's.
        changed["extrinsics"] = [_mm(camera.pose) for camera in placed]
        changed["firstCamToRoomRef"] = params["firstCamToRoomRef"]
        with tempfile.TemporaryDirectory() as temporary:
            file = Path(temporary) / "annotations.json"
            write_json(file, {**content, "cameras_info": {**content["cameras_info"], "camParams": changed}})
            for name, source in (("published calibration", annotations), ("calibration from people", file)):
                out = Path(temporary) / name.replace(" ", "_")
                settings = MvorSettings(str(source), (str(path),), out=out, pictures=0, keep_implausible=True)
                print(f"MVOR people, {name}\n{evaluate_mvor(settings)}")


def clicks(folder: Path) -> None:
    """The same adjustment of MVOR's own clicks (joints that are seen), identities given, from the published poses."""
    data = load_mvor(folder / "camma_mvor_2018.json")
    true = [replace(camera, distortion=()) for camera in data.cameras]
    of_image = {image: (f, v) for f, frame in enumerate(data.frames) for v, image in enumerate(frame.image_ids)}
    people: dict[tuple[int, int], dict[int, np.ndarray]] = {}
    for record in load_json(folder / "camma_mvor_2018.json")["annotations"]:
        if not record["only_bbox"] and record["person_id"] >= 0 and record["image_id"] in of_image:
            frame, view = of_image[record["image_id"]]
            joints = np.array(record["keypoints"], dtype=float).reshape(10, 3)
            people.setdefault((frame, record["person_id"]), {})[view] = joints
    chosen = [views for views in people.values() if len(views) > 1]
    # Head and neck take the places of joints that no bone ends in.
    place = [0, 1, 5, 6, 11, 12, 7, 8, 9, 10]
    rays, weight = np.zeros((len(chosen), 3, 17, 2)), np.zeros((len(chosen), 3, 17))
    for i, views in enumerate(chosen):
        for v, joints in views.items():
            camera = true[v]
            rays[i, v, place] = (joints[:, :2] - (camera.cx, camera.cy)) / (camera.fx, camera.fy)
            weight[i, v, place] = joints[:, 2] == 2
    focal = np.array([(c.fx, c.fy) for c in true])
    seen = Sightings(rays, weight, np.zeros_like(rays), focal, np.full((3, 17), 4.0))
    state = Cameras.of_poses(world_to_camera_matrices(true))
    points = np.nan_to_num(intersect(state.poses, rays, weight > 0))
    for _ in range(2):
        state, points, linear = adjust(state, points, seen, free_unknowns(3), BodyRules())
        seen = gated(replace(seen, sigma=errors_of_joints(linear, seen)), linear)
    found = []
    for camera, pose in zip(true, state.poses, strict=True):
        whole = np.eye(4)
        whole[:3] = pose
        found.append(replace(camera, pose=np.linalg.inv(whole)))
    row("MVOR, annotators' clicks, true scale", at_true_scale(found, true), true)


def _mm(pose: np.ndarray) -> list[float]:
    pose = pose.copy()
    pose[:3, 3] *= 1000
    return pose.ravel().tolist()


def take(folder: Path) -> None:
    """One person before four cameras; the reference is the package's own result."""
    rig = read_rig(folder / "Calib.qca.txt")
    paths = sorted((folder / "single").glob("cam*_json"))
    read = read_recording(paths, [folder / "Calib.qca.txt"])
    found = calibrate(read.people, [replace(c, pose=np.eye(4)) for c in rig.cameras], rig.names, Knowledge())
    row("take, true scale", at_true_scale(found.cameras, rig.cameras), rig.cameras)
    print(f"take | scale {100 * (scale_of(found.cameras, rig.cameras) - 1):+.1f} % | {said(found)}")
    markers = read_trc(folder / "single_reference.trc")
    reference = dict(zip(markers.frames.tolist(), markers.coco("single_reference.trc"), strict=True))
    for name, cameras in (("its calibration", rig.cameras), ("calibration from people", found.cameras)):
        joints = _one_person(read.people, cameras, found)
        common = sorted(set(joints) & set(reference))
        ours, theirs = (np.stack([source[n] for n in common]) for source in (joints, reference))
        fine = np.isfinite(ours).all(-1) & np.isfinite(theirs).all(-1)
        one, two = ours[fine], theirs[fine]
        keep = np.ones(len(one), dtype=bool)
        for _ in range(10):  # joints that are somebody else's must not turn the rest
            motion = fit_similarity(one[keep], two[keep])
            error = np.linalg.norm(motion(one) - two, axis=1)
            keep = error < 3 * np.median(error)
        print(f"take, {name} | {1000 * np.median(error):.1f} mm median to the reference, scale {motion.scale:.3f}")


def _one_person(people, cameras: list[Camera], found: Calibration) -> dict[int, np.ndarray]:
    """Joints of the person whom most cameras see, frame by frame, each camera's best candidate by reprojection."""
    from itertools import product

    views, joints = [observe(p, c) for p, c in zip(people, cameras, strict=True)], {}
    for n in sorted(set.intersection(*(set(v.frame.tolist()) for v in views))):
        best, least = None, np.inf
        for chosen in product(*(p[n] for p in people)):
            solved = triangulate(cameras, np.where(np.stack(chosen)[..., 2:] > 0.3, np.stack(chosen), 0.0), None, 3)
            error = float(np.nanmean(solved.error)) if np.isfinite(solved.points[..., 0]).sum() > 8 else np.inf
            if error < least:
                best, least = solved.points, error
        if best is not None:
            joints[n] = best
    start = min(joints)
    return {n - start: points for n, points in joints.items()}


def main() -> int:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, help="generated set of three views with fixed cameras")
    parser.add_argument("--set-dt", type=Path, help="a network's detections on that set")
    parser.add_argument("--clock", type=Path, help="generated set of one long clip, for the offsets of clocks")
    parser.add_argument("--clock-dt", type=Path, help="a network's detections on that set")
    parser.add_argument("--mvor", type=Path, help="folder of MVOR's annotation and detection files")
    parser.add_argument("--dt", type=Path, action="append", default=[], help="detections on MVOR (openpose_kps.json)")
    parser.add_argument("--take", type=Path, help="folder with Calib.qca.txt, single/ and single_reference.trc")
    args = parser.parse_args()
    if args.set:
        generated(args.set)
    if args.set and args.set_dt:
        detected(args.set, args.set_dt)
    if args.clock:
        clocks(args.clock, args.clock_dt)
    if args.mvor:
        clicks(args.mvor)
        mvor(args.mvor, args.dt or [args.mvor / "openpose_kps.json"])
    if args.take:
        take(args.take)
    return 0


if __name__ == "__main__":
    sys.exit(main())
