"""One person's motion as several systems would record it, from the 2D joints of calibrated cameras.

All give (F, 17, 3) COCO-17 in the room, metres, NaN where a joint was not found. Who is who is told by the truth: these
functions compare how well places are found, not who is followed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orplugins.geometry.assignment import match_pairs
from orplugins.geometry.cameras import Camera
from orplugins.geometry.rectified import ParallelRig, StereoRules, triangulate_rectified
from orplugins.geometry.triangulation import present
from orplugins.multiview.batch import reconstruct
from orplugins.multiview.people import MultiViewRules
from orplugins.multiview.rectified_pair import clean_clip
from orplugins.multiview.single_view_depth import DepthRules, place_by_depth
from orplugins.skeletons import BODY_25, COCO_17, convert

GATE_M = 0.5  # a person found further than this (median over joints) from a true one is somebody else
GATE_HEIGHT = 0.35  # the same in an image, in heights of the true person there


def _match(cost: np.ndarray) -> list[tuple[int, int]]:
    """Optimal pairs of an (N, M) cost, the infinite ones left out."""
    match = match_pairs(cost)
    return [(i, j) for i, j in enumerate(match) if j >= 0]


def _median_distance(found: np.ndarray, true: np.ndarray) -> float:
    distance = np.linalg.norm(found - true, axis=-1)
    distance = distance[np.isfinite(distance)]
    return float(np.median(distance)) if len(distance) >= 3 else np.inf


def assign_detections(
    detections: Sequence[Sequence[np.ndarray]], labels: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Every person's own detections.

    Args:
        detections: For every frame V arrays (N, 17, 3).
        labels: {person: (V, F, 17, 3)} true pixels, 0 in the last column where a joint is not labelled.

    Returns:
        {person: (V, F, 17, 3)}, zeros where the person was not detected.
    """
    out = {person: np.zeros_like(own) for person, own in labels.items()}
    names = list(labels)
    for t, frame in enumerate(detections):
        for v, people in enumerate(frame):
            cost = np.full((len(names), len(people)), np.inf)
            for i, name in enumerate(names):
                true = np.where(labels[name][v, t, :, 2:] > 0, labels[name][v, t, :, :2], np.nan)
                if not np.isfinite(true).any():
                    continue
                height = np.nanmax(true[:, 1]) - np.nanmin(true[:, 1])
                for j, person in enumerate(people):
                    found = np.where(present(person)[:, None], person[:, :2], np.nan)
                    distance = _median_distance(found, true)
                    cost[i, j] = distance if distance <= GATE_HEIGHT * height else np.inf
            for i, j in _match(cost):
                out[names[i]][v, t] = people[j]
    return out


def by_views(
    cameras: Sequence[Camera], detections: Sequence[Sequence[np.ndarray]], truth: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Association and triangulation of all people in all frames.

    Args:
        cameras: V cameras of one world.
        detections: For every frame V arrays (N, 17, 3).
        truth: {person: (F, 17, 3)} true joints, metres, to tell who is who.

    Returns:
        {person: (F, 17, 3)} of those in ``truth``.
    """
    people = reconstruct(cameras, [list(frame) for frame in detections], MultiViewRules().for_cameras(cameras))
    names = list(truth)
    out = {name: np.full_like(points, np.nan) for name, points in truth.items()}
    for t in range(len(detections)):
        mine = people.points[people.frame == t]
        cost = np.array([[_median_distance(found, truth[name][t]) for found in mine] for name in names])
        cost = cost.reshape(len(names), len(mine))
        for i, j in _match(np.where(cost <= GATE_M, cost, np.inf)):
            out[names[i]][t] = mine[j]
    return out


def parallel_pair(
    camera: Camera, points: np.ndarray, seen: np.ndarray, baseline_m: float, noise_px: float, rng: np.random.Generator
) -> np.ndarray:
    """What a parallel pair of 640 x 480 cameras would measure: triangulated and cleaned.

    Args:
        camera: The left one.
        points: (F, 17, 3) true joints in the room.
        seen: (F, 17) whether the left camera sees them; the right one is taken to see the same.
        baseline_m: Distance of the cameras, metres.
        noise_px: White noise of the 2D joints, pixels.
        rng: Source of all randomness.

    Returns:
        (F, 17, 3).
    """
    left = camera.resized((640, 480))
    pose = left.pose.copy()
    pose[:3, 3] += baseline_m * pose[:3, 0]
    right = Camera(left.fx, left.fy, left.cx, left.cy, left.size, pose=pose)
    # One focal length: the pixels of the other axis are stretched by a few thousandths.
    rig = ParallelRig(baseline_m, left.fx, left.size, (left.cx, left.cy), (right.cx, right.cy))
    views = []
    for view in (left, right):
        pixels, depth = view.project(points)
        pixels[..., 1] = (pixels[..., 1] - left.cy) * left.fx / left.fy + left.cy
        pixels = pixels + rng.normal(0, noise_px, pixels.shape)
        inside = ((pixels >= 0) & (pixels <= np.array(view.size) - 1)).all(-1) & (depth > 0.1) & seen
        joints = np.concatenate([pixels, np.ones((*pixels.shape[:-1], 1))], -1)
        views.append(convert(np.where(inside[..., None], joints, 0.0), COCO_17, BODY_25))
    xyz, code, _ = triangulate_rectified(views[0], views[1], rig, StereoRules())
    clip = clean_clip(xyz, code)
    both = np.concatenate([np.nan_to_num(clip.xyz), (clip.state > 0)[..., None]], -1)
    back = convert(both, BODY_25, COCO_17)
    return np.where(back[..., 3:] > 0, left.camera_to_world(back[..., :3]), np.nan)


def by_depth(
    camera: Camera, keypoints: np.ndarray, pictures: Sequence[np.ndarray], rules: DepthRules | None = None
) -> np.ndarray:
    """One camera's 2D joints placed by its depth images, see `place_by_depth`.

    Args:
        camera: The camera.
        keypoints: (F, 17, 3) x, y, confidence.
        pictures: F depth images (H, W), uint16 millimetres.
        rules: Limits; None: the defaults.

    Returns:
        (F, 17, 3).
    """
    return np.stack([place_by_depth(camera, k, d, rules) for k, d in zip(keypoints, pictures, strict=True)])


def best_view(keypoints: np.ndarray) -> int:
    """The view with the most joints.

    Args:
        keypoints: (V, F, 17, 3) x, y, confidence.

    Returns:
        Its index.
    """
    return int(present(keypoints).sum((1, 2)).argmax())
