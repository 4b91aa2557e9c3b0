"""Whether poses were read the wrong way round, world to camera for camera to world.

Cameras of one room look at a common place, and most of them stand upright. Read the wrong way round they look away from
one another, or stand behind each other and are rolled. Where both readings are possible nothing is said: relative poses
of a pair, for instance, look alike in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orplugins.geometry.cameras import Camera

_DEPTHS_M = np.array([0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0])


@dataclass(frozen=True)
class _Reading:
    """What one reading of the poses means.

    Attributes:
        away: Largest angle between a camera's axis and the direction to the point that the axes pass best, degrees.
        alone: A camera shares no view with any other.
        shared: Mean share of a camera's view that another one sees.
        upright: Length of the mean of the cameras' y axes: 1 where all stand alike.
        ahead: The same of their optical axes.
        spread: Largest distance of two cameras, metres.
        behind: The cameras are spread along their common axis rather than across it.
    """

    away: float
    alone: bool
    shared: float
    upright: float
    ahead: float
    spread: float
    behind: bool


def looks_inverted(cameras: Sequence[Camera]) -> bool:
    """Whether the inverse poses are those of cameras in a room, and these are not.

    Args:
        cameras: Two cameras or more, lengths in metres.

    Returns:
        True only where the geometry is clear.
    """
    poses = np.stack([camera.pose for camera in cameras])
    given, other = _reading(cameras, poses), _reading(cameras, np.linalg.inv(poses))
    if other.away > 30 or other.alone:
        return False
    # Nearly parallel axes pass no point well, so that alone says nothing about them.
    more = other.shared > 1.5 * given.shared
    clear = more or given.ahead < 0.85
    rolled = other.upright > 0.85 and given.upright < other.upright - 0.15
    huddled = given.spread < 0.3 * other.spread or (given.ahead > 0.85 and given.behind)
    odd = given.alone or (given.away > 80 and clear) or (rolled and (huddled or more))
    return odd and (other.ahead < 0.85 or given.ahead < 0.95)


def _reading(cameras: Sequence[Camera], poses: np.ndarray) -> _Reading:
    centres, axes = poses[:, :3, 3], poses[:, :3, 2]
    shared = _shared_views(cameras, poses)
    pairs = shared[~np.eye(len(cameras), dtype=bool)]
    mean = axes.mean(0)
    from_middle = centres - centres.mean(0)
    along = np.sum((from_middle @ (mean / max(np.linalg.norm(mean), 1e-12))) ** 2)
    return _Reading(
        _away(centres, axes),
        bool(shared.max(1).min() <= 0),
        float(pairs.mean()),
        float(np.linalg.norm(poses[:, :3, 1].mean(0))),
        float(np.linalg.norm(mean)),
        float(np.linalg.norm(centres[:, None] - centres[None], axis=-1).max()),
        bool(along > np.sum(from_middle**2) - along),
    )


def _away(centres: np.ndarray, axes: np.ndarray) -> float:
    across = np.eye(3) - axes[:, :, None] * axes[:, None]
    # Where the axes are parallel any point along them would do: the one nearest the cameras.
    left = across.sum(0) + 1e-6 * np.eye(3)
    right = np.einsum("vij,vj->i", across, centres) + 1e-6 * centres.mean(0)
    towards = np.linalg.solve(left, right) - centres
    length = np.maximum(np.linalg.norm(towards, axis=1), 1e-9)
    return float(np.degrees(np.arccos(np.clip(np.sum(towards * axes, 1) / length, -1, 1))).max())


def _shared_views(cameras: Sequence[Camera], poses: np.ndarray) -> np.ndarray:
    """(V, V) share of samples of one camera's view that another one sees, the smaller of both; 0 on the diagonal."""
    samples = []
    for camera in cameras:
        width, height = camera.size
        pixels = np.stack(np.meshgrid(np.linspace(0, width - 1, 7), np.linspace(0, height - 1, 7)), -1).reshape(-1, 2)
        rays = (camera.undistort(pixels) - (camera.cx, camera.cy)) / (camera.fx, camera.fy)
        rays = rays[np.isfinite(rays).all(-1)]
        local = np.concatenate([rays, np.ones((len(rays), 1))], -1)
        samples.append((local[:, None] * _DEPTHS_M[:, None]).reshape(-1, 3))
    shared = np.zeros((len(cameras), len(cameras)))
    for i, j in np.ndindex(shared.shape):
        if i == j or not len(samples[i]):
            continue
        world = samples[i] @ poses[i, :3, :3].T + poses[i, :3, 3]
        x, y, z = ((world - poses[j, :3, 3]) @ poses[j, :3, :3]).T
        camera, ahead = cameras[j], z > 0.2
        safe = np.where(ahead, z, 1)
        pixels = np.stack([x / safe * camera.fx + camera.cx, y / safe * camera.fy + camera.cy], -1)
        if camera.distortion_order == "fisheye":
            pixels = camera.distort(pixels)
        inside = (pixels > 0).all(-1) & (pixels < camera.size).all(-1)
        shared[i, j] = (ahead & inside).mean()
    return np.minimum(shared, shared.T)
