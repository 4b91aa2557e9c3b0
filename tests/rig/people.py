"""People in a room as cameras see them: exact points, no rendering."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from orplugins.geometry.rotations import from_vector
from orplugins.skeletons import COCO_17
from orplugins.synthetic.motion_points import ACTIONS, body_motion, in_skeleton, look_at, observe

PLACES = ((3.0, -2.4, 2.4), (-2.8, -2.2, 2.5), (0.3, 3.3, 2.6), (3.1, 2.5, 2.3), (-3.0, 2.4, 2.5), (0.1, -3.4, 2.6))


def rig(views: int = 3):
    """Cameras under a ceiling."""
    return [look_at(place, (0.1 * k - 0.1, 0.1, 1.0), focal=530.0 + 5 * k) for k, place in enumerate(PLACES[:views])]


def bodies(frames: int, people: int, seed: int, spread: float = 1.2) -> np.ndarray:
    """(F, P, 17, 3) people of single moments, anywhere in the room."""
    rng = np.random.default_rng(seed)
    poses = np.concatenate(
        [in_skeleton(body_motion(np.random.default_rng((seed, k)), 60, 2.0, a), COCO_17) for k, a in enumerate(ACTIONS)]
    )
    poses[..., :2] -= poses[:, 11:13, :2].mean(1, keepdims=True)
    poses[..., 0] *= -1  # the toy's noses are on the other side
    chosen = poses[rng.integers(len(poses), size=(frames, people))]
    angle = rng.uniform(0, 2 * np.pi, (frames, people))
    c, s = np.cos(angle)[..., None], np.sin(angle)[..., None]
    x, y = c * chosen[..., 0] - s * chosen[..., 1], s * chosen[..., 0] + c * chosen[..., 1]
    chosen = np.stack([x, y, chosen[..., 2]], -1)
    chosen[..., :2] += rng.uniform(-spread, spread, (frames, people, 1, 2))
    return chosen


def walking(frames: int, people: int, seed: int, fps: float = 25.0) -> np.ndarray:
    """(F, P, 17, 3) people who move."""
    each = []
    for k in range(people):
        own = in_skeleton(body_motion(np.random.default_rng((seed, k)), frames, fps, ACTIONS[k % 3]), COCO_17)
        each.append(own * (-1, 1, 1) + np.array([0.8 * np.cos(2.1 * k), 0.8 * np.sin(2.1 * k), 0.0]))
    return np.stack(each, 1)


def seen(cameras, points: np.ndarray, seed: int = 0, noise: float = 1.0, missing: float = 0.15, lone: float = 0.1):
    """{frame: (N, 17, 3)} of each camera, in another order in each; some people are not found."""
    rng = np.random.default_rng(seed)
    views = []
    for camera in cameras:
        view = {}
        for t, people in enumerate(points):
            found = observe(camera, people[rng.permutation(len(people))], rng, noise, missing)
            view[t] = found[rng.random(len(found)) >= lone]
        views.append(view)
    return views


def moved(camera, degrees: float, metres: float, seed: int = 0):
    """The camera at another pose."""
    rng = np.random.default_rng(seed)
    axis, way = (v / np.linalg.norm(v) for v in rng.normal(size=(2, 3)))
    pose = camera.pose.copy()
    pose[:3, :3] = from_vector(axis * np.radians(degrees)) @ pose[:3, :3]
    pose[:3, 3] += metres * way
    return replace(camera, pose=pose)


def errors(found, true) -> tuple[np.ndarray, np.ndarray, float]:
    """Degrees, metres at the true scale, and scale: all against the first camera."""
    relative = [[np.linalg.inv(rig_[0].pose) @ c.pose for c in rig_] for rig_ in (found, true)]
    turns = [
        np.degrees(np.arccos(np.clip((np.trace(a[:3, :3].T @ b[:3, :3]) - 1) / 2, -1, 1)))
        for a, b in zip(*relative, strict=True)
    ]
    one, two = (np.array([pose[:3, 3] for pose in poses]) for poses in relative)
    scale = float((one * two).sum() / (one * one).sum())
    return np.array(turns), np.linalg.norm(scale * one - two, axis=1), 1 / scale
