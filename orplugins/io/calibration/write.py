"""Calibrations as text, in the forms that can hold them. What a form cannot hold is refused or noted."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.geometry.lens import DISTORTION_ORDERS
from orplugins.geometry.rectified import ParallelRig
from orplugins.geometry.rotations import to_vector
from orplugins.structures import Rig

FORMS = {
    "json": (".json",),
    "opencv": (".yaml", ".yml"),
    "openpose": ("",),
    "toml": (".toml",),
    "kalibr": (".yaml", ".yml"),
}


def written(rig: Rig, form: str, pair: ParallelRig | None = None) -> dict[str, str]:
    """The files of a calibration.

    Args:
        rig: The cameras.
        form: Key of `FORMS`.
        pair: The parallel pair that the cameras are, for our own form.

    Returns:
        {name: text}, in the order of the cameras; the name is empty where one file holds all.

    Raises:
        ValueError: A lens or names that the form cannot hold.
    """
    if form == "json":
        return {"": json.dumps(_pair(pair) if pair else _own(rig), indent=1) + "\n"}
    if form == "toml":
        return {"": _toml(rig)}
    if form == "kalibr":
        return {"": _kalibr(rig)}
    if form == "opencv" and len(rig.cameras) == 1:
        return {"": _opencv(rig.cameras[0], rig.names[0])}
    one, suffix = (_opencv, ".yaml") if form == "opencv" else (_openpose, ".xml")
    names = _file_names(rig.names)
    return {f"{f}{suffix}": one(c, n) for f, c, n in zip(names, rig.cameras, rig.names, strict=True)}


def lost(rig: Rig, form: str) -> list[str]:
    """What a form leaves out of a calibration.

    Args:
        rig: The cameras.
        form: Key of `FORMS`.

    Returns:
        One sentence each.
    """
    notes = []
    if rig.up is not None and form != "json":
        notes.append("the world's vertical is not part of this form")
    if form == "kalibr" and np.abs(rig.cameras[0].pose - np.eye(4)).max() > 0:
        notes.append("the world is the first camera now")
    if form in ("kalibr", "openpose") and any(camera.depth_unit_mm != 1 for camera in rig.cameras):
        notes.append("the unit of depth images is not part of this form")
    return notes


def _numbers(camera: Camera) -> list[float]:
    """Distortion in OpenCV's order."""
    if camera.distortion_order != "mvor":
        return list(camera.distortion)
    values = dict(zip(DISTORTION_ORDERS["mvor"], camera.distortion, strict=False))
    return [values[name] for name in DISTORTION_ORDERS["opencv"][:5]] if values else []


def _world_to_camera(camera: Camera) -> np.ndarray:
    rotation = camera.pose[:3, :3].T
    return np.column_stack([rotation, -rotation @ camera.pose[:3, 3]])


def _is_fisheye(camera: Camera) -> bool:
    return camera.distortion_order == "fisheye"


def _own(rig: Rig) -> dict:
    first = rig.cameras[0]
    if len(rig.cameras) == 1 and np.array_equal(first.pose, np.eye(4)):
        found = {"fx": first.fx, "fy": first.fy, "cx": first.cx, "cy": first.cy, "size": list(first.size)}
        if rig.names[0] != "camera1":
            found["name"] = rig.names[0]
        more = {"distortion": list(first.distortion), "distortion_order": first.distortion_order}
        return found | (more if first.distortion else {}) | _unit(first)
    cameras = []
    for camera, name in zip(rig.cameras, rig.names, strict=True):
        pose = _world_to_camera(camera)
        cameras.append(
            {
                "name": name,
                "image_size": list(camera.size),
                "K": camera.matrix.tolist(),
                "dist": _numbers(camera),
                **({"fisheye": True} if _is_fisheye(camera) else {}),
                "R": pose[:, :3].tolist(),
                "t": pose[:, 3].tolist(),
                **_unit(camera),
            }
        )
    # Said, so that nothing has to be guessed when it is read again.
    found = {"unit": "m", "pose": "world_to_camera", "cameras": cameras}
    return found if rig.up is None else found | {"up": np.asarray(rig.up, dtype=np.float64).tolist()}


def _pair(pair: ParallelRig) -> dict:
    found = {"baseline_m": pair.baseline_m, "focal_px": pair.focal_px, "cx": pair.left[0], "cy": pair.left[1]}
    if pair.right != pair.left:
        found |= {"cx_right": pair.right[0], "cy_right": pair.right[1]}
    return {"parallel": {**found, "image_size": list(pair.size)}}


def _unit(camera: Camera) -> dict[str, float]:
    return {} if camera.depth_unit_mm == 1 else {"depth_unit_mm": camera.depth_unit_mm}


def _toml(rig: Rig) -> str:
    lines = []
    for i, (camera, name) in enumerate(zip(rig.cameras, rig.names, strict=True)):
        pose = _world_to_camera(camera)
        values = {
            "name": name,
            "size": list(camera.size),
            "matrix": camera.matrix.tolist(),
            "distortions": _numbers(camera) or [0.0] * 5,
            "rotation": to_vector(pose[:, :3]).tolist(),
            "translation": pose[:, 3].tolist(),
            "fisheye": _is_fisheye(camera),
            **_unit(camera),
        }
        # JSON's numbers, texts, lists and booleans are TOML's.
        lines += [
            f"[cam_{i}]",
            *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()),
            "",
        ]
    return "\n".join([*lines, "[metadata]", "adjusted = false", "error = 0.0", 'unit = "m"', ""])


def _kalibr(rig: Rig) -> str:
    lines, before = [], rig.cameras[0].pose
    for i, (camera, name) in enumerate(zip(rig.cameras, rig.names, strict=True)):
        numbers = _numbers(camera)
        if any(numbers[4:]):
            raise ValueError(
                f"{name}: {len(numbers)} distortion numbers, expected at most 4: Kalibr's lens has no more"
            )
        values = {
            "camera_model": "pinhole",
            "intrinsics": [camera.fx, camera.fy, camera.cx, camera.cy],
            "distortion_model": "equidistant" if _is_fisheye(camera) else "radtan",
            "distortion_coeffs": (numbers or [0.0] * 4)[:4],
            "resolution": list(camera.size),
        }
        if i:
            values["T_cn_cnm1"] = (np.linalg.inv(camera.pose) @ before).tolist()
        before = camera.pose
        lines += [f"cam{i}:", *(f"  {key}: {json.dumps(value)}" for key, value in values.items())]
    return "\n".join([*lines, ""])


def _opencv(camera: Camera, name: str) -> str:
    pose = _world_to_camera(camera)
    lines = ["%YAML:1.0", "---", f"camera_name: {json.dumps(name)}"]
    lines += [f"image_width: {camera.size[0]}", f"image_height: {camera.size[1]}"]
    numbers = np.array(_numbers(camera) or [0.0] * 5)
    lines += _matrix_yaml("camera_matrix", camera.matrix) + _matrix_yaml("distortion_coefficients", numbers[None])
    lines += ["fisheye_model: 1"] if _is_fisheye(camera) else []
    lines += _matrix_yaml("R", pose[:, :3]) + _matrix_yaml("T", pose[:, 3:])
    return "\n".join([*lines, *(f"{key}: {value!r}" for key, value in _unit(camera).items()), ""])


def _matrix_yaml(name: str, matrix: np.ndarray) -> list[str]:
    data = ", ".join(map(repr, matrix.ravel().tolist()))
    rows, cols = matrix.shape
    return [f"{name}: !!opencv-matrix", f"   rows: {rows}", f"   cols: {cols}", "   dt: d", f"   data: [ {data} ]"]


def _openpose(camera: Camera, name: str) -> str:
    if _is_fisheye(camera):
        raise ValueError(f"{name}: a fisheye lens, expected another: OpenPose's form has none")
    numbers = _numbers(camera)
    padded = np.concatenate([numbers, np.zeros(max(0, 8 - len(numbers)))])
    nodes = [
        *_matrix_xml("CameraMatrix", _world_to_camera(camera)),
        *_matrix_xml("Intrinsics", camera.matrix),
        *_matrix_xml("Distortion", padded[:, None]),
        f"<image_width>{camera.size[0]}</image_width>",
        f"<image_height>{camera.size[1]}</image_height>",
    ]
    return "\n".join(['<?xml version="1.0"?>', "<opencv_storage>", *nodes, "</opencv_storage>", ""])


def _matrix_xml(name: str, matrix: np.ndarray) -> list[str]:
    data = " ".join(map(repr, matrix.ravel().tolist()))
    rows, cols = matrix.shape
    head = f'<{name} type_id="opencv-matrix"><rows>{rows}</rows><cols>{cols}</cols><dt>d</dt>'
    return [head, f"<data>{data}</data></{name}>"]


def _file_names(names: Sequence[str]) -> list[str]:
    """Names that stay in the folder, and that sort as the cameras do: a folder is read in that order."""
    plain = [re.sub(r"[^\w.-]+", "_", name).strip("._")[:100] or "camera" for name in names]
    if plain != sorted(plain) or len({name.lower() for name in plain}) < len(plain):
        plain = [f"{i + 1:02d}_{name}" for i, name in enumerate(plain)]
    return plain
