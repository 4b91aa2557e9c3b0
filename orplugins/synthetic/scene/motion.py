"""People who move: working at the table, walking with planted feet, handing something over.

A clip is a room with its people over time; moment t of it is a scene like any other, and a function of (seed, clip, t).
Motion is procedural: goals in the space of `human.Pose`, joined by minimum-jerk curves (Flash and Hogan 1985).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from orplugins.synthetic.scene.cameras import hang_cameras
from orplugins.synthetic.scene.geometry import outside_rectangle
from orplugins.synthetic.scene.human import Pose, facing, skin, solve
from orplugins.synthetic.scene.people import Person
from orplugins.synthetic.scene.room import Room, build_room
from orplugins.synthetic.scene.scene import (
    CLOTH,
    MOTION,
    PEOPLE,
    RIG,
    ROOM,
    Scene,
    assemble,
    hand_clearance,
    place_people,
    stream,
)

FPS = 25
_CLIPS = 1  # last key of a clip's streams, which keeps them apart from those of single scenes
_DUTY = 0.6  # part of a stride that a foot is planted for
_TOP_SPEED = (0.65, 0.95)  # of walking, metres per second
_HANDOVER_REACH = 1.5  # maximum distance between the two, metres


def minimum_jerk(t):
    """Progress of a move with no speed and no acceleration at either end (Flash and Hogan 1985).

    Args:
        t: Time from 0 to 1, a number or an array.

    Returns:
        0 to 1.
    """
    t = np.clip(t, 0, 1)
    return t**3 * (10 - 15 * t + 6 * t * t)


def track(rng: np.random.Generator, length: int, low, high, hold=(4, 22), move=(14, 36)) -> np.ndarray:
    """Random goals, held for some frames, with minimum-jerk moves between them.

    Args:
        rng: Source of all randomness.
        length: Number of frames.
        low: (D,) lower bounds.
        high: (D,) upper bounds.
        hold: (min, below) frames that a goal is held.
        move: (min, below) frames of a move.

    Returns:
        (length, D).
    """
    low, high = np.atleast_1d(np.asarray(low, float)), np.atleast_1d(np.asarray(high, float))
    rows: list[np.ndarray]
    here, rows = rng.uniform(low, high), []
    while len(rows) < length:
        rows += [here] * int(rng.integers(*hold))
        goal, steps = rng.uniform(low, high), int(rng.integers(*move))
        rows += [here + (goal - here) * minimum_jerk((i + 1) / steps) for i in range(steps)]
        here = goal
    return np.array(rows[:length])


class Clip:
    """A room, its cameras and its people over `length` frames; `scene(t)` is moment t.

    Args:
        seed: Of the set.
        number: Of the clip.
        length: Number of frames.
        people, views, fixed_cameras: See `scene.make_scene`.

    Raises:
        ValueError: No frame.
    """

    def __init__(
        self,
        seed: int,
        number: int,
        length: int,
        *,
        people: tuple[int, int] = (1, 6),
        views: int = 3,
        fixed_cameras: bool = True,
    ):
        if length < 1:
            raise ValueError(f"Clip: length: found {length!r}, expected at least one frame")
        key = (seed, number, _CLIPS)
        self.key, self.length = key, length
        rig = stream(RIG, seed) if fixed_cameras else stream(RIG, *key)
        self.cameras = hang_cameras(rig, views, varied=not fixed_cameras)
        places = np.array([camera.pose[:3, 3] for camera in self.cameras])
        self.room = build_room(stream(ROOM, *key), places)
        self.people = place_people(self.room, stream(PEOPLE, *key), people)
        rng = stream(MOTION, *key)
        self.actions: list[Any] = [_still if p.role == "patient" else None for p in self.people]
        self._handover(rng)
        ways: list[np.ndarray] = []
        for i, person in enumerate(self.people):
            if self.actions[i] is None:
                own = np.random.default_rng(rng.integers(2**31))
                walks = person.kind == "walk" or (person.kind in ("stand", "look", "clasp") and own.random() < 0.5)
                others = [p.place for p in self.people if p is not person and p.role == "clinician"]
                legs = plan_walk(self.room, own, person.place, others + ways) if walks else []
                for a, b in zip(legs[:-1], legs[1:], strict=True):  # the ways of two people never cross
                    ways += list(a + np.linspace(0, 1, 12)[:, None] * (b - a))
                self.actions[i] = Walk(person, own, legs, length) if legs else Work(person, own, length)

    def scene(self, t: int) -> Scene:
        """One moment.

        Args:
            t: Its frame, 0 <= t < length.

        Returns:
            The scene.

        Raises:
            ValueError: Another frame.
        """
        if not 0 <= t < self.length:
            raise ValueError(f"Clip.scene: t: found {t}, expected 0 to {self.length - 1}")
        people = [action(self.room, person, t) for action, person in zip(self.actions, self.people, strict=True)]
        return assemble(self.room, self.cameras, people, stream(CLOTH, *self.key))

    def _handover(self, rng: np.random.Generator) -> None:
        """Let two neighbours pass something from hand to hand, if there are two."""
        staff = [i for i, p in enumerate(self.people) if p.role == "clinician" and p.kind not in ("walk", "sit")]
        pairs = [
            (i, j)
            for k, i in enumerate(staff)
            for j in staff[k + 1 :]
            if round(float(np.linalg.norm(self.people[i].place - self.people[j].place)), 4) < _HANDOVER_REACH
        ]
        if not pairs or rng.random() < 0.3:
            return
        i, j = pairs[rng.integers(len(pairs))]
        first, second = self.people[i].body.bone("spine01"), self.people[j].body.bone("spine01")
        meeting = (first + second) / 2
        meeting[2] = max(1.1, self.room.height + 0.3)
        start = int(rng.integers(0, max(1, self.length // 3)))
        for k in (i, j):
            own = np.random.default_rng(rng.integers(2**31))
            self.actions[k] = Work(self.people[k], own, self.length, meeting=(start, meeting))


def _still(room: Room, person: Person, t: int) -> Person:
    """A patient, who does not move."""
    return person


def _placed(person: Person, pose: Pose, place: np.ndarray, yaw: float, kind: str) -> Person:
    body = skin(person.body.shape, *solve(person.body.shape, pose), facing(yaw), np.array([*place[:2], 0.0]))
    return replace(person, body=body, pose=pose, place=np.asarray(place)[:2], yaw=yaw, kind=kind)


class Work:
    """Hands, trunk and gaze wander around a person's pose.

    Args:
        person: Who works.
        rng: Source of all randomness.
        length: Number of frames.
        meeting: (frame, point in the room) that the nearer hand goes to, and back; None: it does not.
    """

    def __init__(self, person: Person, rng: np.random.Generator, length: int, meeting=None):
        pose = person.pose
        self.hands = []
        for hand in pose.hands:
            wander = track(rng, length, [-0.09, -0.08, 0.0], [0.09, 0.06, 0.13])
            self.hands.append(None if hand is None else hand + wander)
        self.lean = pose.lean + track(rng, length, -0.06, 0.1, (20, 60), (25, 60))[:, 0]
        self.twist = pose.twist + track(rng, length, -0.2, 0.2, (20, 60), (25, 60))[:, 0]
        self.gaze = pose.gaze + track(rng, length, [-0.4, -0.3, -0.15], [0.4, 0.3, 0.25], (15, 70), (10, 25))
        self.sway, self.phase = rng.uniform(0.004, 0.01), rng.uniform(0, 2 * np.pi)
        self.meeting = None
        if meeting is not None:
            start, point = meeting
            local = facing(person.yaw).T @ (point - np.array([*person.place, 0]))
            side = 0 if local[0] > 0 else 1
            rest = person.body.bones[person.body.shape.model.index[f"wrist.{'LR'[side]}"]]
            rest = facing(person.yaw).T @ (rest - np.array([*person.place, 0]))
            # The body turns towards the other; hands stop a hand's length short of each other.
            reach = float(np.linalg.norm(local[:2]))
            target = local * np.array([1, 1, 0]) * (1 - 0.1 / max(reach, 0.2)) + np.array([0, 0, local[2]])
            self.meeting = start, side, rest, target, np.clip(np.arctan2(local[0], -local[1]), -0.6, 0.6)

    def __call__(self, room: Room, person: Person, t: int) -> Person:
        """The person at moment t."""
        ankles = person.pose.ankles.copy()
        ankles[:, 1] += self.sway * np.sin(0.5 * np.pi * t / FPS + self.phase)  # the pelvis sways over planted feet
        hands = [None if hand is None else hand[t] for hand in self.hands]
        pose = replace(
            person.pose, ankles=ankles, hands=hands, lean=self.lean[t], twist=self.twist[t], gaze=self.gaze[t]
        )
        kind = person.kind
        if self.meeting is not None:
            start, side, rest, target, turned = self.meeting
            share = minimum_jerk((t - start) / 25) - minimum_jerk((t - start - 40) / 25)
            if round(float(share), 4) > 0:
                kind = "handover"
                base = rest if hands[side] is None else hands[side]
                pose.hands[side] = base + share * (target - base)
                pose.twist = pose.twist + share * turned
                pose.gaze = pose.gaze + share * (target - pose.gaze)
        shift = np.array([*person.place, 0.0])
        shift[:2] -= (facing(person.yaw) @ np.array([ankles[:, 1].mean() - person.pose.ankles[:, 1].mean(), 0, 0]))[:2]
        moved = _placed(person, pose, shift, person.yaw, kind)
        sunk = -hand_clearance(room, moved.body)
        if round(sunk, 4) > 0:  # hands follow the cloth that they work on
            pose.hands = [hand if hand is None else hand + (0, 0, sunk) for hand in pose.hands]
            moved = _placed(person, pose, shift, person.yaw, kind)
        return replace(moved, place=person.place)


def plan_walk(room: Room, rng: np.random.Generator, start: np.ndarray, others: list[np.ndarray]) -> list[np.ndarray]:
    """Plan a walk.

    Args:
        room: The room.
        rng: Source of all randomness.
        start: (2,) of the plan.
        others: Places (2,) of other people.

    Returns:
        Points of the plan, from `start` on, that straight free ways join; empty if there is no way.
    """
    points = [np.asarray(start, float)]
    for _ in range(60):
        goal = rng.uniform(-1, 1, 2) * np.array([2.5, 2.1])
        if round(float(np.linalg.norm(goal - points[-1])), 4) < 1.0 or not room.clear_of_cameras(goal, 0.75):
            continue
        way = points[-1] + np.linspace(0, 1, 25)[:, None] * (goal - points[-1])
        free = all((np.round(np.linalg.norm(way - other, axis=1), 4) > 0.62).all() for other in others)
        # A way may start beside something, but must not come nearer to it.
        gaps = np.min([outside_rectangle(way, *spot) for spot in room.footprints], axis=0)
        if free and (np.round(gaps, 4) >= np.minimum(0.34, np.round(gaps[0], 4))).all():
            points.append(goal)
            if len(points) == 5:
                break
    return points if len(points) > 1 else []


class Walk:
    """Walk from point to point, pause, turn, walk on. A foot stays where it is while it is planted.

    Args:
        person: Who walks.
        rng: Source of all randomness.
        points: From `plan_walk`.
        length: Number of frames.
    """

    def __init__(self, person: Person, rng: np.random.Generator, points: list[np.ndarray], length: int):
        shape = person.body.shape
        self.step = rng.uniform(0.27, 0.34) * shape.stature
        self.speed, self.width = rng.uniform(*_TOP_SPEED), rng.uniform(0.07, 0.1)
        self.legs, clock, yaw = [], 0.0, person.yaw
        for a, b in zip(points[:-1], points[1:], strict=True):
            towards = float(np.arctan2(*(b - a)[::-1]))
            change = (towards - yaw + np.pi) % (2 * np.pi) - np.pi
            turning = abs(change) / 2.2 + 0.15
            strides = int(np.ceil(float(np.linalg.norm(b - a)) / (2 * self.step)))
            stride = float(np.linalg.norm(b - a)) / strides
            # A smooth start and stop make the top speed 1.5 times the mean.
            walking = 1.5 * float(np.linalg.norm(b - a)) / self.speed
            self.legs.append((clock, turning, walking, a, b, yaw, change, strides, stride))
            clock += turning + walking + rng.uniform(0.2, 1.0)
            yaw = towards
            if clock * FPS > length:
                break
        self.hang = 0.94 * shape.arm
        self.shoulder = shape.heads[shape.model.index["upperarm01.L"]][2] - shape.floor

    def __call__(self, room: Room, person: Person, t: int) -> Person:
        """The person at moment t."""
        time = t / FPS
        leg = max((k for k, leg in enumerate(self.legs) if leg[0] <= time), default=0)
        start, turning, walking, a, b, yaw, change, strides, stride = self.legs[leg]
        turned = yaw + change * minimum_jerk((time - start) / turning)
        share = np.clip((time - start - turning) / walking, 0, 1)
        share = share * share * (3 - 2 * share)
        # Strides done; both feet are planted just after a stride's begin, where a walk starts and ends.
        phase = share * strides + 0.05
        here = a + share * (b - a)
        ankles, heels, speed = np.zeros((2, 4)), [0.0, 0.0], 4 * share * (1 - share) if 0 < share < 1 else 0.0
        for k, (sign, offset) in enumerate(((1, 0.0), (-1, 0.5))):
            cycle = np.floor(phase + offset)
            u = phase + offset - cycle
            planted = (cycle - offset - 0.05) * stride + 0.3 * stride  # along the way
            if u < _DUTY:
                ahead, lift, heel = planted, 0.0, np.radians(30) * minimum_jerk((u - 0.42) / (_DUTY - 0.42))
            else:
                s = (u - _DUTY) / (1 - _DUTY)
                ahead = planted + stride * s * s * (3 - 2 * s)
                lift, heel = 0.06 * np.sin(np.pi * s), np.radians(30) * (1 - minimum_jerk(1.6 * s))
            ahead -= share * strides * stride
            # Standing still, and in turns, both feet are side by side under the body.
            settled = 1 - min(1.0, 6 * speed)
            ahead *= 1 - settled
            ankles[k] = ahead, sign * self.width, (lift + 0.12 * heel) * (1 - settled), sign * 0.08
            heels[k] = heel * (1 - settled)
        swing = 0.15 * speed * np.sin(2 * np.pi * (phase - 0.05))
        wrist = self.shoulder - self.hang
        hands = [np.array([sign * 0.25, -0.06 + sign * swing, wrist + 0.35 * abs(swing)]) for sign in (1, -1)]
        sway = 0.1 * speed * np.sin(2 * np.pi * (phase - 0.05) + 0.3)
        pose = Pose(
            lean=0.04 + 0.05 * speed,
            twist=sway,
            ankles=ankles,
            heels=(heels[0], heels[1]),
            reach=0.985,
            hands=hands,
            pronation=(0.3, 0.3),
            gaze=np.array([0, -3, 1.35]),
        )
        kind = "walk" if 0 < share < 1 else "stand"
        return _placed(person, pose, here, turned, kind)
