"""Print how good calibration from people is: on the generated room, MVOR and a take of the package pose2sim.

    python tools/make_or_dataset.py --out outputs/or_rig --frames 300 --seed 21 --depth-only
    python dev/rig_table.py --set outputs/or_rig --mvor ../shared/data/mvor --take ../shared/data/pose2sim

Errors are given against the first camera (its axes are the world), and after the rigid motion that brings all cameras
closest to the true ones.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
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
from orplugins.multiview.pipeline import MvorSettings, evaluate_mvor
from orplugins.mvor.annotations import load_mvor
from orplugins.rig.bundle import BodyRules, Cameras, Sightings, adjust
from orplugins.rig.calibrate import Calibration, calibrate
from orplugins.rig.inputs import read_recording
from orplugins.rig.observations import observe
from orplugins.rig.points import intersect
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


def generated(folder: Path) -> None:
    """Labels of a generated set with 1 px of noise."""
    labels = folder / "annotations/coco17.json"
    true = cameras_from_mvor(load_json(folder / "annotations/mvor.json")["cameras_info"]["camParams"], "room")
    read = read_recording([labels])
    rng = np.random.default_rng(0)
    people = [
        {n: p + rng.normal(0, 1.0, p.shape) * (1, 1, 0) * (p[..., 2:] > 0) for n, p in view.items()}
        for view in read.people
    ]
    bare = [replace(camera, pose=np.eye(4)) for camera in true]
    found = calibrate(people, bare, read.names, Knowledge())
    row("generated, true scale", at_true_scale(found.cameras, true), true)
    print(f"generated, scale from bodies | {100 * (scale_of(found.cameras, true) - 1):+.1f} % | {said(found)}")
    found = calibrate(people, [replace(c, fx=400.0, fy=400.0) for c in bare], read.names, Knowledge(focal=False))
    row("generated, focal lengths unknown, true scale", at_true_scale(found.cameras, true), true)
    off = [f"{100 * (a.fx / b.fx - 1):+.2f} %" for a, b in zip(found.cameras, true, strict=True)]
    print(f"generated, focal lengths | {', '.join(off)}")
    for k in range(len(true)):
        axis, way = (v / np.linalg.norm(v) for v in np.random.default_rng(k).normal(size=(2, 3)))
        pose = true[k].pose.copy()
        pose[:3, :3] = from_vector(axis * np.radians(5)) @ pose[:3, :3]
        pose[:3, 3] += 0.10 * way
        old = [replace(c, pose=pose) if v == k else c for v, c in enumerate(true)]
        done = update(people, Rig(old, read.names, None))
        now = done.found.cameras[k]
        print(
            f"generated, {read.names[k]} moved by 5 degrees and 10 cm | found {done.moved} | "
            f"{turn_degrees(now.pose[:3, :3], true[k].pose[:3, :3]):.2f} degrees, "
            f"{100 * np.linalg.norm(now.pose[:3, 3] - true[k].pose[:3, 3]):.1f} cm"
        )


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
    reference = read_trc(folder / "single_reference.trc")
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


_TRC = {"Nose": 0, "LShoulder": 5, "RShoulder": 6, "LElbow": 7, "RElbow": 8, "LWrist": 9, "RWrist": 10, "LHip": 11,
        "RHip": 12, "LKnee": 13, "RKnee": 14, "LAnkle": 15, "RAnkle": 16}  # fmt: skip


def read_trc(path: Path) -> dict[int, np.ndarray]:
    """{frame: (17, 3)} metres."""
    lines = path.read_text(encoding="utf-8").splitlines()
    names = [name for name in lines[3].split("\t")[2:] if name]
    frames = {}
    for line in lines[5:]:
        cells = [float(x) if x.strip() else np.nan for x in line.split("\t")]
        if len(cells) >= 2 + 3 * len(names):
            pose = np.full((17, 3), np.nan)
            for k, name in enumerate(names):
                if name in _TRC:
                    pose[_TRC[name]] = cells[2 + 3 * k : 5 + 3 * k]
            frames[int(cells[0])] = pose
    return frames


def main() -> int:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, help="generated set of three views with fixed cameras")
    parser.add_argument("--mvor", type=Path, help="folder of MVOR's annotation and detection files")
    parser.add_argument("--dt", type=Path, action="append", default=[], help="detections on MVOR (openpose_kps.json)")
    parser.add_argument("--take", type=Path, help="folder with Calib.qca.txt, single/ and single_reference.trc")
    args = parser.parse_args()
    if args.set:
        generated(args.set)
    if args.mvor:
        clicks(args.mvor)
        mvor(args.mvor, args.dt or [args.mvor / "openpose_kps.json"])
    if args.take:
        take(args.take)
    return 0


if __name__ == "__main__":
    sys.exit(main())
