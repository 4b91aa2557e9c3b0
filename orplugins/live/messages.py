"""What is written and sent: records of JSON, each with a ``type``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from orplugins.io.trc import y_up
from orplugins.live.events import Event
from orplugins.live.moment import Moment
from orplugins.skeletons import COCO_17, Skeleton

FORMAT = 1


def start_record(cameras: Mapping[str, dict], skeleton: Skeleton, room: bool, up: np.ndarray) -> dict[str, Any]:
    """The first record: what all others are about.

    Args:
        cameras: {camera: {"size": (width, height) or None, "place": position in the room or None, ...}}.
        skeleton: Of the people in images.
        room: Whether people are placed in 3D.
        up: (3,) the room's vertical.

    Returns:
        The record.
    """
    turn = y_up(up)
    return {
        "type": "start",
        "format": FORMAT,
        "units": {"keypoints": "px", "keypoints3d": "m", "time": "s", "latency": "ms"},
        "cameras": {name: dict(camera) for name, camera in cameras.items()},
        "joints": list(skeleton.joints),
        "limbs": [list(limb) for limb in skeleton.limbs],
        "joints3d": list(COCO_17.joints) if room else None,
        "limbs3d": [list(limb) for limb in COCO_17.limbs] if room else None,
        # The two axes of the floor as it is seen from above.
        "floor": [turn[2].tolist(), turn[0].tolist()] if room else None,
    }


def moment_record(moment: Moment, start: float) -> dict[str, Any]:
    """A moment's people.

    Args:
        moment: The moment.
        start: Time of the first moment.

    Returns:
        The record: ``people3d`` is null where nobody looked; joints that are missing and identities that are not known
        yet are null.
    """
    cameras = {}
    for name, frame in moment.frames.items():
        poses, tracks = moment.people.get(name), moment.tracks.get(name)
        people = None
        if poses is not None:
            people = [
                {
                    "track": _identity(tracks[k]) if tracks is not None else None,
                    "score": round(float(poses.scores[k]), 4) if poses.scores is not None else None,
                    "keypoints": _rows(poses.keypoints[k], 3),
                }
                for k in range(len(poses.keypoints))
            ]
        cameras[name] = {
            "frame": frame.number,
            "name": frame.name,
            "time": round(frame.time, 6),
            "size": list(poses.size) if poses is not None and poses.size is not None else None,
            "people": people,
        }
    placed = moment.placed
    people3d = None
    if placed is not None:
        people3d = [
            {
                "track": _identity(moment.room_tracks[k]) if k < len(moment.room_tracks) else None,
                "seen_by": placed.members[k],
                "keypoints3d": _rows(placed.points[k], 4),
            }
            for k in range(len(placed.points))
        ]
    return {
        "type": "people",
        "moment": moment.number,
        "time": round(moment.time - start, 6),
        "wall": round(moment.wall, 3),
        "spread": round(moment.spread, 6),
        "cameras": cameras,
        "people3d": people3d,
        "latency": {name: round(value, 2) for name, value in moment.latency_ms.items()},
    }


def event_record(event: Event) -> dict[str, Any]:
    """Something that happened to a camera or to the run."""
    return {"type": "event", "what": event.what, "camera": event.camera or None, "text": event.text, "wall": event.wall}


def line_of(record: dict[str, Any]) -> str:
    """One line of JSON without its end."""
    return json.dumps(record, separators=(",", ":"), allow_nan=False)


def _identity(track: Any) -> int | None:
    return int(track) if track >= 0 else None


def _rows(points: np.ndarray, digits: int) -> list[list[float] | None]:
    return [
        None if not np.isfinite(row).all() else [round(float(value), digits) for value in row]
        for row in np.asarray(points)
    ]
