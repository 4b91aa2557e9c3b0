"""The smallest valid calibration file of every form, all of the same two cameras where the form can hold them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

SIZE = (640, 480)
K = [[525.0, 0.0, 317.0], [0.0, 520.0, 242.0], [0.0, 0.0, 1.0]]
DIST = [0.1, -0.2, 0.001, -0.002, 0.05]
# Camera 1 is the world; camera 2 stands 1 m to its right, turned towards it by 0.2 radians about y.
ANGLE = 0.2
R2 = [[np.cos(ANGLE), 0.0, np.sin(ANGLE)], [0.0, 1.0, 0.0], [-np.sin(ANGLE), 0.0, np.cos(ANGLE)]]
T2 = [-1.0, 0.02, 0.1]


def rig() -> dict:
    first = {"image_size": list(SIZE), "K": K, "dist": DIST, "R": np.eye(3).tolist(), "t": [0.0, 0.0, 0.0]}
    return {"cameras": [first, {**first, "R": [list(map(float, row)) for row in R2], "t": T2}]}


def yaml_matrix(name: str, values, rows: int, cols: int) -> str:
    data = ", ".join(map(repr, np.ravel(values).tolist()))
    return f"{name}: !!opencv-matrix\n   rows: {rows}\n   cols: {cols}\n   dt: d\n   data: [ {data} ]\n"


def xml_matrix(name: str, values, rows: int, cols: int) -> str:
    data = " ".join(map(repr, np.ravel(values).tolist()))
    return (
        f'<{name} type_id="opencv-matrix">\n  <rows>{rows}</rows>\n  <cols>{cols}</cols>\n  <dt>d</dt>\n'
        f"  <data>\n    {data}</data></{name}>\n"
    )


def stereo_yaml() -> str:
    return "%YAML:1.0\n---\nimage_width: 640\nimage_height: 480\n" + "".join(
        yaml_matrix(*args)
        for args in (
            ("M1", K, 3, 3), ("D1", DIST, 1, 5), ("M2", K, 3, 3), ("D2", DIST, 1, 5), ("R", R2, 3, 3), ("T", T2, 3, 1),
            ("R1", np.eye(3), 3, 3), ("Q", np.eye(4), 4, 4),
        )
    )  # fmt: skip


def stereo_xml() -> str:
    body = "<image_width>640</image_width>\n<image_height>480</image_height>\n" + "".join(
        xml_matrix(*args)
        for args in (
            ("M1", K, 3, 3), ("D1", DIST, 1, 5), ("M2", K, 3, 3), ("D2", DIST, 1, 5), ("R", R2, 3, 3), ("T", T2, 3, 1),
        )
    )  # fmt: skip
    return f'<?xml version="1.0"?>\n<opencv_storage>\n{body}</opencv_storage>\n'


def opencv_yaml() -> str:
    return (
        '%YAML:1.0\n---\ncalibration_time: "Mon 2 Jun 2025"\nimage_width: 640\nimage_height: 480\nflags: 0\n'
        + yaml_matrix("camera_matrix", K, 3, 3)
        + yaml_matrix("distortion_coefficients", DIST, 5, 1)
        + "avg_reprojection_error: 3.1000000000000000e-01\n"
    )


def openpose_xml(camera: dict, distortion=DIST) -> str:
    pose = np.column_stack([camera["R"], camera["t"]])
    body = xml_matrix("CameraMatrix", pose, 3, 4) + xml_matrix("Intrinsics", K, 3, 3)
    body += xml_matrix("Distortion", distortion, len(distortion), 1)
    return f'<?xml version="1.0"?>\n<opencv_storage>\n{body}</opencv_storage>\n'


def toml() -> str:
    text = ""
    for i, (vector, t) in enumerate((([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]), ([0.0, ANGLE, 0.0], T2))):
        text += f'[cam_{i}]\nname = "camera{i + 1}"\nsize = [ 640, 480,]\nmatrix = {K}\ndistortions = {DIST}\n'
        text += f"rotation = {vector}\ntranslation = {t}\nfisheye = false\n\n"
    return text + "[metadata]\nadjusted = false\nerror = 0.2\n"


def kalibr() -> str:
    chain = np.eye(4)
    chain[:3, :3], chain[:3, 3] = R2, T2
    lens = f"  camera_model: pinhole\n  intrinsics: [525.0, 520.0, 317.0, 242.0]\n  distortion_model: radtan\n  distortion_coeffs: {DIST[:4]}\n  resolution: [640, 480]\n"  # noqa: E501
    return f"cam0:\n{lens}  cam_overlaps: [1]\ncam1:\n{lens}  T_cn_cnm1:\n" + "".join(
        f"  - {row}\n" for row in chain.tolist()
    )


def qualisys() -> str:
    cameras = ""
    for i, camera in enumerate(rig()["cameras"]):
        rotation, t = np.array(camera["R"]), np.array(camera["t"])
        turned = (rotation.T @ np.diag([1, -1, -1])).T  # rows as the file has them
        x, y, z = (-rotation.T @ t * 1000).tolist()
        entries = (
            " ".join(f'r{a + 1}{b + 1}="{turned[a, b]!r}"' for a in range(3) for b in range(3))
            .replace("np.float64(", "")
            .replace(")", "")
        )
        cameras += (
            f'<camera active="1" serial="cam_{i + 1}" viewrotation="0"><fov_video left="10" top="20" right="649" '
            f'bottom="499"/><transform x="{x!r}" y="{y!r}" z="{z!r}" {entries}/><intrinsic focalLengthU="{525 * 64}" '
            f'focalLengthV="{520 * 64}" centerPointU="{327 * 64}" centerPointV="{262 * 64}" skew="0.000" '
            f'radialDistortion1="{DIST[0]}" radialDistortion2="{DIST[1]}" radialDistortion3="{DIST[4]}" '
            f'tangentalDistortion1="{DIST[2]}" tangentalDistortion2="{DIST[3]}"/></camera>\n'
        )
    return f"<?xml version='1.0' encoding='ASCII'?>\n<calibration><cameras>\n{cameras}</cameras></calibration>\n"


SHORT = {"fx": 525.0, "fy": 520.0, "cx": 317.0, "cy": 242.0, "size": [640, 480], "distortion": DIST}
REALSENSE = {"width": 640, "height": 480, "fx": 525.0, "fy": 520.0, "ppx": 317.0, "ppy": 242.0,
             "model": "distortion.brown_conrady", "coeffs": DIST, "depth_scale": 0.00025}  # fmt: skip
PAIR = {"baseline_m": 0.28, "focal_px": 525.0, "cx": 317.0, "cy": 242.0, "image_size": [640, 480]}


def two_camera_files() -> dict[str, str]:
    """File name -> text: the two cameras in every form of one file."""
    return {
        "rig.json": json.dumps(rig()),
        "rig.yaml": json.dumps(rig()),
        "list.json": json.dumps(rig()["cameras"]),
        "stereo.yml": stereo_yaml(),
        "stereo.xml": stereo_xml(),
        "calibration.toml": toml(),
        "camchain.yaml": kalibr(),
        "Calib.qca.txt": qualisys(),
    }


def one_camera_files() -> dict[str, str]:
    """File name -> text: the first camera."""
    return {
        "camera.json": json.dumps(SHORT),
        "realsense.json": json.dumps(REALSENSE),
        "opencv.yaml": opencv_yaml(),
        "opencv11.yaml": opencv_yaml().replace("%YAML:1.0", "%YAML 1.1"),
        "openpose.xml": openpose_xml(rig()["cameras"][0]),
    }


def write(folder: Path, files: dict[str, str]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]
