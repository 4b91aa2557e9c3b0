"""Toy colour pictures of people with 2D and 3D truth: capsules drawn far to near. Needs OpenCV.

Enough to see a colour method learn in minutes, not a picture of an operating room. Annotations are COCO-17 keypoints
with `keypoints_3d` and `h36m_3d` (17 x X, Y, Z metres in the camera's axes, y down) and `person_id`.

Example:
    python tests/helpers/color_toy.py --out outputs/toy --frames 800 --seed 1
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from orplugins.io.atomic import write_json
from orplugins.skeletons import COCO_17

FOCAL = 540 / 640  # of the picture's width
GOWNS = ((170, 120, 60), (120, 150, 70), (150, 90, 90), (190, 160, 110), (110, 110, 40))
SKIN, CAP, TROUSERS, SHOE = (130, 160, 215), (200, 190, 150), 0.7, (60, 60, 60)


def random_person(rng: np.random.Generator, place: np.ndarray, yaw: float) -> tuple[np.ndarray, np.ndarray]:
    """COCO-17 and H36M-17 joints (17, 3) of a standing person, metres, z up."""
    height = rng.uniform(1.6, 1.9)
    up, front = np.array([0, 0, 1.0]), np.array([np.cos(yaw), np.sin(yaw), 0])
    left = np.cross(up, front)
    pelvis = np.array([*place, 0.52 * height])
    spine = _unit(up + rng.uniform(0, 0.45) * front + rng.normal(0, 0.06) * left)
    thorax = pelvis + 0.29 * height * spine
    head = thorax + 0.12 * height * _unit(spine + 0.5 * up)
    gaze = _unit(front + rng.normal(0, 0.35) * left - rng.uniform(0, 0.5) * up)
    side = _unit(np.cross(up, gaze))
    joints = np.zeros((17, 3))
    joints[0] = head + 0.06 * height * gaze
    for k, sign in ((0, 1), (1, -1)):
        joints[1 + k] = head + height * (0.05 * gaze + sign * 0.018 * side + 0.01 * up)
        joints[3 + k] = head + height * sign * 0.042 * side
        shoulder = thorax + sign * 0.105 * height * left
        forward, outward = rng.uniform(-0.1, 1.0), rng.uniform(0, 0.5)
        elbow = shoulder + 0.18 * height * _unit(forward * front + sign * outward * left - up)
        inward, lift = rng.uniform(-0.7, 0.3), rng.uniform(-1, 0.7)
        wrist = elbow + 0.16 * height * _unit(front * rng.uniform(0.2, 1) + sign * inward * left + lift * up)
        hip = pelvis + sign * 0.055 * height * left
        ankle = np.array([*(hip + sign * 0.03 * height * left + rng.normal(0, 0.06) * front)[:2], 0.05 * height])
        knee = (hip + ankle) / 2 + 0.03 * height * front
        joints[[5 + k, 7 + k, 9 + k, 11 + k, 13 + k, 15 + k]] = shoulder, elbow, wrist, hip, knee, ankle
    ears, middle = joints[3:5].mean(0), joints[5:7].mean(0)
    hips = joints[11:13].mean(0)
    trunk = [(hips + middle) / 2, middle, ears, ears + 0.08 * height * up]
    h36 = np.stack([hips, *joints[[12, 14, 16, 11, 13, 15]], *trunk, *joints[[5, 7, 9, 6, 8, 10]]])
    return joints, h36


def render(seed: int, index: int, size: tuple[int, int] = (320, 240), people: tuple[int, int] = (1, 4)):
    """One picture (H, W, 3) uint8 BGR and its annotations, without ids.

    The pair (seed, index) decides everything; the size only the sampling.
    """
    import cv2

    rng = np.random.default_rng([seed, index])
    width, height = size
    focal, centre = FOCAL * width, (np.array(size) - 1) / 2
    pitch, distance = np.radians(rng.uniform(18, 32)), rng.uniform(2.8, 3.8)
    camera = np.array([-distance, 0, rng.uniform(2.1, 2.6)])
    forward = np.array([np.cos(pitch), 0, -np.sin(pitch)])
    rotation = np.stack([[0, -1, 0], np.cross(forward, [0, -1, 0]), forward])  # rows: right, down, forward

    def project(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        local = (points - camera) @ rotation.T
        return local[..., :2] / local[..., 2:] * focal + centre, local

    image = _room(rng, size, project, cv2)
    owner = np.full((height, width), -1, np.int16)
    bodies, spots = [], []
    for _ in range(40):
        if len(bodies) == rng.integers(people[0], people[1] + 1) and bodies:
            break
        spot = np.array([rng.uniform(-0.8, 1.8), rng.uniform(-1.3, 1.3)])
        if len(bodies) < people[1] and all(np.linalg.norm(spot - other) > 0.6 for other in spots):
            spots.append(spot)
            bodies.append((*random_person(rng, spot, rng.uniform(0, 2 * np.pi)), GOWNS[rng.integers(len(GOWNS))]))
    parts = []
    for number, (joints, _, gown) in enumerate(bodies):
        parts += [(project(np.stack([a, b])), radius, colour, number) for a, b, radius, colour in _parts(joints, gown)]
    parts.sort(key=lambda part: -part[0][1][:, 2].mean())
    extents = np.tile([np.inf, np.inf, -np.inf, -np.inf], (len(bodies), 1))
    for (pixels, local), radius, colour, number in parts:
        thick = max(1, round(2 * radius * focal / local[:, 2].mean()))
        a, b = (tuple(int(v) for v in np.rint(point)) for point in pixels)
        shade = 0.8 + 0.2 * rng.random()
        cv2.line(image, a, b, tuple(int(c * shade) for c in colour), thick, cv2.LINE_AA)
        cv2.line(owner, a, b, number, thick)
        extents[number, :2] = np.minimum(extents[number, :2], pixels.min(0) - thick / 2)
        extents[number, 2:] = np.maximum(extents[number, 2:], pixels.max(0) + thick / 2)
    image = np.clip(image + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)

    records = []
    for number, (joints, h36, _) in enumerate(bodies):
        box = np.clip(extents[number] + 0.5, 0, (width, height, width, height))
        if (box[2:] - box[:2] < 4).any() or (owner == number).sum() < 20:
            continue
        pixels, local = project(joints)
        inside = ((pixels >= 0) & (pixels <= np.array(size) - 1)).all(axis=1)
        column, row = np.rint(np.where(inside[:, None], pixels, 0)).astype(int).T
        seen = np.where(inside, np.where(owner[row, column] == number, 2, 1), 0)
        keypoints = np.where(inside[:, None], np.column_stack([pixels, seen]), 0.0)
        records.append(
            {
                "category_id": 1,
                "iscrowd": 0,
                "bbox": np.round([*box[:2], *(box[2:] - box[:2])], 3).tolist(),
                "area": float(np.prod(box[2:] - box[:2])),
                "keypoints": np.round(keypoints, 3).ravel().tolist(),
                "num_keypoints": int(inside.sum()),
                "person_id": number,
                "keypoints_3d": np.round(local, 5).ravel().tolist(),
                "h36m_3d": np.round(project(h36)[1], 5).ravel().tolist(),
            }
        )
    return image, records


def write_set(out: str | Path, frames: int, seed: int, size: tuple[int, int] = (320, 240), start: int = 0) -> Path:
    """Write pictures and ``annotations.json`` below a folder; returns the annotation file's path."""
    import cv2
    from tqdm import tqdm

    out = Path(out)
    (out / "images").mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for k in tqdm(range(frames), unit="frame", disable=None):
        image, records = render(seed, start + k, size)
        name = f"{start + k:06d}.png"
        if not cv2.imwrite(str(out / "images" / name), image):
            raise OSError(f"{out / 'images' / name}: could not be written")
        images.append({"id": k + 1, "file_name": name, "width": size[0], "height": size[1]})
        annotations += [{"id": len(annotations) + i + 1, "image_id": k + 1, **r} for i, r in enumerate(records)]
    category = {
        "id": 1,
        "name": "person",
        "keypoints": list(COCO_17.joints),
        "skeleton": [[a + 1, b + 1] for a, b in COCO_17.limbs],
    }
    write_json(out / "annotations.json", {"images": images, "annotations": annotations, "categories": [category]})
    return out / "annotations.json"


def _parts(joints: np.ndarray, gown: tuple[int, int, int]) -> list[tuple]:
    """(start, end, radius in metres, colour) of what a person is drawn with."""
    trousers = tuple(int(c * TROUSERS) for c in gown)
    hips, middle = joints[11:13].mean(0), joints[5:7].mean(0)
    ears, nose = joints[3:5].mean(0), joints[0]
    parts = [
        (hips, middle, 0.16, gown),
        (joints[5], joints[6], 0.07, gown),
        (joints[11], joints[12], 0.11, gown),
        (ears, ears + (middle - hips) * 0.05, 0.115, CAP),
        ((ears + nose) / 2, nose, 0.055, SKIN),
    ]
    for k in (0, 1):
        shoulder, elbow, wrist, hip, knee, ankle = joints[[5 + k, 7 + k, 9 + k, 11 + k, 13 + k, 15 + k]]
        parts += [
            (shoulder, elbow, 0.055, gown),
            (elbow, wrist, 0.042, gown),
            (wrist, wrist + 0.3 * (wrist - elbow), 0.04, SKIN),
            (hip, knee, 0.085, trousers),
            (knee, ankle, 0.06, trousers),
            (ankle, ankle + 0.01, 0.05, SHOE),
        ]
    return parts


def _room(rng: np.random.Generator, size: tuple[int, int], project, cv2) -> np.ndarray:
    """Floor, wall, a table and a few boxes."""
    width, height = size
    shade = np.linspace(rng.uniform(120, 170), rng.uniform(170, 215), height)[:, None, None]
    image = np.broadcast_to(shade * rng.uniform(0.85, 1.0, 3), (height, width, 3)).astype(np.uint8).copy()
    wall = int(rng.uniform(0.02, 0.25) * height)
    image[:wall] = (rng.uniform(150, 230, 3)).astype(np.uint8)
    for _ in range(rng.integers(1, 5)):
        x, y = rng.uniform(-0.5, 2.0), rng.uniform(-1.8, 1.8)
        dx, dy, top = rng.uniform(0.15, 0.5), rng.uniform(0.15, 0.8), rng.uniform(0.6, 1.3)
        corners = np.array([[x - dx, y - dy], [x + dx, y - dy], [x + dx, y + dy], [x - dx, y + dy]])
        colour = rng.uniform(60, 230, 3)
        for level, factor in ((0.0, 0.6), (top, 1.0)):
            pixels, _ = project(np.column_stack([corners, np.full(4, level)]))
            if level:
                low, _ = project(np.column_stack([corners, np.zeros(4)]))
                hull = cv2.convexHull(np.rint(np.concatenate([pixels, low])).astype(np.int32))
                cv2.fillPoly(image, [hull], (colour * 0.7).tolist(), cv2.LINE_AA)
            cv2.fillPoly(image, [np.rint(pixels).astype(np.int32)], (colour * factor).tolist(), cv2.LINE_AA)
    return image


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="folder for images/ and annotations.json")
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", default="320x240", help="WIDTHxHEIGHT (default: 320x240)")
    args = parser.parse_args(argv)
    try:
        width, height = (int(side) for side in args.size.split("x"))
        print(write_set(args.out, args.frames, args.seed, (width, height)))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
