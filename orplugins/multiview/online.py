"""People of calibrated cameras moment by moment: who is who, where they are, and who they were before.

Two and more cameras: association and triangulation of `batch`, depth by `depth_joints`, identities by `tracks`. One
camera with depth: its people are placed by their depth (`single_view_depth`). Cameras that are missing at a moment are
left out of it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.live.moment import Placed
from orplugins.multiview.batch import reconstruct
from orplugins.multiview.depth_joints import people_depths, refine_with_depth
from orplugins.multiview.people import MultiViewRules, People
from orplugins.multiview.single_view_depth import place_by_depth
from orplugins.multiview.tracks import OnlineTracks, PeopleTrackRules
from orplugins.skeletons import COCO_17, convert
from orplugins.structures import Poses2D


class LiveRoom:
    """Places people of a room's cameras in 3D and follows them.

    Args:
        cameras: {name: camera of one world}; the size is that of the images that poses refer to.
        rules: Limits of tracking; None: the defaults.
        settle: See `orplugins.multiview.tracks.OnlineTracks`.
    """

    def __init__(self, cameras: Mapping[str, Camera], rules: PeopleTrackRules | None = None, settle: int = 3):
        if not cameras:
            raise ValueError("a room: found no camera, expected one or more")
        self.cameras = dict(cameras)
        self._tracks = OnlineTracks(rules, settle)

    def associate(self, people: dict[str, Poses2D]) -> Placed | None:
        """Who is who across cameras, and where.

        Args:
            people: {camera: its people}; cameras that are not the room's are left out.

        Returns:
            The people whom two cameras saw. Of one camera nothing is known before its depth is (`refine`): people
            without places where the room has no other camera, None where others are missing.
        """
        names = [name for name in self.cameras if name in people]
        if not names or (len(names) == 1 and len(self.cameras) > 1):
            return None
        detections = [_coco(people[name]) for name in names]
        cameras = [self._camera(name, people[name]) for name in names]
        if len(names) == 1:
            keypoints = detections[0][:, None]
            count = len(keypoints)
            points = np.full((count, COCO_17.num_joints, 3), np.nan)
            members = np.arange(count)[:, None]
            views = np.zeros(points.shape[:2], dtype=np.int64)
            found = People(np.zeros(count, dtype=int), members, keypoints, points, views, np.full(views.shape, np.nan))
        else:
            found = reconstruct(cameras, [detections], MultiViewRules().for_cameras(cameras))
        return _placed(found, names)

    def refine(self, placed: Placed, people: dict[str, Poses2D], depth: dict[str, np.ndarray]) -> Placed:
        """Move joints to where depth images put them.

        Args:
            placed: From `associate`.
            people: What it was made of.
            depth: {camera: (H, W) uint16 millimetres, 0 for a hole}; cameras without are left as they are.

        Returns:
            The people; those of a single camera who cannot be placed are left out.
        """
        found: People = placed.source
        names = [name for name in self.cameras if name in people]
        if not depth.keys() & set(names) or not len(found.points):
            return placed if len(names) > 1 else _placed(_some(found, np.zeros(len(found.points), dtype=bool)), names)
        cameras = [self._camera(name, people[name]) for name in names]
        if len(names) == 1:
            picture = depth[names[0]]
            points = np.array([place_by_depth(cameras[0], person, picture) for person in found.keypoints[:, 0]])
            there = np.isfinite(points).all(-1)
            found = People(
                found.frame,
                found.members,
                found.keypoints,
                points,
                there.astype(np.int64),
                np.full(there.shape, np.nan),
            )
            return _placed(_some(found, there.any(-1)), names)
        hole = np.zeros((2, 2), dtype=np.uint16)
        depths = people_depths(cameras, found, lambda _, view: depth.get(names[view], hole))
        return _placed(refine_with_depth(cameras, found, depths), names)

    def follow(self, time: float, placed: Placed) -> np.ndarray:
        """Identities of the people of a moment.

        Args:
            time: Seconds.
            placed: The people.

        Returns:
            (P,) from 0; -1 for who was seen too shortly yet.
        """
        return self._tracks.step(time, placed.points)

    def _camera(self, name: str, poses: Poses2D) -> Camera:
        """The camera in the pixels that poses are given in."""
        camera = self.cameras[name]
        return camera if poses.size in (None, camera.size) else camera.resized(poses.size)


def _coco(poses: Poses2D) -> np.ndarray:
    """(N, 17, 3), zeros where a joint is missing."""
    return convert(poses.filled(), poses.skeleton, COCO_17)


def _some(people: People, rows: np.ndarray) -> People:
    return People(
        *(getattr(people, name)[rows] for name in ("frame", "members", "keypoints", "points", "views", "error"))
    )


def _placed(people: People, names: list[str]) -> Placed:
    members = tuple(
        {name: int(k) for name, k in zip(names, row, strict=True) if k >= 0} for row in people.members.tolist()
    )
    return Placed(people.points, members, people)
