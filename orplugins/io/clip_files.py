"""Files of 3D people: JSON with reasons for every joint, and plain npz."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

from orplugins.geometry.triangulation import Code
from orplugins.io.atomic import atomic_write, write_json


def write_people(
    path: str | os.PathLike,
    frames: np.ndarray,
    tracks: np.ndarray,
    points: np.ndarray,
    code: np.ndarray,
    joints: tuple[str, ...],
    extra: dict | None = None,
    details: list[dict] | None = None,
) -> None:
    """Write 3D people as JSON.

    Args:
        path: The file.
        frames: (P,) frame number of each person.
        tracks: (P,) identity over time (-1: none).
        points: (P, J, 3) metres, NaN where missing: null in the file, never zeros.
        code: (P, J) `orplugins.geometry.triangulation.Code`; a joint that a body model filled in has FILLED.
        joints: Names.
        extra: Further entries of the file (rig, method).
        details: One further dict per person.
    """
    people = []
    for k in range(len(frames)):
        joint = [None if not np.isfinite(p).all() else [round(float(v), 6) for v in p] for p in points[k]]
        people.append(
            {
                "frame": int(frames[k]),
                "track": int(tracks[k]),
                "keypoints3d": joint,
                "code": code[k].tolist(),
                **(details[k] if details else {}),
            }
        )
    meaning = {int(c): c.name.lower() for c in Code}
    write_json(path, {"units": "m", "joints": list(joints), "codes": meaning, **(extra or {}), "people": people})


def write_motion_npz(
    path: str | os.PathLike, xyz: np.ndarray, state: np.ndarray, code: np.ndarray, fps: float, rig: dict, layout: str
) -> None:
    """Write one person's clip, whole or not at all.

    Args:
        path: The file.
        xyz: (F, J, 3) metres, NaN where missing.
        state: (F, J) 2 measured, 1 inferred, 0 missing.
        code: (F, J) reasons.
        fps: Frames per second.
        rig: JSON values, stored as text.
        layout: Name of the joint set.
    """
    with atomic_write(path, "wb") as file:
        np.savez_compressed(
            file,
            xyz=xyz,
            state=state,
            code=code,
            fps=np.array(fps),
            rig=np.array(json.dumps(rig)),
            layout=np.array(layout),
        )


def read_motion_npz(path: str | os.PathLike) -> dict:
    """Read a file of `write_motion_npz`.

    Args:
        path: The file.

    Returns:
        ``xyz``, ``state``, ``fps``, ``layout`` and ``root``.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: An entry is missing, or shapes do not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file, expected an npz of a motion")
    try:
        with np.load(path, allow_pickle=False) as data:
            out = {name: data[name] for name in ("xyz", "state", "fps", "layout")}
            root = str(data["root"]) if "root" in data.files else "absolute"
    except (ValueError, KeyError, OSError, EOFError) as error:
        raise ValueError(f"{path}: {error}, expected xyz, state, fps and layout") from None
    if out["xyz"].ndim != 3 or out["state"].shape != out["xyz"].shape[:2]:
        raise ValueError(f"{path}: xyz {out['xyz'].shape}, state {out['state'].shape}, expected (F, J, 3) and (F, J)")
    return {
        "xyz": out["xyz"],
        "state": out["state"],
        "fps": float(out["fps"]),
        "layout": str(out["layout"]),
        "root": root,
    }
