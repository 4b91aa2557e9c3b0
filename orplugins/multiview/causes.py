"""Why people of several cameras do not fit: calibrations and orders of views that would explain the detections better.

Each supposition is one common slip (lengths in millimetres, poses the other way round, views exchanged) undone. A few
frames are reconstructed again under it; the one under which the detections agree best is named, if it is much better.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.geometry.triangulation import present
from orplugins.io.pixel_scale import known_joints
from orplugins.multiview.batch import reconstruct
from orplugins.multiview.fit import Fit, measure, stature
from orplugins.multiview.people import MultiViewRules
from orplugins.skeletons import COCO_17

Frames = list[list[np.ndarray]]

MOST_FRAMES = 30
_FIRST_FRAMES = 10
_NEAR = 0.3  # agreement at which poses and units are right, if not perfect
# What multiplies the rig's lengths to make them metres.
UNITS = {
    "millimetres": 1e-3,
    "centimetres": 1e-2,
    "decimetres": 0.1,
    "inches": 0.0254,
    "feet": 0.3048,
    "kilometres": 1e3,
}
_OTHER_FACTORS = (0.5, 0.7, 1.5, 2.0)
_RESOLUTIONS = (
    1 / 6, 1 / 5, 1 / 4, 1 / 3, 0.4, 1 / 2, 3 / 5, 2 / 3, 3 / 4, 4 / 5, 5 / 6, 0.9,
    1.1, 6 / 5, 5 / 4, 4 / 3, 3 / 2, 5 / 3, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0,
)  # fmt: skip
_Y_UP = np.diag([1.0, -1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Supposition:
    """A slip that is undone.

    Attributes:
        text: What the user is told.
        cameras: The cameras without it.
        change: What becomes of a frame's V arrays of detections.
        view: The view that it concerns, None for all.
        factor: What the rig's lengths are multiplied by; the text then lacks the unit.
    """

    text: str
    cameras: Sequence[Camera]
    change: Callable[[list[np.ndarray]], list[np.ndarray]] = field(default=list)
    view: int | None = None
    factor: float | None = None


@dataclass(frozen=True)
class Cause:
    """A supposition that fits: its words, and how well the detections agree with and without it."""

    text: str
    score: float
    before: float

    def __str__(self) -> str:
        return f"{self.text} (agreement of the views {self.score:.2f} then, {self.before:.2f} as it is)"


def sample(frames: Frames, most: int = MOST_FRAMES) -> Frames:
    """Return frames in which two views or more have people, evenly spaced."""
    useful = [frame for frame in frames if sum(len(view) > 0 for view in frame) > 1]
    return [useful[k] for k in np.linspace(0, len(useful) - 1, min(most, len(useful))).astype(int)]


def evaluate(cameras: Sequence[Camera], frames: Frames, rules: MultiViewRules, change: Callable | None = None) -> Fit:
    """Reconstruct frames and measure how well the people explain them."""
    changed = [change(frame) for frame in frames] if change else frames
    with np.errstate(all="ignore"):  # a wrong calibration divides by nothing
        return measure(cameras, changed, reconstruct(cameras, changed, rules), rules)


def likely_cause(
    cameras: Sequence[Camera], names: Sequence[str], frames: Frames, rules: MultiViewRules
) -> Cause | None:
    """Find the slip that explains the detections much better than the calibration as it is.

    Args:
        cameras: V cameras of one world.
        names: Of the views.
        frames: For every frame V arrays (N, 17, 3); a few are looked at.
        rules: Limits of association.

    Returns:
        The cause, or None where none is clear.
    """
    frames = sample(frames)
    if not frames:
        return None
    plain = evaluate(cameras, frames, rules)
    doubtful = [v for v, score in enumerate(plain.by_view) if not score >= max(0.8 * np.nanmax(plain.by_view), 0.6)]
    few = sample(frames, _FIRST_FRAMES)
    tried = suppose(cameras, names, doubtful, _reach(frames, len(cameras)), plain.score < _NEAR)
    rough = [(evaluate(s.cameras, few, rules, s.change).score, k, s) for k, s in enumerate(tried)]
    best: tuple[float, Supposition] | None = None
    # Simple ones come first, and are only replaced by what is clearly better.
    for _, _, supposition in sorted(sorted(rough, key=lambda entry: -entry[0])[:12], key=lambda entry: entry[1]):
        fit = evaluate(supposition.cameras, frames, rules, supposition.change)
        if _better(fit, plain, supposition.view) and (best is None or fit.score > 1.05 * best[0]):
            best = fit.score, supposition
    if best is None:
        return None
    score, found = best
    unit = ""
    if found.factor:
        size = stature(reconstruct(found.cameras, frames, rules).points)
        unit = _unit(found.factor / (size if size > 0 else 1.0))
    return Cause(found.text + unit, score, plain.score)


def _unit(factor: float) -> str:
    """The unit of lengths that become metres when multiplied by about this."""
    unit = min(UNITS, key=lambda name: abs(np.log(factor / UNITS[name])))
    if abs(np.log(factor / UNITS[unit])) < 0.25:
        return f"the rig's translations are in {unit}, not metres"
    return f"the rig's translations are about {1 / factor:.2g} times their true length"


def _better(fit: Fit, plain: Fit, view: int | None) -> bool:
    # Half wrong is no explanation: of people that are found rightly, the detections agree.
    if fit.score < 0.1 or fit.quality < 0.47:
        return False
    # A view that is put right fits as well as the others; one that was moved is only left out under many slips.
    if view is not None and not fit.by_view[view] > 0.75 * np.nanmax(fit.by_view):
        return False
    if fit.score > 1.25 * plain.score + 0.05:
        return True
    # One view of many weighs little in the whole: its own agreement counts.
    return view is not None and fit.score >= plain.score and fit.by_view[view] > max(0.3, 2 * plain.by_view[view] + 0.1)


def suppose(
    cameras: Sequence[Camera], names: Sequence[str], doubtful: Sequence[int], reach: np.ndarray, far: bool = True
) -> Iterator[Supposition]:
    """Yield what may be wrong with a rig and its views, simple things first.

    Args:
        cameras: V cameras of one world.
        names: Of the views.
        doubtful: Views that may be wrong by themselves.
        reach: (V, 2) how far to the right and down the views' keypoints go, pixels.
        far: Also units and directions of poses: nobody at all fits under a wrong one.
    """
    for factor in (*UNITS.values(), *_OTHER_FACTORS) if far else ():
        yield Supposition("", _scaled(cameras, factor), factor=factor)
    yield from _exchanged(cameras, names)
    for text, turn in _TURNS.items() if far else ():
        turned = [replace(camera, pose=turn(camera.pose)) for camera in cameras]
        yield Supposition(text, turned)
        for factor in UNITS.values():
            yield Supposition(f"{text}, and ", _scaled(turned, factor), factor=factor)
    for factor in _RESOLUTIONS:
        if all(_holds(camera, factor, most) for camera, most in zip(cameras, reach, strict=True)):
            yield Supposition(_resolution(cameras[0], factor, "the rig's"), [_zoomed(c, factor) for c in cameras])
    for v in doubtful:
        yield Supposition(f"left and right are exchanged in view {v + 1} ({names[v]})", cameras, _only(v, _sides), v)
        mirror = _only(v, _mirrored(cameras[v]))
        yield Supposition(f"the images of view {v + 1} ({names[v]}) are mirrored", cameras, mirror, v)
        for factor in [factor for factor in _RESOLUTIONS if _holds(cameras[v], factor, reach[v])]:
            zoomed = [_zoomed(c, factor) if k == v else c for k, c in enumerate(cameras)]
            whose = f"view {v + 1}'s ({names[v]})"
            yield Supposition(_resolution(cameras[v], factor, whose), zoomed, view=v)
    changes = [_mirrored(camera) for camera in cameras]
    yield Supposition("the images of all views are mirrored", cameras, _all(changes))
    yield Supposition("the pixels of all views are counted from the bottom up", cameras, _all(map(_upside, cameras)))


_TURNS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "the rig's R and t take camera to world, not world to camera": np.linalg.inv,
    "the rig's cameras look along -z with y up (OpenGL, Blender)": lambda pose: pose @ _Y_UP,
    "the rig's R and t take camera to world, with cameras that look along -z, y up (OpenGL, Blender)": (
        lambda pose: np.linalg.inv(pose) @ _Y_UP
    ),
    # A position written where the translation belongs.
    "the rig's t is the cameras' positions, not the translation -R position": (
        lambda pose: _pose(pose[:3, :3], -pose[:3, :3].T @ pose[:3, 3])
    ),
}


def _pose(rotation: np.ndarray, place: np.ndarray) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, place
    return pose


def _scaled(cameras: Sequence[Camera], factor: float) -> list[Camera]:
    return [replace(c, pose=_pose(c.pose[:3, :3], factor * c.pose[:3, 3])) for c in cameras]


def _zoomed(camera: Camera, factor: float) -> Camera:
    return replace(
        camera,
        fx=factor * camera.fx,
        fy=factor * camera.fy,
        cx=factor * (camera.cx + 0.5) - 0.5,
        cy=factor * (camera.cy + 0.5) - 0.5,
    )


def _reach(frames: Frames, count: int) -> np.ndarray:
    """(V, 2) the 98th percentile of the keypoints' places in each view; zeros where there are none."""
    out = np.zeros((count, 2))
    for view in range(count):
        joints = known_joints([frame[view] for frame in frames])
        if len(joints):
            out[view] = np.percentile(joints, 98, axis=0)
    return out


def _holds(camera: Camera, factor: float, reach: np.ndarray) -> bool:
    """Whether an image of so many times the intrinsics' size has room for the keypoints."""
    return bool((reach <= 1.05 * factor * (2 * np.array([camera.cx, camera.cy]) + 1)).all())


def _resolution(camera: Camera, factor: float, whose: str) -> str:
    # The principal point is near the middle: it tells which size the intrinsics belong to.
    width, height = (round(2 * c + 1) for c in (camera.cx, camera.cy))
    return (
        f"{whose} intrinsics belong to images of another resolution: they are of about {width}x{height}, the keypoints "
        f"of pictures {factor:.3g} times that size (about {round(factor * width)}x{round(factor * height)})"
    )


def _exchanged(cameras: Sequence[Camera], names: Sequence[str]) -> Iterator[Supposition]:
    count = len(cameras)
    orders = list(itertools.permutations(range(count))) if count <= 4 else [
        tuple(b if k == a else a if k == b else k for k in range(count))
        for a, b in itertools.combinations(range(count), 2)
    ]  # fmt: skip
    for order in orders:
        if order != tuple(range(count)):
            listed = ", ".join(f"{k + 1} ({names[k]})" for k in order)
            text = f"the views are in another order than the rig's cameras: the order that fits is {listed}"
            yield Supposition(text, cameras, _in_order(order))


def _in_order(order: Sequence[int]) -> Callable[[list[np.ndarray]], list[np.ndarray]]:
    return lambda frame: [frame[k] for k in order]


def _sides(people: np.ndarray) -> np.ndarray:
    return people[:, list(COCO_17.flip_indices)]


def _mirrored(camera: Camera) -> Callable[[np.ndarray], np.ndarray]:
    def mirror(people: np.ndarray) -> np.ndarray:
        out = _sides(people).copy()
        out[..., 0] = np.where(present(out), camera.size[0] - 1 - out[..., 0], out[..., 0])
        return out

    return mirror


def _upside(camera: Camera) -> Callable[[np.ndarray], np.ndarray]:
    def turn(people: np.ndarray) -> np.ndarray:
        out = people.copy()
        out[..., 1] = np.where(present(out), camera.size[1] - 1 - out[..., 1], out[..., 1])
        return out

    return turn


def _only(view: int, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[list[np.ndarray]], list[np.ndarray]]:
    return lambda frame: [change(people) if k == view else people for k, people in enumerate(frame)]


def _all(changes) -> Callable[[list[np.ndarray]], list[np.ndarray]]:
    every = list(changes)
    return lambda frame: [change(people) for change, people in zip(every, frame, strict=True)]
