"""Write generated frames as a data set in MVOR's layout, and the same as COCO person keypoints.

```
OUT/day1/cam{1..3}/depth/000000.png   16-bit millimetres
OUT/annotations/mvor.json             MVOR's schema (CAMMA-10, boxes, 3D poses, cameras)
OUT/annotations/coco17.json           COCO person keypoints
OUT/parameters.json                   what the set was made with
```
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from orplugins.core.cameras import Camera, cameras_to_mvor
from orplugins.core.skeletons import CAMMA_10, COCO_17
from orplugins.io.atomic import write_json
from orplugins.io.depth import load_depth, save_depth
from orplugins.synthetic.solids import FULL_SIZE, Frame, render_views

# Frames a worker renders before it notes their annotations: what an interrupted run loses at most.
_CHUNK = 20

# Fewer CAMMA joints than this in the picture: the person is given a box only, as MVOR does.
_LEAST_JOINTS = 3


def write_dataset(
    out: str | os.PathLike,
    frames: int,
    seed: int,
    start: int = 0,
    size: tuple[int, int] = FULL_SIZE,
    views: int = 1,
    people: tuple[int, int] = (1, 6),
    noise: bool = True,
    workers: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, int]:
    """Render frames start .. start + frames - 1 of a seed; an interrupted run goes on where it stopped.

    With one view the camera hangs elsewhere in each frame (training wants variety): each image record then has its own
    `camera_to_room` (16 numbers, millimetres) and `firstCamToRoomRef` is null; 3D poses are in camera 1 as in MVOR.
    With three views the cameras are fixed for the seed, as in MVOR.

    Parameters
    ----------
    out : folder, made if it is missing.
    frames, seed, start : which frames; a frame depends on the seed and its number alone.
    size : (width, height) of the pictures.
    views : 1 or 3.
    people : least and greatest number of people in the room.
    noise : add a depth sensor's errors.
    workers : processes; 0 renders in this one.
    progress : called with (frames done, frames in all).

    Returns
    -------
    Counts: images, people (annotations), poses3d, rendered (frames rendered by this call).

    Raises
    ------
    ValueError
        For an argument out of its range, or where `out` holds a set made with other parameters.
    """
    if frames < 1 or start < 0 or start + frames > 10**7:
        raise ValueError(f"write_dataset: found frames={frames}, start={start}, expected frames >= 1 within 0 .. 10^7")
    if views not in (1, 3):
        raise ValueError(f"write_dataset: views: found {views!r}, expected 1 or 3")
    if workers < 0:
        raise ValueError(f"write_dataset: workers: found {workers!r}, expected 0 or more")
    out = Path(out)
    parameters = {
        "frames": int(frames),
        "seed": int(seed),
        "start": int(start),
        "size": [int(n) for n in size],
        "views": int(views),
        "people": [int(n) for n in people],
        "noise": bool(noise),
    }
    _claim(out, parameters)
    firsts = range(start, start + frames, _CHUNK)
    counts = [min(_CHUNK, start + frames - first) for first in firsts]
    work = partial(_chunk, out, parameters)
    done, rendered, parts = 0, 0, []
    pool = ProcessPoolExecutor(workers) if workers else None
    try:
        for count, (new, part) in zip(counts, (pool.map if pool else map)(work, firsts, counts), strict=True):
            parts.append(part)
            done, rendered = done + count, rendered + new
            if progress is not None:
                progress(done, frames)
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)
    records = [record for part in parts for record in part]
    mvor, coco = _merge(records, parameters)
    write_json(out / "annotations/mvor.json", mvor)
    write_json(out / "annotations/coco17.json", coco)
    return {
        "images": len(mvor["images"]),
        "people": len(mvor["annotations"]),
        "poses3d": len(mvor["annotations3D"]),
        "rendered": rendered,
    }


def file_name(camera: int, number: int) -> str:
    """Path of a depth picture below the data set's folder; cameras count from 1."""
    return f"day1/cam{camera}/depth/{number:06d}.png"


def image_id(camera: int, number: int, day: int = 1) -> int:
    """MVOR's rule: day 10^10 + camera 10^7 + number in the file name."""
    return day * 10**10 + camera * 10**7 + number


def _claim(out: Path, parameters: dict) -> None:
    """Note the parameters in the folder, or compare them with those noted there."""
    path = out / "parameters.json"
    if path.exists():
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}: found no JSON ({error}), expected {parameters}") from error
        if found != parameters:
            raise ValueError(f"{path}: found {found}, expected {parameters}: choose another folder, or remove this one")
    else:
        write_json(path, parameters)


def _chunk(out: Path, parameters: dict, first: int, count: int) -> tuple[int, list[dict]]:
    """Render a run of frames unless they are there; (frames rendered, their annotations)."""
    # The notes hold what the pictures do not: they make a second run cheap, and it needs no rendering to annotate.
    notes = out / "annotations/frames" / f"{first:06d}.json"
    names = [file_name(v + 1, first + i) for i in range(count) for v in range(parameters["views"])]
    if notes.exists() and all(_complete(out / name, parameters["size"]) for name in names):
        return 0, json.loads(notes.read_text(encoding="utf-8"))
    records = []
    for number in range(first, first + count):
        views = render_views(
            parameters["seed"],
            number,
            tuple(parameters["size"]),
            views=parameters["views"],
            people=tuple(parameters["people"]),
            noise=parameters["noise"],
            fixed_cameras=parameters["views"] > 1,
        )
        for v, frame in enumerate(views):
            path = out / file_name(v + 1, number)
            if not _complete(path, parameters["size"]):
                save_depth(path, frame.depth_mm)
        records.append(_record(number, views))
    write_json(notes, records)
    return count, records


def _complete(path: Path, size: list[int]) -> bool:
    """Whether the picture is there, whole and of this size. Pictures are written atomically: the header tells."""
    if not path.is_file():
        return False
    try:
        load_depth(path, bits=16, size=tuple(size))
    except ValueError:  # damaged by something else: it is rendered again
        return False
    return True


def _record(number: int, views: list[Frame]) -> dict:
    """What the annotation files need of a frame, as plain numbers."""
    first = views[0].camera
    people: dict[int, np.ndarray] = {}
    records = []
    for frame in views:
        to_first = np.linalg.inv(first.pose) @ frame.camera.pose
        for k, person in enumerate(frame.person_ids.tolist()):
            # A person that any view shows has a 3D pose, in camera 1.
            local = np.concatenate([_camma3d(frame.keypoints3d[k]), frame.hands3d[k]])
            people.setdefault(person, local @ to_first[:3, :3].T + to_first[:3, 3])
        records.append(
            {
                "pose": frame.camera.pose.ravel().tolist(),
                "intrinsics": [frame.camera.fx, frame.camera.fy, frame.camera.cx, frame.camera.cy],
                "person_ids": frame.person_ids.tolist(),
                "keypoints": np.round(frame.keypoints, 3).tolist(),
                "camma": np.round(frame.camma, 3).tolist(),
                "bboxes": np.round(frame.bboxes, 3).tolist(),
            }
        )
    poses = {str(person): np.round(pose * 1000, 3).tolist() for person, pose in sorted(people.items())}
    return {"number": number, "views": records, "poses3d": poses}


def _camma3d(joints: np.ndarray) -> np.ndarray:
    """(10, 3) CAMMA joints of (17, 3) COCO joints, all of them known."""
    head, neck = joints[[1, 2]].mean(axis=0), joints[[5, 6]].mean(axis=0)
    return np.concatenate([[head, neck], joints[[5, 6, 11, 12, 7, 8, 9, 10]]])


def _merge(records: list[dict], parameters: dict) -> tuple[dict, dict]:
    """The MVOR and the COCO annotation file."""
    width, height = parameters["size"]
    images, multiview, annotations, poses, persons = [], [], [], [], []
    for record in records:
        number, group, flags = record["number"], [], {}
        for v, view in enumerate(record["views"]):
            image = {
                "id": image_id(v + 1, number),
                "file_name": file_name(v + 1, number),
                "width": width,
                "height": height,
                "day_id": 1,
                "cam_id": v + 1,
                "date_captured": "",
                "license": 1,
                "rights_holder": "",
            }
            if len(record["views"]) == 1:
                pose = np.array(view["pose"]).reshape(4, 4)
                pose[:3, 3] *= 1000
                image["camera_to_room"] = np.round(pose, 9).ravel().tolist()
            group.append(image)
            for person, coco, camma, box in zip(
                view["person_ids"], view["keypoints"], view["camma"], view["bboxes"], strict=True
            ):
                only_box = sum(joint[2] > 0 for joint in camma) < _LEAST_JOINTS
                if not only_box:
                    seen = np.array([joint[2] for joint in camma])
                    flags[person] = np.maximum(flags.get(person, 1), np.where(seen == 2, 2, 1))
                annotations.append(
                    {
                        "id": len(annotations),
                        "image_id": image["id"],
                        "category_id": "1",
                        "bbox": box,
                        "keypoints": [0.0] * 30 if only_box else _flat(camma),
                        "only_bbox": int(only_box),
                        "person_id": -1 if only_box else person,
                        "person_role": "clinician",
                        "face_blurred": 0,
                    }
                )
                persons.append(
                    {
                        "id": len(persons) + 1,
                        "image_id": image["id"],
                        "category_id": 1,
                        "bbox": box,
                        "area": box[2] * box[3],
                        "iscrowd": 0,
                        "keypoints": _flat(coco),
                        "num_keypoints": sum(joint[2] > 0 for joint in coco),
                    }
                )
        images += group
        key = "_".join(str(image["id"]) for image in group)
        multiview.append({"id": key, "images": group})
        for person, flag in sorted(flags.items()):
            # The two hands have no flag of their own in a view: they take their wrists'.
            joint_flags = [*flag.tolist(), int(flag[8]), int(flag[9])]
            pose = record["poses3d"][str(person)]
            poses.append(
                {
                    "id": str(len(poses)),
                    "image_ids": key,
                    "person_id": person,
                    "ref_camera": 0,
                    "keypoints3D": [n for p, f in zip(pose, joint_flags, strict=True) for n in (*p, float(f))],
                }
            )
    info = {"description": "generated depth frames of people made of simple solids", "version": "1.0", **parameters}
    licenses = {"id": 1, "name": "none: generated data", "url": ""}
    mvor = {
        "info": info,
        "licenses": licenses,
        "dataset_info": {
            "camid_2_num": {str(v + 1): v + 1 for v in range(parameters["views"])},
            "imagetype_2_num": {"color": 0, "depth": 1},
            "datasetid_2_num": {"generated": 1},
        },
        "cameras_info": {"camParams": _cam_params(records[0]["views"], (width, height)), "date_identifier": ""},
        "categories": [
            {
                "id": "1",
                "name": "person",
                "supercategory": "person",
                "keypoints": list(CAMMA_10.joints),
                "skeleton": [[a + 1, b + 1] for a, b in CAMMA_10.limbs],
            }
        ],
        "images": images,
        "multiview_images": multiview,
        "annotations": annotations,
        "annotations3D": poses,
    }
    coco = {
        "info": info,
        "licenses": [licenses],
        "images": images,
        "annotations": persons,
        "categories": [
            {
                "id": 1,
                "name": "person",
                "supercategory": "person",
                "keypoints": list(COCO_17.joints),
                "skeleton": [[a + 1, b + 1] for a, b in COCO_17.limbs],
            }
        ],
    }
    return mvor, coco


def _cam_params(views: list[dict], size: tuple[int, int]) -> dict:
    cameras = []
    for view in views:
        fx, fy, cx, cy = view["intrinsics"]
        cameras.append(Camera(fx=fx, fy=fy, cx=cx, cy=cy, size=size, pose=np.array(view["pose"]).reshape(4, 4)))
    return cameras_to_mvor(cameras, first_to_room=cameras[0].pose if len(cameras) > 1 else None)


def _flat(joints: list[list[float]]) -> list[float]:
    """x, y, v, x, y, v, ... with whole v, as COCO has it."""
    return [number for x, y, v in joints for number in (x, y, int(v))]
