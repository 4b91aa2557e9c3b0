"""Generated frames in the HDF5 files of ITOP (Haque et al. 2016, arXiv 1603.07076): depth, clouds and labels.

ITOP's camera is a pinhole with 320x240 pixels, centre (160, 120) and focal length 1 / 0.0035 pixels; lengths are metres
in float16, and y points up. A frame has one person, the one that fills most of the image; or a row for each, to train
where people hide one another.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.io.h5_files import new_h5
from orplugins.skeletons import COCO_17, ITOP_15, Skeleton, convert
from orplugins.synthetic.render.frames import Frame, check_options, render_scene
from orplugins.synthetic.scene.scene import RIG, Scene, make_scene, stream

SIZE, CENTRE, SCALE = (320, 240), (160.0, 120.0), 0.0035
VIEWS = ("side", "top")
_SUBJECTS, _TEST_FROM = 20, 16  # subjects 16 to 19 are the test files', as many as in ITOP
_BLOCK = 32


def write_itop(
    out: str | os.PathLike,
    frames: int,
    seed: int,
    *,
    views: tuple[str, ...] = VIEWS,
    people: tuple[int, int] = (1, 3),
    everyone: bool = False,
    noise: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, int]:
    """Write `OUT/ITOP/ITOP_<view>_<train|test>_<depth_map|point_cloud|labels>.h5`, all of them or none.

    Every 20th frame is of one subject; four of the subjects make the test files. `segmentation` tells the person (0)
    from the background (-1).

    Args:
        out: Folder, made if it is missing.
        frames: Number of frames.
        seed: Of the set; a frame depends on the seed and its number alone.
        views: Some of `VIEWS`.
        people: (min, max) number of people in the room.
        everyone: A row for each person, the patient too, whose joints are all in the image and of whom three or more
            are seen, with the joints that `orplugins.skeletons.convert` makes of COCO's (a hand is a wrist, the torso
            the middle of the hips), because those are what 2D estimators find. Rows of one frame repeat its depth (150
            KB each); there are no point clouds: loaders make them of the depth.
        noise: Add the sensor's errors.
        progress: Called with (frames done, frames in all).

    Returns:
        Numbers of frames, views, rows, and rows that are valid.

    Raises:
        ValueError: An argument is out of its range, or h5py is missing.
    """
    try:
        import h5py  # noqa: F401 - said before the work starts
    except ImportError as error:
        raise ValueError("write_itop: needs the package h5py (pip install h5py)") from error
    if frames < 1 or seed < 0:
        raise ValueError(f"write_itop: found frames={frames}, seed={seed}, expected frames >= 1, seed >= 0")
    if not views or not set(views) <= set(VIEWS):
        raise ValueError(f"write_itop: views: found {views!r}, expected some of {VIEWS}")
    check_options(SIZE, 1, people)
    folder = Path(out) / "ITOP"
    subjects = {"train": range(_TEST_FROM), "test": range(_TEST_FROM, _SUBJECTS)}
    numbers = {
        split: [i for subject in part for i in range(subject, frames, _SUBJECTS)] for split, part in subjects.items()
    }
    kinds = ("depth_map", "labels") if everyone else ("depth_map", "point_cloud", "labels")
    done, rows, valid = 0, 0, 0
    with ExitStack() as stack:
        for split, part in numbers.items():
            tables = {}
            for view in views:
                for kind in kinds:
                    path = folder / f"ITOP_{view}_{split}_{kind}.h5"
                    tables[view, kind] = _Table(stack.enter_context(new_h5(path)), kind)
            for i in part:
                for view in views:
                    scene, frame = render_itop(seed, i, view, people=people, noise=noise)
                    depth = (frame.depth_mm / 1000).astype(np.float16)
                    labels = label_everybody(frame) if everyone else [_largest(frame, scene)]
                    for label in labels:
                        name = f"{i % _SUBJECTS:02d}_{i:05d}".encode()
                        tables[view, "depth_map"].append(id=name, data=depth)
                        tables[view, "labels"].append(id=name, **label)
                        if not everyone:
                            tables[view, "point_cloud"].append(id=name, data=point_cloud(depth))
                        rows, valid = rows + 1, valid + int(label["is_valid"])
                done += 1
                if progress is not None:
                    progress(done, frames)
            for table in tables.values():
                table.flush()
    return {"frames": frames, "views": len(views), "rows": rows, "valid": valid}


def render_itop(
    seed: int, index: int, view: str = "side", *, people: tuple[int, int] = (1, 3), noise: bool = True
) -> tuple[Scene, Frame]:
    """A scene and its image by ITOP's camera (320x240), as the files have them.

    Args:
        seed: Of the set.
        index: Number of the frame.
        view: "side" or "top".
        people: (min, max) number of people in the room.
        noise: Add the sensor's errors.

    Returns:
        The scene and the frame.
    """
    scene = make_scene(seed, index, people=people, views=1, fixed_cameras=False)
    scene.cameras = [_camera(scene.cameras[0], view, stream(RIG, seed, index, 1))]
    return scene, render_scene(scene, SIZE, (seed, index), noise=noise)[0]


def label_everybody(frame: Frame) -> list[dict[str, np.ndarray]]:
    """Labels of the people whose joints are all in the image, three or more of them seen.

    Args:
        frame: By ITOP's camera.

    Returns:
        For each person what a row of the labels file has; joints are COCO's, converted.
    """
    labels = [_label(frame, k, COCO_17) for k in range(len(frame.view.person_ids))]
    return [
        label
        for label in labels
        if label["is_valid"] and ((label["image_coordinates"] >= 0) & (label["image_coordinates"] < SIZE)).all()
    ]


def point_cloud(depth: np.ndarray) -> np.ndarray:
    """Points of a depth map; holes are at the origin.

    Args:
        depth: (240, 320) metres.

    Returns:
        (76800, 3) float16 metres, y up.
    """
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


class _Table:
    """The data sets of one file; rows are written in blocks."""

    def __init__(self, file, kind: str):
        shapes: dict[str, tuple[tuple[int, ...], str]] = {"id": ((), "S8")}
        if kind == "labels":
            joints = ITOP_15.num_joints
            shapes |= {
                "is_valid": ((), "u1"),
                "visible_joints": ((joints,), "i2"),
                "image_coordinates": ((joints, 2), "i2"),
                "real_world_coordinates": ((joints, 3), "f2"),
                "segmentation": (SIZE[::-1], "i1"),
            }
        else:
            shapes["data"] = (SIZE[::-1] if kind == "depth_map" else (SIZE[0] * SIZE[1], 3), "f2")
        self.file, self.sets = file, {}
        for name, (shape, dtype) in shapes.items():
            # An image is read by itself; small entries are kept in blocks.
            chunks = (1 if len(shape) > 1 and shape[0] > 100 else _BLOCK, *shape)
            self.sets[name] = file.create_dataset(name, (0, *shape), dtype, maxshape=(None, *shape), chunks=chunks)
        self.waiting: list[dict] = []

    def append(self, **row) -> None:
        self.waiting.append(row)
        if len(self.waiting) == _BLOCK:
            self.flush()

    def flush(self) -> None:
        for name, data in self.sets.items():
            values = [row[name] for row in self.waiting]
            if values:
                data.resize(len(data) + len(values), axis=0)
                data[-len(values) :] = np.array(values)
        self.waiting = []
        self.file.require_written()  # a full disk is told now, not after hours


def _largest(frame: Frame, scene: Scene) -> dict[str, np.ndarray]:
    """The label of the clinician who fills most of the image; zeros where there is none."""
    roles = {person.id: person.role for person in scene.people}
    staff = [k for k, i in enumerate(frame.view.person_ids.tolist()) if roles[i] == "clinician"]
    if staff:
        return _label(frame, max(staff, key=lambda k: frame.view.areas[k]))
    joints = ITOP_15.num_joints
    return {
        "is_valid": np.zeros((), np.uint8),
        "visible_joints": np.zeros(joints, np.int16),
        "image_coordinates": np.zeros((joints, 2), np.int16),
        "real_world_coordinates": np.zeros((joints, 3), np.float16),
        "segmentation": np.full(SIZE[::-1], -1, np.int8),
    }


def _label(frame: Frame, k: int, source: Skeleton = ITOP_15) -> dict[str, np.ndarray]:
    view = frame.view
    # One more than the flag: a joint outside the image has a place too.
    flags = view.keypoints[source.name][k, :, 2:] + 1
    joints = convert(np.concatenate([view.points[source.name][k], flags], axis=-1), source, ITOP_15)
    pixels, _ = frame.camera.project(joints[:, :3])
    local = frame.camera.world_to_camera(joints[:, :3])
    visible = (joints[:, 3] == 3).astype(np.int16)
    return {
        "is_valid": np.array(visible.sum() >= 3, np.uint8),
        "visible_joints": visible,
        "image_coordinates": np.clip(np.rint(pixels), -32000, 32000).astype(np.int16),
        "real_world_coordinates": (local * (1, -1, 1)).astype(np.float16),
        "segmentation": np.where(frame.instances == view.person_ids[k], 0, -1).astype(np.int8),
    }
