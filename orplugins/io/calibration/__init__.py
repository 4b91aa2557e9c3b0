"""Calibration files: cameras of one world, a parallel pair, or one camera, as many programs write them.

Our own form, JSON or YAML::

    {"cameras": [{"name": "left", "image_size": [w, h], "K": 3x3, "dist": [k1, k2, p1, p2, k3], "R": 3x3, "t": [3]},
                 ...], "up": [0, 0, 1], "unit": "m", "pose": "world_to_camera"}
    {"parallel": {"baseline_m": 0.28, "focal_px": 525, "cx": 319.5, "cy": 239.5, "image_size": [640, 480]}}
    {"fx": 535, "fy": 535, "cx": 319.5, "cy": 239.5, "size": [640, 480], "depth_unit_mm": 1}

R and t take world to camera, metres, pixels, unless ``pose`` is "camera_to_world" or ``unit`` is "mm" or "cm"; R may be
a rotation vector; ``dist`` has 0, 4, 5, 8, 12 or 14 numbers of OpenCV's model, or with ``"fisheye": true`` the 4 of its
fisheye model. ``up`` (optional) is the world's vertical. A file may also be the list of cameras alone.

Read besides: OpenCV's FileStorage (YAML, XML, JSON; one camera, or stereo), OpenPose's folder of XML, Anipose's and
Pose2Sim's TOML, Qualisys' ``qca.txt``, Kalibr's camera chain, RealSense's intrinsics, ROS's camera info. Nothing is
skipped: an unknown key is an error, and so is what is known and cannot be applied.
"""

from orplugins.io.calibration.read import (
    is_parallel,
    load_camera,
    read_cameras,
    read_parallel,
    read_rig,
    read_unchecked,
)

__all__ = ["is_parallel", "load_camera", "read_cameras", "read_parallel", "read_rig", "read_unchecked"]
