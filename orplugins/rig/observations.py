"""What one camera saw of people, as arrays over all detections of a recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.geometry.triangulation import camera_rays, present

# A detection needs as many joints: fewer are a hand behind a shoulder, or nobody.
LEAST_JOINTS = 5
# Two detections of one image whose shared joints lie nearer than this (median) are one, pixels of images 640 wide.
_SAME_PX = 5.0
# How far a person moves between neighbouring frames at most, as a share of its size in the image.
_MOST_STEP = 0.25
_GAPS = (1, 2, 3)  # frames to the next detection of a person
# A speed is the slope over so many detections to either side, fewer where a person has gone so far, as a share of its
# size. Over one frame, what detectors err is more than what people at work move, and drowns all offsets of clocks.
_REACH, _REACH_STEP = 6, 0.12


@dataclass(frozen=True, eq=False)
class View:
    """D detections of one camera.

    Attributes:
        camera: Its intrinsics; its pose has no part.
        frame: (D,) number of the frame, rising.
        rays: (D, 17, 2) x/z, y/z without lens distortion; NaN where a joint is missing.
        weight: (D, 17) confidence up to 1, 0 where a joint is missing.
        size: (D,) diagonal of the box about the joints, x/z.
        speed: (D, 17, 2) change of the rays per frame; NaN where it is not known.
        moving: (D,) whether the person was there before and after.
        depth: (D, 17) metres along the optical axis to the joints, NaN where not measured; None without depth images.
    """

    camera: Camera
    frame: np.ndarray
    rays: np.ndarray
    weight: np.ndarray
    size: np.ndarray
    speed: np.ndarray
    moving: np.ndarray
    depth: np.ndarray | None = None

    @property
    def focal(self) -> float:
        """Pixels that a ray's unit is, the mean of both axes."""
        return float(np.sqrt(self.camera.fx * self.camera.fy))


def observe(people: Mapping[int, np.ndarray], camera: Camera) -> View:
    """Gather a camera's detections.

    Args:
        people: {frame: (N, 17, 3) COCO-17, x, y in pixels and score; 0 or NaN where a joint is missing}.
        camera: The camera's intrinsics.

    Returns:
        Detections with `LEAST_JOINTS` joints or more, each person once.
    """
    frames: list[int] = []
    found: list[np.ndarray] = []
    for frame in sorted(people):
        kept = _once(people[frame], _SAME_PX * camera.size[0] / 640)
        frames += [frame] * len(kept)
        found += list(kept)
    keypoints = np.array(found).reshape(-1, 17, 3)
    seen = present(keypoints)
    rays = camera_rays([camera], np.where(seen[None, ..., None], keypoints[None, ..., :2], 0.0))[0]
    seen &= np.isfinite(rays).all(-1)
    rays = np.where(seen[..., None], rays, np.nan)
    weight = np.where(seen, np.clip(np.nan_to_num(keypoints[..., 2]), 0.0, 1.0), 0.0)
    number = np.array(frames, dtype=np.int64)
    speed, moving = _speeds(number, rays)
    return View(camera, number, rays, weight, extents(rays), speed, moving)


def extents(rays: np.ndarray) -> np.ndarray:
    """Diagonals of the boxes about the joints of (D, 17, 2) detections, NaN joints left out; 0 for none."""
    seen = np.isfinite(rays)
    high = np.where(seen, rays, -np.inf).max(1, initial=-np.inf)
    low = np.where(seen, rays, np.inf).min(1, initial=np.inf)
    return np.where(seen.any((1, 2)), np.linalg.norm(np.where(np.isfinite(high - low), high - low, 0.0), axis=-1), 0.0)


def _once(people: np.ndarray, same: float) -> np.ndarray:
    """Leave out who has too few joints, and who is there twice: the one with more joints stays."""
    people = np.asarray(people, dtype=np.float64).reshape(-1, 17, 3)
    seen = present(people)
    order = np.argsort(-seen.sum(1), kind="stable")
    kept: list[int] = []
    for i in order[seen.sum(1)[order] >= LEAST_JOINTS].tolist():
        shared = [seen[i] & seen[k] for k in kept]
        gaps = [
            np.median(np.linalg.norm(people[i, s, :2] - people[k, s, :2], axis=-1)) if s.sum() >= 3 else np.inf
            for k, s in zip(kept, shared, strict=True)
        ]
        if min(gaps, default=np.inf) >= same:
            kept.append(i)
    return people[sorted(kept)]


def _speeds(frame: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Change of the rays per frame, from the same person's detections before and after, and who has such."""
    size = extents(rays)
    before, after = (neighbours(frame, rays, size, direction) for direction in (-1, 1))
    moving = (before >= 0) & (after >= 0)
    # Sums of a line's fit, about the detection itself.
    zero = np.zeros((*rays.shape[:2], 1))
    count, time, squares = zero + np.isfinite(rays[..., :1]), zero.copy(), zero.copy()
    total, product = np.nan_to_num(rays - rays), np.zeros(rays.shape)
    sides = np.zeros((2, *zero.shape))
    for side, link in enumerate((before, after)):
        place, going = np.arange(len(rays)), np.ones(len(rays), dtype=bool)
        for _ in range(_REACH):
            place = np.where(going, link[place], -1)
            going &= place >= 0
            away = rays[place] - rays
            with np.errstate(invalid="ignore"):
                far = np.linalg.norm(away, axis=-1)
            step = np.median(np.where(np.isfinite(far), far, 0.0), axis=1)
            there = going[:, None, None] & np.isfinite(away).all(-1, keepdims=True)
            gap = (frame[place] - frame)[:, None, None] * there
            away = np.where(there, away, 0.0)
            count, time, squares = count + there, time + gap, squares + gap**2
            total, product = total + away, product + gap * away
            sides[side] += there
            going &= step < _REACH_STEP * size
    both = (sides > 0).all(0) & moving[:, None, None]
    below = np.where(both, count * squares - time**2, 1.0)
    speed = np.where(both, (count * product - time * total) / below, np.nan)
    return speed, moving


def neighbours(frame: np.ndarray, rays: np.ndarray, size: np.ndarray, direction: int) -> np.ndarray:
    """The same person's detection in the next frame.

    Args:
        frame: (D,) rising.
        rays: (D, 17, 2).
        size: (D,) of the people.
        direction: 1 for the frame after, -1 for the frame before; up to two frames may be missing.

    Returns:
        (D,) detections, -1 where nobody is near.
    """
    first = {int(n): i for i, n in reversed(list(enumerate(frame.tolist())))}
    last = {int(n): i + 1 for i, n in enumerate(frame.tolist())}
    found = np.full(len(rays), -1)
    for i in range(len(rays)):
        for gap in _GAPS:
            there = int(frame[i]) + direction * gap
            if there not in first:
                continue
            with np.errstate(invalid="ignore"):
                steps = np.linalg.norm(rays[first[there] : last[there]] - rays[i], axis=-1)
            middle = np.median(np.where(np.isfinite(steps), steps, np.inf), axis=1)
            best = int(middle.argmin())
            if middle[best] < _MOST_STEP * size[i]:
                found[i] = first[there] + best
            break
    return found
