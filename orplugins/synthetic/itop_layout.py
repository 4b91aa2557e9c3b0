"""Generated people in ITOP's HDF5 layout, seen by a camera with ITOP's lens: a row is a person in a frame.

Unlike ITOP's, these people stand in an operating room with a table, things and others in front of them, so that many
joints are hidden; a row's depth image shows everybody, its labels one person.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from orplugins.core.cameras import Camera
from orplugins.core.refine import ITOP_CAMERA
from orplugins.core.skeletons import COCO_17, ITOP_15, convert
from orplugins.io.itop import write_itop
from orplugins.synthetic.solids import Frame, make_scene, render_scene

SIZE = (320, 240)
# Test people are other subjects than those of training; 04 and 05 are ITOP's validation split.
_TRAIN_SUBJECTS, _TEST_SUBJECTS = range(16), range(16, 20)
# Sensor noise must not be the stream that placed the scene.
_SENSOR = 7


def itop_frame(
    seed: int, index: int, size: tuple[int, int] = SIZE, people: tuple[int, int] = (1, 5), noise: bool = True
) -> Frame:
    """A generated frame as a camera with ITOP's lens sees it (scaled to the picture's size)."""
    scene = make_scene(seed, index, people=people, fixed_cameras=False)
    lens = ITOP_CAMERA.scaled(size[0] / SIZE[0])
    camera = Camera(lens.fx, lens.fy, lens.cx, lens.cy, size, pose=scene.cameras[0].pose)
    return render_scene(scene, camera, np.random.default_rng([_SENSOR, seed, index]) if noise else None)


def itop_labels(frame: Frame) -> dict[str, np.ndarray]:
    """ITOP's labels of a frame's people: pixels (P, 15, 2), metres with y up (P, 15, 3), visible and is_valid.

    A person counts as valid where all joints are in the picture.
    """
    # One more than COCO's flag: a joint outside the picture has a place too.
    flags = frame.keypoints[..., 2:] + 1
    joints = convert(np.concatenate([frame.keypoints3d, flags], axis=-1), COCO_17, ITOP_15)
    points, visible = joints[..., :3] * (1, -1, 1), joints[..., 3] >= 3
    camera = frame.camera
    lens = replace(ITOP_CAMERA, fx=camera.fx, fy=camera.fy, cx=camera.cx, cy=camera.cy)
    pixels = lens.project(points)
    inside = ((pixels >= 0) & (pixels < camera.size)).all(axis=(1, 2)) & (points[..., 2] > 0).all(axis=1)
    return {"image_coordinates": np.clip(np.rint(pixels), -30000, 30000), "real_world_coordinates": points,
            "visible_joints": visible, "is_valid": inside}  # fmt: skip


def write_itop_people(
    root: str | os.PathLike,
    train: int,
    test: int,
    seed: int,
    people: tuple[int, int] = (1, 5),
    noise: bool = True,
    compression: str | None = "lzf",
    progress: Callable[[], None] | None = None,
) -> dict[str, int]:
    """Write `ITOP/ITOP_side_{train,test}_{depth_map,labels}.h5` below `root`.

    Parameters
    ----------
    train, test : frames rendered; each gives a row a person. 0 leaves a file out.
    progress : called after each frame.

    Returns
    -------
    Rows of each file, and how many of them are valid (`train_valid`, `test_valid`).
    """
    if min(train, test) < 0 or not train + test:
        raise ValueError(f"write_itop_people: found train={train}, test={test}, expected frames >= 0, not both 0")
    counts = {}
    for file, frames, subjects, stream in (("train", train, _TRAIN_SUBJECTS, 0), ("test", test, _TEST_SUBJECTS, 1)):
        if not frames:
            continue
        parts, depths = [], []
        for index in range(frames):
            frame = itop_frame(seed, 2 * index + stream, people=people, noise=noise)
            labels = itop_labels(frame)
            n = len(labels["is_valid"])
            subject = subjects[index % len(subjects)]
            labels["id"] = np.array([f"{subject:02d}_{len(depths):05d}"] * n)
            parts.append(labels)
            # Kept as millimetres, once a frame: rows repeat the reference.
            depths.extend([frame.depth_mm] * n)
            if progress:
                progress()
        labels = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        labels["id"] = np.array([f"{name[:3]}{row:05d}" for row, name in enumerate(labels["id"])])
        write_itop(root, "side", file, labels, _metres(depths), compression)
        counts |= {file: len(depths), f"{file}_valid": int(labels["is_valid"].sum())}
    return counts


def _metres(depths: list[np.ndarray]) -> Iterator[np.ndarray]:
    for depth in depths:
        yield (depth.astype(np.float32) / 1000).astype(np.float16)
