"""Generated motion: people who walk, turn, lift arms and legs in a room, as named points over time.

A kinematic toy, not anatomy: limbs of constant length swing about hips and shoulders. It is enough to see a lifting
network learn, a rig triangulate and a comparison find an offset, with the truth known. Room: metres, z up, floor at 0.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.safe_npz import object_scalar
from orplugins.skeletons import COCO_17, COCO_SYMMETRY, H36M_17, H36M_SYMMETRY, Skeleton

ACTIONS = ("walk", "arms", "legs", "reach")
SIZE = (640, 480)
_LAYOUTS = {"coco": (COCO_17, COCO_SYMMETRY), "h36m": (H36M_17, H36M_SYMMETRY)}
# Points of other names that mean the same.
_ALIAS = {
    "mid_hip": "pelvis",
    "hip_center": "pelvis",
    "neck": "thorax",
    "shoulder_center": "thorax",
    "neck_base": "nose",
    "torso": "spine",
    "left_hand": "left_wrist",
    "right_hand": "right_wrist",
    "left_foot": "left_big_toe",
    "right_foot": "right_big_toe",
}
_FACE = {
    "nose": (0.0, 0.11, 0.15),
    "left_eye": (0.035, 0.09, 0.19),
    "right_eye": (-0.035, 0.09, 0.19),
    "left_ear": (0.075, 0.0, 0.16),
    "right_ear": (-0.075, 0.0, 0.16),
    "head": (0.0, 0.02, 0.28),
}


def _swing(angle: np.ndarray, sideways: np.ndarray) -> np.ndarray:
    """(F, 3) direction of a limb that hangs down at angle 0, swings forward (y) and away to the side (x)."""
    return np.stack([np.sin(sideways) * np.cos(angle), np.sin(angle), -np.cos(sideways) * np.cos(angle)], -1)


def body_motion(
    rng: np.random.Generator, frames: int, fps: float = 30.0, action: str = "walk"
) -> dict[str, np.ndarray]:
    """One person's motion as named points.

    Args:
        rng: Source of all randomness.
        frames: F.
        fps: Frames per second.
        action: One of `ACTIONS`.

    Returns:
        Name -> (F, 3) metres in the room.

    Raises:
        ValueError: Another action.
    """
    if action not in ACTIONS:
        raise ValueError(f"action {action!r}, expected one of {', '.join(ACTIONS)}")
    t = np.arange(frames) / fps
    scale, phase = rng.uniform(0.92, 1.08), rng.uniform(0, 2 * np.pi, 8)
    walking = 1.0 if action == "walk" else 0.15
    step = 2 * np.pi * rng.uniform(0.7, 1.0) * t + phase[0]
    slow = 2 * np.pi * rng.uniform(0.08, 0.14) * t
    heading = phase[1] + 0.8 * np.sin(slow + phase[2]) + (0.25 * t if action == "walk" else 0)
    centre = np.stack([0.9 * np.sin(slow * walking + phase[3]), 0.8 * np.cos(0.8 * slow * walking + phase[4])], -1)
    bend = 0.10 + 0.25 * (action == "reach") * (1 - np.cos(0.5 * step)) / 2
    leg = {side: 0.45 * walking * np.sin(step + shift) for side, shift in (("left", 0.0), ("right", np.pi))}
    arm = {side: -0.4 * walking * np.sin(step + shift) for side, shift in (("left", 0.0), ("right", np.pi))}
    wide = {side: np.full(frames, 0.12) for side in leg}
    spread = {side: np.full(frames, 0.03) for side in leg}
    for side in leg:
        lift = (1 - np.cos(0.6 * step + phase[5 if side == "left" else 6])) / 2
        if action == "arms":
            wide[side] = 0.12 + 1.5 * lift
        elif action == "legs":
            leg[side] = leg[side] + (0.9 * lift if side == "left" else 0.0)
            spread[side] = spread[side] + (0.4 * lift if side == "right" else 0.0)
        elif action == "reach":
            arm[side] = arm[side] + 1.3 * lift
    up = np.zeros((frames, 3)) + (0.0, 0.0, 1.0)
    points = {"pelvis": np.zeros((frames, 3))}
    lean = np.stack([np.zeros(frames), np.sin(bend), np.cos(bend)], -1)
    points["spine"], points["thorax"] = 0.24 * lean, 0.49 * lean
    for name, (x, y, z) in _FACE.items():
        points[name] = points["thorax"] + np.array([x, y, 0.0]) + (z + 0.04) * (0.5 * lean + 0.5 * up)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        mirror = np.array([sign, 1.0, 1.0])
        knee_bend, elbow_bend = np.maximum(0, -leg[side]) * 1.2 + 0.08, 0.35 + 0.5 * np.maximum(0, arm[side])
        points[f"{side}_hip"] = np.zeros((frames, 3)) + (0.12 * sign, 0, 0)
        points[f"{side}_knee"] = points[f"{side}_hip"] + 0.43 * _swing(leg[side], spread[side]) * mirror
        shin = _swing(leg[side] - knee_bend, spread[side]) * mirror
        points[f"{side}_ankle"] = points[f"{side}_knee"] + 0.42 * shin
        for part, (x, y, z) in (
            ("big_toe", (0, 0.18, -0.07)),
            ("small_toe", (0.06 * sign, 0.15, -0.07)),
            ("heel", (0, -0.05, -0.07)),
        ):
            points[f"{side}_{part}"] = points[f"{side}_ankle"] + np.array([x, y, z])
        points[f"{side}_shoulder"] = points["thorax"] + (0.18 * sign, 0, -0.01)
        points[f"{side}_elbow"] = points[f"{side}_shoulder"] + 0.29 * _swing(arm[side], wide[side]) * mirror
        points[f"{side}_wrist"] = points[f"{side}_elbow"] + 0.26 * _swing(arm[side] + elbow_bend, wide[side]) * mirror
    ground = np.min([points[f"{side}_{part}"][:, 2] for side in leg for part in ("heel", "big_toe")], 0)
    c, s = np.cos(heading), np.sin(heading)
    turn = np.stack([np.stack([c, -s, 0 * c], -1), np.stack([s, c, 0 * c], -1), up], -2)
    origin = np.concatenate([centre, -ground[:, None]], -1)
    return {name: scale * (turn @ (p + 0.0)[..., None])[..., 0] + origin * (1, 1, scale) for name, p in points.items()}


def in_skeleton(points: dict[str, np.ndarray], skeleton: Skeleton) -> np.ndarray:
    """Named points in a joint set's order.

    Args:
        points: Name -> (F, 3).
        skeleton: The joint set.

    Returns:
        (F, J, 3).
    """
    return np.stack([points[name] if name in points else points[_ALIAS[name]] for name in skeleton.joints], 1)


def look_at(position: Sequence[float], target: Sequence[float], focal: float = 525.0, size=SIZE) -> Camera:
    """A camera that looks at a point, upright.

    Args:
        position: (3,) of the camera, metres.
        target: (3,) that is seen in the middle of the image, metres.
        focal: Focal length, pixels.
        size: (width, height), pixels.

    Returns:
        The camera.
    """
    place, aim = np.asarray(position, dtype=float), np.asarray(target, dtype=float)
    forward = (aim - place) / np.linalg.norm(aim - place)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], 1)
    pose[:3, 3] = place
    return Camera(focal, focal, (size[0] - 1) / 2, (size[1] - 1) / 2, size, pose=pose)


def room_rig() -> list[Camera]:
    """Three cameras in the corners of a room, as MVOR's hang."""
    return [look_at(p, (0, 0, 0.9)) for p in ((3.6, -2.6, 2.2), (-3.6, -2.6, 2.2), (0.3, 4.4, 2.3))]


def parallel_cameras(baseline: float = 0.28, distance: float = 3.2) -> list[Camera]:
    """A rectified pair in front of the room's middle.

    Args:
        baseline: Distance of the two, metres.
        distance: From the middle of the room, metres.

    Returns:
        The left camera and the right one.
    """
    left = look_at((-baseline / 2, -distance, 1.0), (-baseline / 2, 0.0, 1.0))
    right = look_at((baseline / 2, -distance, 1.0), (baseline / 2, 0.0, 1.0))
    return [left, right]


def observe(
    camera: Camera,
    points: np.ndarray,
    rng: np.random.Generator | None = None,
    noise_px: float = 0.0,
    missing: float = 0.0,
) -> np.ndarray:
    """Detections of room points; zeros where missing or outside the image.

    Args:
        camera: The camera.
        points: (..., J, 3) metres.
        rng: Source of noise, gaps and confidence; None: none of them.
        noise_px: Standard deviation, pixels.
        missing: Probability that a joint is missing.

    Returns:
        (..., J, 3) x, y in pixels, confidence.
    """
    pixels, depth = camera.project(points)
    seen = (depth > 0.1) & (pixels >= 0).all(-1) & (pixels <= np.array(camera.size) - 1).all(-1)
    confidence = np.ones(seen.shape)
    if rng is not None:
        pixels = pixels + rng.normal(0, noise_px, pixels.shape) if noise_px else pixels
        seen &= rng.random(seen.shape) >= missing
        confidence = rng.uniform(0.6, 1.0, seen.shape)
    return np.where(seen[..., None], np.concatenate([pixels, confidence[..., None]], -1), 0.0)


def write_lifting_data(
    folder: str | Path,
    subjects: Sequence[str] = ("S1", "S2", "S3"),
    frames: int = 300,
    fps: float = 50.0,
    seed: int = 0,
    noise_px: float = 1.0,
) -> None:
    """Write ``data_3d_motion.npz``, ``data_2d_motion_{coco,h36m}.npz`` and ``cameras.json`` in VideoPose3D's forms.

    Every subject does every action once, seen by the room's three cameras.

    Args:
        folder: Where the files are written.
        subjects: Names.
        frames: Of each clip.
        fps: Frames per second.
        seed: Of the motion.
        noise_px: Standard deviation of the 2D joints, pixels.
    """
    folder, rng, cameras = Path(folder), np.random.default_rng(seed), room_rig()
    world: dict = {}
    images: dict = {name: {} for name in ("coco", "h36m")}
    for subject in subjects:
        world[subject] = {}
        for per_layout in images.values():
            per_layout[subject] = {}
        for action in ACTIONS:
            points = body_motion(rng, frames, fps, action)
            world[subject][action] = in_skeleton(points, H36M_17).astype(np.float32)
            for name, (skeleton, _) in _LAYOUTS.items():
                joints = in_skeleton(points, skeleton)
                images[name][subject][action] = [
                    (camera.project(joints)[0] + rng.normal(0, noise_px, (*joints.shape[:2], 2))).astype(np.float32)
                    for camera in cameras
                ]
    save_lifting_files(folder, world, images, {"*": [camera_record(camera) for camera in cameras]})


def save_lifting_files(folder: Path, world: dict, images: dict, cameras: dict) -> None:
    """Write ``data_3d_motion.npz``, ``data_2d_motion_{coco,h36m}.npz`` and ``cameras.json`` in VideoPose3D's forms.

    Args:
        folder: Where the files are written.
        world: {subject: {action: (F, 17, 3)}}, metres.
        images: {"coco" or "h36m": {subject: {action: [(F, 17, 2) pixels per camera]}}}.
        cameras: {subject, or "*" for any: [`camera_record` of each camera]}.
    """
    with atomic_write(folder / "data_3d_motion.npz", "wb") as file:
        np.savez_compressed(file, positions_3d=object_scalar(world))
    for name, views in images.items():
        skeleton, symmetry = _LAYOUTS[name]
        meta = {"layout_name": name, "num_joints": skeleton.num_joints, "keypoints_symmetry": symmetry}
        with atomic_write(folder / f"data_2d_motion_{name}.npz", "wb") as file:
            np.savez_compressed(file, positions_2d=object_scalar(views), metadata=object_scalar(meta))
    write_json(folder / "cameras.json", cameras, indent=1)


def camera_record(camera: Camera) -> dict:
    """A camera as ``cameras.json`` holds it.

    Args:
        camera: The camera.

    Returns:
        JSON values.
    """
    from scipy.spatial.transform import Rotation

    x, y, z, w = Rotation.from_matrix(camera.pose[:3, :3]).as_quat().tolist()
    return {
        "size": list(camera.size),
        "focal": [camera.fx, camera.fy],
        "center": [camera.cx, camera.cy],
        "orientation": [w, x, y, z],
        "position": camera.pose[:3, 3].tolist(),
    }


def rig_record(cameras: Sequence[Camera]) -> dict:
    """Cameras as the JSON of `orplugins.io.calibration.read_rig`.

    Args:
        cameras: The cameras.

    Returns:
        JSON values.
    """
    records = []
    for camera in cameras:
        inverse = np.linalg.inv(camera.pose)
        records.append(
            {
                "image_size": list(camera.size),
                "K": camera.matrix.tolist(),
                "dist": [0.0] * 5,
                "R": inverse[:3, :3].tolist(),
                "t": inverse[:3, 3].tolist(),
            }
        )
    return json.loads(json.dumps({"cameras": records}))
