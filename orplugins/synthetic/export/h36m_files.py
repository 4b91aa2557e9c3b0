"""Motion in the files of Human3.6M as VideoPose3D (Pavllo et al. 2019) distributes them.

```
data_3d_h36m.npz         positions_3d: {subject: {action: float32 (F, 32, 3)}}, the room's axes, metres
data_2d_h36m_gt.npz      positions_2d: {subject: {action: [float32 (F, 17, 2) per camera]}}, its joints, pixels
data_2d_h36m_coco.npz    the same in COCO's joints, as a 2D detector gives them
h36m_cameras.json        {"*": [one per camera: size, focal, center, orientation (w, x, y, z), position]}
```

A clip is a subject's: the published seven in turn, so that the published split (S9 and S11 for testing) works; each of
its people is an action. The npz files hold pickled dictionaries, as the published ones do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.io.atomic import atomic_write, write_json
from orplugins.skeletons import COCO_17, H36M_17, H36M_17_OF_32
from orplugins.synthetic.export.records import record_camera

SUBJECTS = ("S1", "S5", "S6", "S7", "S8", "S9", "S11")


def write_h36m(folder: Path, records: list[dict], parameters: dict) -> int:
    """Write the files for a motion set with fixed cameras.

    A person who is in no image of some frame is left out of that clip.

    Args:
        folder: Where the files are written.
        records: From `records.frame_record`.
        parameters: What the set was made with.

    Returns:
        Number of sequences.
    """
    size = tuple(parameters["size"])
    cameras = [record_camera(view, size) for view in records[0]["views"]]
    days: dict[int, list[dict]] = {}
    for record in records:
        days.setdefault(record["day"], []).append(record)
    world: dict[str, dict] = {}
    flat: dict[str, dict[str, dict]] = {"gt": {}, "coco": {}}
    count = 0
    for day, moments in sorted(days.items()):
        subject = SUBJECTS[(day - 1) % len(SUBJECTS)]
        present = set.intersection(*(set(moment["people"]) for moment in moments))
        for person in sorted(present, key=int):
            action = f"Clip {day} person {person}"
            h36m, coco = (np.array([moment["people"][person][name] for moment in moments]) for name in ("h36m", "coco"))
            full = np.zeros((len(moments), 32, 3), np.float32)
            full[:, list(H36M_17_OF_32)] = h36m
            world.setdefault(subject, {})[action] = full
            for kind, joints in (("gt", h36m), ("coco", coco)):
                views = [camera.project(joints)[0].astype(np.float32) for camera in cameras]
                flat[kind].setdefault(subject, {})[action] = views
            count += 1
    _save(folder / "data_3d_h36m.npz", positions_3d=world)
    for kind, skeleton in (("gt", H36M_17), ("coco", COCO_17)):
        symmetry = [list(side) for side in zip(*skeleton.flip_pairs, strict=True)]
        metadata = {"layout_name": "h36m" if kind == "gt" else "coco", "num_joints": 17, "keypoints_symmetry": symmetry}
        _save(folder / f"data_2d_h36m_{kind}.npz", positions_2d=flat[kind], metadata=metadata)
    write_json(folder / "h36m_cameras.json", {"*": [_camera(camera) for camera in cameras]})
    return count


def _save(path: Path, **dictionaries: dict) -> None:
    arrays: dict[str, Any] = {name: np.array(value, dtype=object) for name, value in dictionaries.items()}
    with atomic_write(path, mode="wb") as file:
        np.savez_compressed(file, **arrays)


def _camera(camera: Camera) -> dict:
    return {
        "size": list(camera.size),
        "focal": [camera.fx, camera.fy],
        "center": [camera.cx, camera.cy],
        "orientation": quaternion(camera.pose[:3, :3]).tolist(),
        "position": camera.pose[:3, 3].tolist(),
    }


def quaternion(matrix: np.ndarray) -> np.ndarray:
    """Unit quaternion of a rotation.

    Args:
        matrix: (3, 3) rotation.

    Returns:
        (4,) w, x, y, z, w >= 0.
    """
    # The eigenvector of the largest eigenvalue of Bar-Itzhack's matrix: no cases, and no loss near half turns.
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = matrix
    k = (
        np.array(
            [
                [xx - yy - zz, 0, 0, 0],
                [yx + xy, yy - xx - zz, 0, 0],
                [zx + xz, zy + yz, zz - xx - yy, 0],
                [zy - yz, xz - zx, yx - xy, xx + yy + zz],
            ]
        )
        / 3
    )
    x, y, z, w = np.linalg.eigh(k)[1][:, -1]
    return np.array([w, x, y, z]) * (1 if w >= 0 else -1)
