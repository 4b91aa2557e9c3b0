"""Where on the floor a person stands, from the box and, where there is one, the pose of one view.

A box alone says little: its sides give a direction, its upper edge the height of a head at some distance, its lower
edge the feet unless a table or the image's edge hides them. So each view's box becomes a probability over places on the
floor and heights of people; views that mean the same person agree somewhere, others mostly nowhere. Patients, and
whatever is seen of people who lie, are parts of a body at the height of a table instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.skeletons import CAMMA_10

_HEAD = CAMMA_10.index("head")
_SHOULDERS = [CAMMA_10.index("left_shoulder"), CAMMA_10.index("right_shoulder")]
_UNIT = 100.0  # pixels in which densities are counted
_LOW = -60.0


@dataclass(frozen=True)
class PlaceRules:
    """People in a room; errors in metres at the person, to which ``pixels`` of images 640 wide are added.

    Attributes:
        step_m: Distance of places.
        margin_m: How far from the cameras people may be.
        heights: Lowest and highest top of a body above the floor, and their distance.
        stature: Usual one and its deviation; ``other`` is the weight of any other height (bent, sitting, children).
        other: See there.
        half_width: Half of a body's width, and the error of a box's sides.
        top, bottom: Error of a box's upper and lower edge.
        hidden: Probability that the feet are hidden, so that the lower edge is anywhere above them.
        head_m, shoulder: Distance of the head's joint from the top; shoulders' height as a share of the top's.
        joint: Error of these joints.
        lying: Probability that somebody without a pose is a part of a body that lies, at these ``levels`` above the
            floor, with a typical size ``part``.
        levels, part: See there.
        crowd: People a square metre who could be mixed up, those who stand and those who lie: people who are seen by
            one camera only; most are seen by several.
        near_m, far_m: Distances from a camera.
        pixels: Of every error.
    """

    step_m: float = 0.15
    margin_m: float = 4.0
    heights: tuple[float, float, float] = (1.1, 2.0, 0.1)
    stature: tuple[float, float] = (1.68, 0.10)
    other: float = 0.03
    half_width: tuple[float, float] = (0.27, 0.16)
    top: float = 0.06
    bottom: float = 0.08
    hidden: float = 0.4
    head_m: float = 0.13
    shoulder: float = 0.80
    joint: float = 0.08
    lying: float = 0.5
    levels: tuple[float, ...] = (0.85, 1.0, 1.15, 1.3)
    part: float = 0.7
    crowd: tuple[float, float] = (0.05, 0.015)
    near_m: float = 0.5
    far_m: float = 7.0
    pixels: float = 4.0


class FloorPlaces:
    """Places and heights, with where each would be seen.

    Args:
        cameras: V cameras whose world has the floor at z = 0, z up.
        rules: People and errors; None: the defaults.

    Attributes:
        prior: (S,) of the states: standing bodies height by height, then parts of lying ones level by level.
        crowd: (S,) people a square metre in each state.
        area: Of a place, square metres.
    """

    def __init__(self, cameras: Sequence[Camera], rules: PlaceRules | None = None):
        self.cameras, self.rules = cameras, rules or PlaceRules()
        r = self.rules
        centres = np.array([camera.pose[:2, 3] for camera in cameras])
        low, high = centres.min(0) - r.margin_m, centres.max(0) + r.margin_m
        x, y = (np.arange(a, b + r.step_m, r.step_m) for a, b in zip(low, high, strict=True))
        places = np.stack(np.meshgrid(x, y, indexing="ij"), -1).reshape(-1, 2)
        self.places = places[sum(self._in_view(camera, places).astype(int) for camera in cameras) > 0]
        first, last, step = r.heights
        tall = np.arange(first, last + step / 2, step)
        self.heights: list[float] = tall.tolist()
        usual = np.exp(-0.5 * ((tall - r.stature[0]) / r.stature[1]) ** 2) * (tall > r.stature[0] - 0.2)
        count = len(self.places)
        heights = (usual + r.other) / (usual + r.other).sum()
        standing, lying = np.repeat(heights, count), np.full(len(r.levels) * count, 1 / len(r.levels))
        self.prior, self.crowd = (
            np.concatenate([a * standing, b * lying]).astype(np.float32) for a, b in ((1 - r.lying, r.lying), r.crowd)
        )
        self.area = r.step_m**2
        self._seen = [{z: self._project(camera, z) for z in self._levels()} for camera in cameras]

    def _levels(self) -> set[float]:
        r = self.rules
        bodies = {z for h in self.heights for z in (h, h - r.head_m, h * r.shoulder)}
        return {0.0, *bodies, *r.levels}

    def _in_view(self, camera: Camera, places: np.ndarray) -> np.ndarray:
        inside = np.zeros(len(places), dtype=bool)
        for z in (0.0, 0.9, 1.7):
            pixels, depth = camera.project(np.concatenate([places, np.full((len(places), 1), z)], 1))
            with np.errstate(invalid="ignore"):
                inside |= ((pixels >= 0) & (pixels < camera.size)).all(1) & (depth > self.rules.near_m)
        return inside

    def _project(self, camera: Camera, z: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pixels (S, 2), pixels a metre (S,), and where a body can be (S,)."""
        points = np.concatenate([self.places, np.full((len(self.places), 1), z)], 1)
        pixels, depth = camera.project(points)
        good = (depth > self.rules.near_m) & (depth < self.rules.far_m)
        return np.where(good[:, None], pixels, 1e4), camera.fx / np.maximum(depth, self.rules.near_m), good

    def evidence(self, view: int, boxes: np.ndarray, poses: np.ndarray) -> np.ndarray:
        """Probability of every state, for people of one view.

        Args:
            view: The camera.
            boxes: (N, 4) x, y, width, height, undistorted pixels.
            poses: (N, 10, 3) CAMMA-10, undistorted; zeros where a person has a box only.

        Returns:
            (N, S) densities a square metre.
        """
        r, seen = self.rules, self._seen[view]
        pixels = r.pixels * self.cameras[view].size[0] / 640
        out = np.full((len(boxes), len(self.prior)), _LOW, dtype=np.float32)
        count, standing = len(self.places), len(self.heights) * len(self.places)
        posed = np.any(poses[..., [_HEAD, *_SHOULDERS], 2] > 0, axis=1)
        for k, height in enumerate(self.heights):
            part = slice(k * count, (k + 1) * count)
            for n in range(len(boxes)):
                if posed[n]:
                    head, shoulder = seen[height - r.head_m], seen[height * r.shoulder]
                    value = self._joints(poses[n], head, shoulder, pixels)
                else:
                    value = self._standing(boxes[n], seen[height], seen[0.0], self.cameras[view].size, pixels)
                out[n, part] = np.where(seen[height][2], value, _LOW)
        for k, level in enumerate(r.levels):
            part = slice(standing + k * count, standing + (k + 1) * count)
            for n in np.flatnonzero(~posed):
                out[n, part] = np.where(seen[level][2], self._lying(boxes[n], seen[level], pixels), _LOW)
        weight = np.exp(out - out.max(1, keepdims=True)) * self.prior
        return weight / np.maximum(weight.sum(1, keepdims=True) * self.area, 1e-30)

    def _joints(self, pose: np.ndarray, head: tuple, shoulder: tuple, pixels: float) -> np.ndarray:
        total = np.zeros(len(self.places))
        there = pose[_SHOULDERS][pose[_SHOULDERS, 2] > 0]
        wanted = [(pose[_HEAD, :2], head)] if pose[_HEAD, 2] > 0 else []
        for xy, (place, per_metre, _) in wanted + ([(there[:, :2].mean(0), shoulder)] if len(there) else []):
            width = self.rules.joint * per_metre + 0.75 * pixels
            distance = np.hypot(place[:, 0] - xy[0], place[:, 1] - xy[1])
            total += np.maximum(-distance / width, -8) - 2 * np.log(2 * width / _UNIT)
        return total

    def _standing(self, box: np.ndarray, top: tuple, foot: tuple, size: tuple[int, int], pixels: float) -> np.ndarray:
        r, (last_x, last_y) = self.rules, (size[0] - 1, size[1] - 1)
        left, upper, right, lower = box[0], box[1], box[0] + box[2], box[1] + box[3]
        (head, per_metre, _), feet = top, foot[0]
        rise = feet[:, 1] - head[:, 1]
        along = np.clip(((upper + lower) / 2 - head[:, 1]) / np.where(np.abs(rise) < 1, 1.0, rise), 0, 1)
        middle = head[:, 0] + along * (feet[:, 0] - head[:, 0])
        width = r.half_width[1] * per_metre + pixels
        total = -2 * np.log(2 * width / _UNIT)
        for edge, sign in ((left, -1), (right, 1)):
            wanted = np.clip(middle + sign * r.half_width[0] * per_metre, 0, last_x)
            total += np.maximum(-np.abs(wanted - edge) / width, -6)
        width = r.top * per_metre + pixels
        if upper <= 2:  # cut off: the head is anywhere above
            off = np.maximum(head[:, 1], 0)
        else:
            off = np.abs(head[:, 1] - upper) * np.where(upper > head[:, 1], 0.6, 1.0)
        total += np.maximum(-off / width, -5) - np.log(2 * width / _UNIT)
        bottom, width = np.minimum(feet[:, 1], last_y), r.bottom * per_metre + pixels
        below = np.maximum(lower - bottom, 0)
        at_feet = np.exp(-np.abs(bottom - lower) / width) / (2 * width / _UNIT)
        anywhere = 1 / (np.maximum(bottom - head[:, 1], 20) / _UNIT)
        return total + np.maximum(-below / width, -5) + np.log((1 - r.hidden) * at_feet + r.hidden * anywhere + 1e-12)

    def _lying(self, box: np.ndarray, level: tuple, pixels: float) -> np.ndarray:
        r, (place, per_metre, _) = self.rules, level
        total = np.full(len(self.places), -1.5)
        for axis, spread in ((0, 0.20), (1, 0.12)):
            width = spread * per_metre + 0.2 * box[axis + 2] + 0.75 * pixels
            off = np.abs(place[:, axis] - box[axis] - box[axis + 2] / 2)
            total += np.maximum(-off / width, -6) - np.log(2 * width / _UNIT)
        size = np.log(np.sqrt(max(box[2] * box[3], 1.0)) / per_metre / r.part)
        return total - 0.5 * (size / 0.6) ** 2
