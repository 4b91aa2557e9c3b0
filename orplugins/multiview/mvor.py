"""MVOR's multi-view frames as input of, and yardstick for, the reconstruction of people.

The glue between the annotation file's objects and `orplugins.multiview.people`: units (millimetres there, metres here),
the joints that both have, the prior from other days, and the numbers of the report.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.geometry.triangulation import present
from orplugins.multiview import metrics as measure
from orplugins.multiview.batch import reconstruct
from orplugins.multiview.body_prior import BodyPrior, FitRules, HipConvention, fit_hip_convention, fit_people, fit_prior
from orplugins.multiview.depth_joints import people_depths, refine_with_depth
from orplugins.multiview.people import LIMB_JOINTS, LIMB_NAMES, MultiViewRules, People, triangulate_people
from orplugins.multiview.single_view_depth import DepthRules, place_by_depth
from orplugins.skeletons import CAMMA_10, COCO_17, H36M_17, H36M_17_OF_32

LIMB_OF_CAMMA = tuple(CAMMA_10.index(name) for name in LIMB_NAMES)
# Joints that nobody saw were written as their parent plus (50, 50, 50) mm.
_PLACEHOLDER_MM = 50.0
# A person whom one view places nearer than this (median) to somebody else is that person, metres.
_SAME_M = 0.35
_PARENT = {"elbow": "shoulder", "wrist": "elbow", "hip": "shoulder"}


@dataclass(frozen=True)
class Truth:
    """Annotated people.

    Attributes:
        joints: (T, 8, 3) metres in the cameras' world, NaN where missing.
        flags: (T, 8) of the annotation file.
        frame: (T,) frame index.
        person: (T,) person id.
    """

    joints: np.ndarray
    flags: np.ndarray
    frame: np.ndarray
    person: np.ndarray

    @property
    def placeholders(self) -> np.ndarray:
        """(T, 8) joints that are exactly their parent plus (50, 50, 50) mm: not annotations."""
        out = np.zeros(self.flags.shape, dtype=bool)
        for i, name in enumerate(LIMB_NAMES):
            side, _, part = name.partition("_")
            if part in _PARENT:
                parent = LIMB_NAMES.index(f"{side}_{_PARENT[part]}")
                offset = (self.joints[:, i] - self.joints[:, parent]) * 1000
                out[:, i] = (np.abs(offset - _PLACEHOLDER_MM) < 1e-3).all(-1)
        return out


def truth_from_poses(keypoints3d: np.ndarray, frame: np.ndarray, person: np.ndarray) -> Truth:
    """Annotated poses as `Truth`; a joint at (0, 0, 0) is missing.

    Args:
        keypoints3d: (T, 12, 4) millimetres in camera 1, flag.
        frame: (T,) frame index.
        person: (T,) person id.

    Returns:
        The limbs' joints.
    """
    joints = keypoints3d[:, list(LIMB_OF_CAMMA), :3] / 1000
    there = (joints != 0).any(-1)
    return Truth(np.where(there[..., None], joints, np.nan), keypoints3d[:, list(LIMB_OF_CAMMA), 3], frame, person)


def to_room(points: np.ndarray, room: np.ndarray) -> np.ndarray:
    """World points in the room.

    Args:
        points: (..., 3) metres.
        room: (4, 4) world to room.

    Returns:
        (..., 3) metres.
    """
    return points @ room[:3, :3].T + room[:3, 3]


def room_cameras(cameras: tuple[Camera, ...], room: np.ndarray) -> list[Camera]:
    """The cameras with the room as their world, z up.

    Args:
        cameras: V cameras of one world.
        room: (4, 4) world to room.

    Returns:
        V cameras.
    """
    return [replace(camera, pose=room @ camera.pose) for camera in cameras]


def pinholes(cameras: tuple[Camera, ...]) -> tuple[Camera, ...]:
    """The cameras without lens distortion: MVOR's coefficients do not describe its published images.

    With them the 3D annotations project further from the 2D ones (edge of the image: 25 px instead of 7 in camera 1).

    Args:
        cameras: MVOR's.

    Returns:
        The same without distortion.
    """
    return tuple(replace(camera, distortion=()) for camera in cameras)


@dataclass(frozen=True)
class Result:
    """Reconstructed people with the joints that are compared.

    Attributes:
        people: What geometry gives.
        joints: (P, 8, 3) world metres in the annotations' convention.
        inferred: (P, 8) joints that fewer than two views saw (placed by the prior).
        fits: By day, the prior used.
    """

    people: People
    joints: np.ndarray
    inferred: np.ndarray
    fits: dict[int, BodyPrior]


def reconstruct_all(
    cameras: tuple[Camera, ...],
    detections: list[list[np.ndarray]],
    rules: MultiViewRules | None = None,
    one_view: bool = False,
) -> Result:
    """Geometry only: no labels are used.

    Args:
        cameras: V cameras of one world.
        detections: For every frame V arrays (N, 17, 3) x, y, confidence.
        rules: Limits; None: the defaults.
        one_view: Keep people whom one view sees, without joints.

    Returns:
        The people, without a prior.
    """
    people = reconstruct(cameras, detections, rules, one_view)
    joints = people.points[:, list(LIMB_JOINTS)]
    return Result(people, joints, np.zeros(joints.shape[:2], dtype=bool), {})


def with_depth(result: Result, cameras: tuple[Camera, ...], picture: Callable[[int, int], np.ndarray]) -> Result:
    """Let the depth at people's joints count in where they are, see `orplugins.multiview.depth_joints`.

    Args:
        result: What geometry gives.
        cameras: V cameras of one world.
        picture: (frame, view) -> depth (H, W), uint16 millimetres.

    Returns:
        The people with moved joints, and more of them.
    """
    people = refine_with_depth(cameras, result.people, people_depths(cameras, result.people, picture))
    return replace(result, people=people, joints=people.points[:, list(LIMB_JOINTS)])


def place_one_view(result: Result, cameras: tuple[Camera, ...], picture: Callable[[int, int], np.ndarray]) -> Result:
    """Place the people whom one camera sees by its depth image; geometry leaves them without joints.

    Dropped are those that too few depths support, and those that stand where somebody else of the frame was found: a
    detection that association could not use.

    Args:
        result: What geometry gives, people of one view included.
        cameras: V cameras of one world.
        picture: (frame, view) -> depth (H, W), uint16 millimetres.

    Returns:
        The people with joints.
    """
    people, joints = result.people, result.joints.copy()
    points, views = people.points.copy(), people.views.copy()
    keep = np.ones(len(joints), dtype=bool)
    alone = np.flatnonzero(people.support == 1)
    for row in alone:
        view = int(np.flatnonzero(people.members[row] >= 0)[0])
        depth = picture(int(people.frame[row]), view)
        points[row] = place_by_depth(cameras[view], people.keypoints[row, view], depth)
        views[row] = np.isfinite(points[row]).all(-1)
        joints[row] = points[row][list(LIMB_JOINTS)]
        others = np.flatnonzero((people.frame == people.frame[row]) & keep)
        others = others[(others < row) | (people.support[others] > 1)]
        distance = np.linalg.norm(joints[others] - joints[row], axis=-1)
        near = [np.median(d[np.isfinite(d)]) < _SAME_M for d in distance if np.isfinite(d).any()]
        keep[row] = np.isfinite(joints[row]).all(-1).sum() >= DepthRules.least and not any(near)
    kept = {name: value[keep] for name, value in vars(replace(people, points=points, views=views)).items()}
    return replace(result, people=People(**kept), joints=joints[keep], inferred=result.inferred[keep])


def fit_with_other_days(
    cameras: tuple[Camera, ...],
    room: np.ndarray,
    result: Result,
    truth: Truth,
    days: np.ndarray,
    method: str = "map",
    fit_rules: FitRules | None = None,
) -> Result:
    """Put the annotations of the *other* days to use.

    Args:
        cameras: V cameras of one world.
        room: (4, 4) world to room, z up.
        result: What geometry gives.
        truth: The annotations of all days.
        days: (F,) day of each frame.
        method: "hips" corrects the hip convention only; "map" also fits the body prior and fills every joint.
        fit_rules: Weights of the fit; None: the defaults.

    Returns:
        The people in the annotations' convention.
    """
    in_room = room_cameras(cameras, room)
    inverse = np.linalg.inv(room)
    out, inferred, fits = result.joints.copy(), result.inferred.copy(), {}
    day_of_person, day_of_truth = days[result.people.frame], days[truth.frame]
    geometry = result.people.points[:, list(LIMB_JOINTS)]
    for day in np.unique(day_of_person):
        hips, prior = learn_without(
            truth, geometry, result.people.frame, day_of_truth != day, day_of_person != day, room, cameras
        )
        mine = day_of_person == day
        fits[int(day)] = prior
        if method == "hips":
            out[mine] = hips.apply(geometry[mine])
            continue
        start = to_room(geometry[mine], room)
        fitted = fit_people(in_room, result.people.keypoints[mine], start, prior, fit_rules)
        out[mine] = to_room(fitted.joints, inverse)
        inferred[mine] = result.people.views[mine][:, list(LIMB_JOINTS)] < 2
    return replace(result, joints=out, inferred=inferred, fits=fits)


def learn_without(
    truth: Truth,
    geometry: np.ndarray,
    frames: np.ndarray,
    truth_used: np.ndarray,
    people_used: np.ndarray,
    room: np.ndarray,
    cameras: tuple[Camera, ...],
) -> tuple[HipConvention, BodyPrior]:
    """Hip convention and prior from the chosen annotations, placeholders left out.

    Args:
        truth: The annotations.
        geometry: (P, 8, 3) joints that geometry gives.
        frames: (P,) frame of each.
        truth_used: (T,) annotations to learn from.
        people_used: (P,) people to learn from.
        room: (4, 4) world to room, z up.
        cameras: Not used.

    Returns:
        The convention and the prior.
    """
    kept, chosen = np.flatnonzero(truth_used), np.flatnonzero(people_used)
    matches = measure.match_people(truth.joints[kept], truth.frame[kept], geometry[chosen], frames[chosen])
    real = np.where(truth.placeholders[..., None], np.nan, truth.joints)
    hips = fit_hip_convention(geometry[chosen][matches.found], real[kept][matches.truth])
    joints = to_room(real[kept], room)
    return hips, fit_prior(joints, np.isfinite(joints).all(-1), hips)


def detections_by_frame(frames: tuple, image_ids: np.ndarray, keypoints: np.ndarray) -> list[list[np.ndarray]]:
    """Group detections by multi-view frame.

    A joint at exactly (0, 0) is missing: its score becomes 0. A found joint without a score (some files hold 0 or 1 for
    all) counts with 1.

    Args:
        frames: With `image_ids` in camera order.
        image_ids: (D,).
        keypoints: (D, 17, 3) x, y, score.

    Returns:
        For every frame one (N, 17, 3) per camera, in the order of the file.
    """
    there = (keypoints[..., :2] != 0).any(-1)
    scored = (keypoints[..., 2] > 0).any() and not (there & (keypoints[..., 2] <= 0)).any()
    score = np.where(there, keypoints[..., 2] if scored else 1.0, 0.0)
    keypoints = np.where(there[..., None], np.concatenate([keypoints[..., :2], score[..., None]], -1), 0.0)
    order = np.argsort(image_ids, kind="stable")
    ids = image_ids[order]
    return [
        [keypoints[order[np.searchsorted(ids, i, "left") : np.searchsorted(ids, i, "right")]] for i in frame.image_ids]
        for frame in frames
    ]


def explained(
    result: Result, unmatched: np.ndarray, labels: dict[tuple[int, int], list[tuple[int, np.ndarray]]], truth: Truth
) -> np.ndarray:
    """Whether an unmatched person is a labelled person without a 3D record.

    True if its detections lie on 2D labels of one person of the frame only, who has no 3D pose. (People are labelled in
    some views and not in others, so a detection without any label says nothing.)

    Args:
        result: The people.
        unmatched: (U,) indices of people.
        labels: (frame, view) -> [(person id, CAMMA-10 joints (10, 3))].
        truth: The annotations in 3D.

    Returns:
        (U,) bool.
    """
    with_pose = {(int(f), int(p)) for f, p in zip(truth.frame, truth.person, strict=True)}
    out = np.zeros(len(unmatched), dtype=bool)
    for k, index in enumerate(unmatched):
        frame, owners = int(result.people.frame[index]), set()
        for view in np.flatnonzero(result.people.members[index] >= 0):
            owners.add(_owner(result.people.keypoints[index, view], labels.get((frame, int(view)), [])))
        owners.discard(None)
        out[k] = len(owners) == 1 and (frame, owners.pop()) not in with_pose
    return out


def _owner(detection: np.ndarray, labels: list[tuple[int, np.ndarray]]) -> int | None:
    """Person id of the 2D label that a detection lies on: nearest by median joint distance, within 0.2 of its size."""
    best, owner = np.inf, None
    for person, joints in labels:
        limbs = joints[list(LIMB_OF_CAMMA)]
        there = (limbs[:, 2] > 0) & present(detection)[list(LIMB_JOINTS)]
        if not there.any():
            continue
        size = np.ptp(joints[joints[:, 2] > 0, :2], axis=0).max() + 1
        distance = np.median(np.linalg.norm(limbs[there, :2] - detection[list(LIMB_JOINTS)][there, :2], axis=-1)) / size
        if distance < best:
            best, owner = distance, person
    return owner if best <= 0.2 else None


def coco_from_limbs(limbs: np.ndarray) -> np.ndarray:
    """Limb joints as COCO-17 with the rest missing.

    Args:
        limbs: (..., 8, 3).

    Returns:
        (..., 17, 3), zeros where missing.
    """
    out = np.zeros((*limbs.shape[:-2], COCO_17.num_joints, 3))
    out[..., list(LIMB_JOINTS), :] = limbs
    return out


def score(result: Result, truth: Truth, labels: dict, frames: int) -> dict:
    """All numbers of the report.

    Recall counts people with a match in any number of views; rows are split by the number of views with a detection of
    the person. ``f2``: annotated joints of flag 2 only.

    Args:
        result: The people.
        truth: The annotations.
        labels: See `explained`.
        frames: Number of frames.

    Returns:
        JSON values by name; lengths in centimetres.
    """
    matches = measure.match_people(truth.joints, truth.frame, result.joints, result.people.frame)
    visible = truth.flags >= 2
    unmatched = np.setdiff1d(np.arange(len(result.joints)), matches.found)
    explainable = explained(result, unmatched, labels, truth)
    support = result.people.support[matches.found]
    rows = {}
    for name, views in (("1", (1,)), ("2", (2,)), ("3+", None), ("2+3", ())):
        chosen = support >= 3 if views is None else np.isin(support, views) if views else support >= 2
        if chosen.any():
            t, p = matches.truth[chosen], matches.found[chosen]
            absolute = measure.absolute_errors(truth.joints[t], result.joints[p])
            seen = measure.absolute_errors(truth.joints[t], result.joints[p], visible[t])
            published = measure.published_errors(truth.joints[t], result.joints[p])
            rows[name] = {
                "people": int(chosen.sum()),
                "abs_cm": {**absolute.groups, "mean": absolute.mean},
                "abs_f2_cm": {**seen.groups, "mean": seen.mean},
                "pub_cm": {**published.groups, "mean": published.mean},
                "joints_found": absolute.coverage,
            }
    return {
        "annotated_people": len(truth.joints),
        "recall_percent": 100 * len(matches.truth) / max(len(truth.joints), 1),
        "false_per_frame": len(unmatched) / frames,
        "unexplained_false_per_frame": int((~explainable).sum()) / frames,
        "pck3d_15cm_percent": measure.pck3d(truth.joints, result.joints, matches),
        "pck3d_15cm_f2_percent": measure.pck3d(truth.joints, result.joints, matches, visible),
        "by_views": rows,
    }


# H36M's 32-joint numbers of LIMB_NAMES in the released 2D input, and their rows in the released 3D poses.
_H36M_LIMBS = tuple(H36M_17_OF_32[H36M_17.index(name)] for name in LIMB_NAMES)
_MV3DREG_LIMBS = (4, 2, 5, 3, 7, 6, 9, 8)


def mv3dreg_people(
    cameras: tuple[Camera, ...],
    truth: Truth,
    target: np.ndarray,
    encoded: np.ndarray,
    rules: MultiViewRules | None = None,
) -> tuple[Result, np.ndarray, np.ndarray]:
    """The published method's own samples: its 2D input, which person is which already known.

    Args:
        cameras: V cameras of one world.
        truth: The annotations.
        target: (N, 30) its true poses, mm about the middle of the shoulders.
        encoded: (N, 288) its 2D input.
        rules: Limits; None: the defaults.

    Returns:
        What geometry gives; (P,) the annotation of each sample; (P,) rows of the file. Samples that equal no annotation
        or that no view supports are left out.
    """
    relative = (truth.joints - truth.joints[:, list(measure.SHOULDERS)].mean(1, keepdims=True)) * 1000
    wanted = target.reshape(len(target), 10, 3)[:, list(_MV3DREG_LIMBS)]
    difference = np.abs(relative[None] - wanted[:, None]).reshape(len(wanted), len(relative), -1)
    distance = np.where(np.isfinite(difference).all(-1), np.nan_to_num(difference).max(-1), np.inf)
    nearest = distance.argmin(1)
    limbs = encoded.reshape(len(encoded), -1, 32, 3)[:, :, list(_H36M_LIMBS)]
    limbs = np.where(limbs[..., 2:] > 0.001, limbs, 0.0)
    limbs[(limbs[..., 2] > 0).sum(-1) < 3] = 0  # such a view does not count as support
    supported = (limbs[..., 2] > 0).any((1, 2))
    rows = np.flatnonzero((distance[np.arange(len(wanted)), nearest] < 1.0) & supported)
    limbs = limbs[rows]
    keypoints = coco_from_limbs(limbs)
    keypoints[..., 2] = np.clip(keypoints[..., 2], 0, 1)
    seen = np.where(present(keypoints).any(-1), 0, -1)
    points, views, error = triangulate_people(cameras, keypoints, rules)
    people = People(truth.frame[nearest[rows]], seen, keypoints, points, views, error)
    joints = points[:, list(LIMB_JOINTS)]
    return Result(people, joints, np.zeros(joints.shape[:2], dtype=bool), {}), nearest[rows], rows


def mv3dreg_table(result: Result, truth: Truth, owner: np.ndarray, predicted: np.ndarray) -> dict[str, dict]:
    """``pub`` errors by supporting views of ours and of the published poses, on the same samples.

    Args:
        result: From `mv3dreg_people`.
        truth: The annotations.
        owner: (P,) the annotation of each sample.
        predicted: (P, 30) the published poses, mm.

    Returns:
        Numbers of views -> errors in centimetres and counts.
    """
    published = predicted.reshape(len(predicted), 10, 3)[:, list(_MV3DREG_LIMBS)] / 1000
    out = {}
    for views in range(1, result.people.keypoints.shape[1] + 1):
        chosen = result.people.support == views
        if chosen.any():
            target = truth.joints[owner[chosen]]
            ours, theirs = (measure.published_errors(target, j[chosen]) for j in (result.joints, published))
            out[str(views)] = {
                "people": int(chosen.sum()),
                "cm": {**ours.groups, "mean": ours.mean},
                "published_cm": {**theirs.groups, "mean": theirs.mean},
                "joints_found": ours.coverage,
            }
    return out
