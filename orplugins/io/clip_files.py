"""Files of 3D people: JSON with reasons for every joint, and plain npz."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

from orplugins.geometry.triangulation import Code
from orplugins.io.arrays import load_npz
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
    path, names = Path(path), ("xyz", "state", "fps", "layout")
    out = load_npz(path, (*names, "root"))
    missing = [name for name in names if name not in out]
    if missing:
        raise ValueError(f"{path}: missing array '{missing[0]}', expected xyz, state, fps and layout")
    xyz, state, fps = out["xyz"], out["state"], out["fps"]
    if (
        xyz.ndim != 3
        or xyz.shape[2] != 3
        or state.shape != xyz.shape[:2]
        or {xyz.dtype.kind, state.dtype.kind} - set("fiub")
    ):
        raise ValueError(
            f"{path}: xyz {xyz.dtype} {xyz.shape}, state {state.dtype} {state.shape}, expected numbers (F, J, 3) and "
            "(F, J)"
        )
    if not np.isin(state, (0, 1, 2)).all():
        raise ValueError(f"{path}: 'state' holds {state.max()}, expected 0 missing, 1 inferred or 2 measured")
    if np.isinf(xyz).any() or (np.isnan(xyz).any(-1) & (state > 0)).any():
        raise ValueError(f"{path}: 'xyz' holds infinity, or NaN where 'state' says that the joint is there")
    if fps.shape != () or fps.dtype.kind not in "fiu" or not 0 < float(fps) < 10_000:
        raise ValueError(f"{path}: 'fps' is {_short(fps)}, expected a number above 0")
    for name in ("layout", "root"):
        if name in out and (out[name].shape != () or out[name].dtype.kind != "U"):
            raise ValueError(f"{path}: '{name}' is {_short(out[name])}, expected a text")
    return {
        "xyz": xyz,
        "state": state,
        "fps": float(fps),
        "layout": str(out["layout"]),
        "root": str(out.get("root", "absolute")),
    }


def _short(value: np.ndarray) -> str:
    return f"{value.dtype} {value.shape}" if value.shape else repr(value.item())[:80]
