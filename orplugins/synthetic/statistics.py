"""Figures that describe a generated set: people, cameras, poses, rooms, pictures, and what goes through what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from orplugins.skeletons import COCO_17
from orplugins.synthetic.scene.room import TABLE
from orplugins.synthetic.scene.scene import Scene, hand_clearance

_LEVELS = (5, 25, 50, 75, 95)
_FULL_WIDTH = 640
_SHOULDERS, _WRISTS, _HIPS, _KNEES, _ANKLES = (
    [COCO_17.index(f"{side}_{name}") for side in ("left", "right")]
    for name in ("shoulder", "wrist", "hip", "knee", "ankle")
)


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
    """Heights, pitches, rolls and widths of the cameras.

    Args:
        coco: Content of the COCO file.

    Returns:
        Text by name of the figure.
    """
    poses = np.array([image["camera"]["pose"] for image in coco["images"]], dtype=np.float64).reshape(-1, 4, 4)
    half = np.array([image["width"] / 2 / image["camera"]["intrinsics"][0] for image in coco["images"]])
    pitch = np.degrees(np.arcsin(np.clip(poses[:, 2, 2], -1, 1)))
    return {
        "camera height (m)": f"{poses[:, 2, 3].min():.1f} to {poses[:, 2, 3].max():.1f}",
        "camera pitch (degrees)": "{:.0f} to {:.0f}".format(*np.percentile(pitch, (95, 5))),
        "camera roll, 5/95 % (degrees)": _levels(np.degrees(np.arctan2(poses[:, 2, 0], -poses[:, 2, 1])), (5, 95)),
        "field of view, 5/50/95 % (degrees)": _levels(np.degrees(2 * np.arctan(half))),
    }


def _levels(values: np.ndarray, levels: tuple[int, ...] = (5, 50, 95), digits: int = 0) -> str:
    return "/".join(f"{value:.{digits}f}" for value in np.percentile(values, levels))


def _vertical(image: dict) -> np.ndarray:
    """(3,) what is up, in the axes of an image's camera."""
    pose = image["camera"]["pose"]
    try:
        return np.asarray(pose, dtype=np.float64).reshape(4, 4)[2, :3]
    except (TypeError, ValueError):
        name = image.get("file_name")
        raise ValueError(f"images: {name}: camera.pose: found {pose!r:.60}, expected 4x4 numbers") from None


def pose_table(coco: dict) -> dict[str, str]:
    """How far the limbs of people who do not lie on the table go.

    Args:
        coco: Content of the COCO file, with joints in metres in the axes of each image's camera.

    Returns:
        Text by name of the figure; nothing without such people.
    """
    up = {image["id"]: _vertical(image) for image in coco["images"]}
    staff = [person for person in coco["annotations"] if person["person_role"] != "patient"]
    if not staff:
        return {}
    joints = np.array([person["keypoints_3d"] for person in staff], dtype=np.float64).reshape(-1, 17, 3)
    vertical = np.array([up[person["image_id"]] for person in staff])
    high = np.einsum("nkc,nc->nk", joints, vertical)
    raised = high[:, _WRISTS] > high[:, _SHOULDERS]
    trunk = joints[:, _SHOULDERS].mean(1) - joints[:, _HIPS].mean(1)
    lean = np.degrees(np.arccos(np.clip((trunk * vertical).sum(1) / np.linalg.norm(trunk, axis=1), -1, 1)))
    thigh, shin = joints[:, _HIPS] - joints[:, _KNEES], joints[:, _ANKLES] - joints[:, _KNEES]
    lengths = np.linalg.norm(thigh, axis=2) * np.linalg.norm(shin, axis=2)
    knee = 180 - np.degrees(np.arccos(np.clip((thigh * shin).sum(2) / lengths, -1, 1)))
    step = np.linalg.norm(joints[:, _ANKLES[0]] - joints[:, _ANKLES[1]], axis=1)
    return {
        "wrists above their shoulder (%)": f"{100 * raised.mean():.0f}",
        "trunks that lean by more than 30 degrees (%)": f"{100 * (lean > 30).mean():.0f}",
        "knees bent by more than 45 degrees (%)": f"{100 * (knee > 45).mean():.0f}",
        "distance between ankles, 5/50/95 % (m)": _levels(step, digits=2),
    }


def room_table(scenes: Iterable[Scene]) -> dict[str, str]:
    """What people are in.

    Args:
        scenes: Some scenes.

    Returns:
        Text by name of the figure.
    """
    kinds = Counter(scene.room.kind for scene in scenes)
    total = max(sum(kinds.values()), 1)
    return {"rooms (%)": ", ".join(f"{kind} {100 * count / total:.0f}" for kind, count in kinds.most_common())}


def picture_table(pictures: Iterable[np.ndarray]) -> dict[str, str]:
    """Brightness, contrast, colour and sharpness of colour pictures.

    Args:
        pictures: (H, W, 3) uint8 each.

    Returns:
        Text by name of the figure: percentiles of the pictures' own figures; nothing without pictures.
    """
    rows = []
    for picture in pictures:
        values = picture.astype(np.float64)
        grey = values.mean(2)
        fine = np.abs(4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:])
        rows.append((grey.mean(), grey.std(), np.ptp(values, axis=2).mean(), fine.mean(), (grey > 250).mean() * 100))
    names = (
        "brightness, 5/50/95 % (mean grey level)",
        "contrast, 5/50/95 % (deviation of grey levels)",
        "colour, 5/50/95 % (mean span of red, green, blue)",
        "sharpness, 5/50/95 % (mean of Laplacian)",
        "white pixels, 5/50/95 % (% of a picture)",
    )
    return {name: _levels(column) for name, column in zip(names, np.array(rows).T, strict=False)} if rows else {}


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
        "stature of staff, 5/50/95 % (m)": _levels(np.array(tall), digits=2) if tall else "not known",
        "staff measured": str(staff),
    }
