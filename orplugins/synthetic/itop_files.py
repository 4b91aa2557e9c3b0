"""Generated frames in the HDF5 files of ITOP (Haque et al. 2016, arXiv 1603.07076): depth, clouds and labels.

ITOP's camera is a pinhole with 320x240 pixels, centre (160, 120) and focal length 1 / 0.0035 pixels; lengths are metres
in float16, and y points up. A frame has one person: the one that fills most of the picture.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from orplugins.core.cameras import Camera
from orplugins.core.skeletons import ITOP_15
from orplugins.io.atomic import atomic_write
from orplugins.synthetic.frames import Frame, render_scene
from orplugins.synthetic.scene import RIG, make_scene, stream

SIZE, CENTRE, SCALE = (320, 240), (160.0, 120.0), 0.0035
VIEWS = ("side", "top")
_SUBJECTS, _TEST_FROM = 20, 16  # subjects 16 to 19 are the test files', as many as in ITOP


def write_itop(
    out: str | os.PathLike, frames: int, seed: int, *, views: tuple[str, ...] = VIEWS, noise: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, int]:
    """Write `OUT/ITOP/ITOP_<view>_<train|test>_<depth_map|point_cloud|labels>.h5`, all of them or none.

    Every 20th frame is of one subject; four of the subjects make the test files. `segmentation` tells the person (0)
    from the background (-1).

    Raises
    ------
    ValueError
        For an argument out of its range, or where h5py is missing.
    """
    try:
        import h5py
    except ImportError as error:
        raise ValueError("write_itop: needs the package h5py (pip install h5py)") from error
    if frames < 1 or seed < 0:
        raise ValueError(f"write_itop: found frames={frames}, seed={seed}, expected frames >= 1, seed >= 0")
    if not views or not set(views) <= set(VIEWS):
        raise ValueError(f"write_itop: views: found {views!r}, expected some of {VIEWS}")
    folder = Path(out) / "ITOP"
    numbers = {"train": [i for i in range(frames) if i % _SUBJECTS < _TEST_FROM],
               "test": [i for i in range(frames) if i % _SUBJECTS >= _TEST_FROM]}
    row = {i: k for part in numbers.values() for k, i in enumerate(sorted(part, key=lambda i: (i % _SUBJECTS, i)))}
    valid = 0
    with ExitStack() as stack:
        tables = {}
        for view in views:
            for split, part in numbers.items():
                for kind in ("depth_map", "point_cloud", "labels"):
                    path = folder / f"ITOP_{view}_{split}_{kind}.h5"
                    file = h5py.File(stack.enter_context(atomic_write(path, mode="wb")), "w")
                    tables[view, split, kind] = _tables(stack.enter_context(file), kind, len(part))
        for i in range(frames):
            split = "train" if i % _SUBJECTS < _TEST_FROM else "test"
            for view in views:
                scene = make_scene(seed, i, people=(1, 3), views=1, fixed_cameras=False)
                scene.cameras = [_camera(scene.cameras[0], view, stream(RIG, seed, i, 1))]
                frame = render_scene(scene, SIZE, (seed, i), noise=noise)[0]
                label = _label(frame, {p.id: p.role for p in scene.people})
                valid += int(label["is_valid"])
                depth = (frame.depth_mm / 1000).astype(np.float16)
                name = f"{i % _SUBJECTS:02d}_{i:05d}".encode()
                for kind, values in (("depth_map", {"data": depth}), ("point_cloud", {"data": point_cloud(depth)}),
                                     ("labels", label)):
                    for key, value in {"id": name, **values}.items():
                        tables[view, split, kind][key][row[i]] = value
            if progress is not None:
                progress(i + 1, frames)
    return {"frames": frames, "views": len(views), "valid": valid}


def point_cloud(depth: np.ndarray) -> np.ndarray:
    """(76800, 3) float16 metres of a depth map (240, 320); holes are at the origin."""
    z = depth.astype(np.float32)
    v, u = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float32)
    x, y = (u - CENTRE[0]) * SCALE * z, -(v - CENTRE[1]) * SCALE * z
    return np.stack([x, y, z], -1).reshape(-1, 3).astype(np.float16)


def _camera(hung: Camera, view: str, rng: np.random.Generator) -> Camera:
    """ITOP's lens at the place of a camera of the room, or under the middle of the ceiling."""
    pose = hung.pose.copy()
    if view == "top":
        pose = np.diag([1.0, -1.0, -1.0, 1.0])
        pose[:3, 3] = [*rng.normal(0, 0.5, 2), 2.9]
    return Camera(1 / SCALE, 1 / SCALE, *CENTRE, SIZE, pose=pose)


def _tables(file, kind: str, count: int) -> dict:
    """The data sets of one file, made at their full length."""
    shapes = {"id": ((), "S8")}
    if kind == "labels":
        joints = ITOP_15.num_joints
        shapes |= {"is_valid": ((), "u1"), "visible_joints": ((joints,), "i2"),
                   "image_coordinates": ((joints, 2), "i2"),
                   "real_world_coordinates": ((joints, 3), "f2"), "segmentation": (SIZE[::-1], "i1")}
    else:
        shapes["data"] = (SIZE[::-1] if kind == "depth_map" else (SIZE[0] * SIZE[1], 3), "f2")
    return {name: file.create_dataset(name, (count, *shape), dtype) for name, (shape, dtype) in shapes.items()}


def _label(frame: Frame, roles: dict[int, str]) -> dict[str, np.ndarray]:
    view, joints = frame.view, ITOP_15.num_joints
    label = {"is_valid": 0, "visible_joints": np.zeros(joints, np.int16),
             "image_coordinates": np.zeros((joints, 2), np.int16),
             "real_world_coordinates": np.zeros((joints, 3), np.float16),
             "segmentation": np.full(SIZE[::-1], -1, np.int8)}
    standing = [k for k, i in enumerate(view.person_ids.tolist()) if roles[i] == "clinician"]
    if not standing:
        return label
    k = max(standing, key=lambda k: view.areas[k])
    pixels, _ = frame.camera.project(view.points[ITOP_15.name][k])
    local = frame.camera.world_to_camera(view.points[ITOP_15.name][k])
    label["visible_joints"] = (view.keypoints[ITOP_15.name][k, :, 2] == 2).astype(np.int16)
    label["image_coordinates"] = np.clip(np.rint(pixels), -32000, 32000).astype(np.int16)
    label["real_world_coordinates"] = (local * (1, -1, 1)).astype(np.float16)
    label["segmentation"] = np.where(frame.instances == view.person_ids[k], 0, -1).astype(np.int8)
    label["is_valid"] = int(label["visible_joints"].sum() >= 3)
    return label
