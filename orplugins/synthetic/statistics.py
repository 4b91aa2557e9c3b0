"""Figures that describe a generated set: sizes, visibility, camera places, and what goes through what."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from orplugins.synthetic.scene.room import TABLE
from orplugins.synthetic.scene.scene import Scene, hand_clearance

_LEVELS = (5, 25, 50, 75, 95)
_FULL_WIDTH = 640


def joint_table(coco: dict, mvor: dict) -> dict[str, str]:
    """People, boxes and visibility.

    Args:
        coco: Content of the COCO file.
        mvor: Content of the MVOR file.

    Returns:
        Text by name of the figure.
    """
    pictures = len(coco["images"])
    scale = _FULL_WIDTH / coco["images"][0]["width"]
    heights = np.array([person["bbox"][3] for person in coco["annotations"]], dtype=np.float64) * scale
    rows = {
        "people a picture": f"{len(coco['annotations']) / pictures:.2f}",
        "patients a picture": f"{sum(p['person_role'] == 'patient' for p in coco['annotations']) / pictures:.2f}",
        "box height, 5/25/50/75/95 % (px at 640x480)": "/".join(f"{v:.0f}" for v in np.percentile(heights, _LEVELS)),
    }
    for title, people in (
        ("COCO joints seen/hidden/missing (%)", coco["annotations"]),
        ("CAMMA joints seen/hidden/missing (%)", [p for p in mvor["annotations"] if not p["only_bbox"]]),
    ):
        v = np.array([person["keypoints"][2::3] for person in people], dtype=np.float64).ravel()
        rows[title] = "/".join(f"{100 * np.mean(v == k):.0f}" for k in (2, 1, 0))
    return rows


def camera_table(coco: dict) -> dict[str, str]:
    """Heights and pitches of the cameras.

    Args:
        coco: Content of the COCO file.

    Returns:
        Text by name of the figure.
    """
    poses = np.array([image["camera"]["pose"] for image in coco["images"]], dtype=np.float64).reshape(-1, 4, 4)
    pitch = np.degrees(np.arcsin(np.clip(poses[:, 2, 2], -1, 1)))
    return {
        "camera height (m)": f"{poses[:, 2, 3].min():.1f} to {poses[:, 2, 3].max():.1f}",
        "camera pitch (degrees)": "{:.0f} to {:.0f}".format(*np.percentile(pitch, (95, 5))),
    }


def penetration_table(scenes: Iterable[Scene]) -> dict[str, str]:
    """How often staff go through the table top, the drape, or each other's trunks; and their statures.

    Args:
        scenes: Some scenes.

    Returns:
        Text by name of the figure.
    """
    in_table, deepest, in_cloth, staff, close, pairs, tall = 0, 0.0, 0, 0, 0, 0, []
    for scene in scenes:
        people = [p for p in scene.people if p.role == "clinician"]
        for i, person in enumerate(people):
            staff += 1
            tall.append(person.body.shape.stature)
            local = scene.room.to_table(person.body.vertices)
            inside = TABLE / 2 - np.abs(local[:, :2])
            depth = np.minimum(
                inside.min(1), np.minimum(scene.room.height - local[:, 2], local[:, 2] - scene.room.height + 0.075)
            )
            deepest = max(deepest, float(depth.max()))
            in_table += depth.max() > 0.02
            in_cloth += hand_clearance(scene.room, person.body) < -0.02
            for other in people[i + 1 :]:
                pairs += 1
                axis = np.linspace(0, 1, 12)[:, None]
                trunk = other.body.bone("root") + axis * (other.body.bone("neck01") - other.body.bone("root"))
                gap = np.linalg.norm(person.body.vertices[:, None] - trunk[None], axis=2).min()
                close += gap < 0.10
    return {
        "staff with a point > 2 cm inside the table top (%)": f"{100 * in_table / max(staff, 1):.1f}",
        "deepest point inside the table top (cm)": f"{100 * max(deepest, 0):.1f}",
        "staff with hands > 2 cm under the drape (%)": f"{100 * in_cloth / max(staff, 1):.1f}",
        "pairs of staff within 10 cm of a trunk's axis (%)": f"{100 * close / max(pairs, 1):.1f}",
        "stature of staff, 5/50/95 % (m)": "/".join(f"{v:.2f}" for v in np.percentile(tall, (5, 50, 95))),
        "staff measured": str(staff),
    }
