"""OpenPose's JSON output: one file per frame, ``<video>_<12 digits>_keypoints.json``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.geometry.triangulation import present
from orplugins.io.atomic import write_json
from orplugins.io.json_fields import entries, field, load_json
from orplugins.skeletons import BODY_25, MPI_15, OPENPOSE_18, Skeleton

_NAME = re.compile(r"(?P<video>.+?)_(?P<frame>\d{1,12})_keypoints\.json$")
_LAYOUTS = {75: BODY_25, 54: OPENPOSE_18, 45: MPI_15}
# OpenPose's --keypoint_scale: pixels, [0, 1] of the image, [-1, 1] of the image.
_SCALES = (0, 3, 4)


@dataclass(frozen=True)
class OpenPoseFrames:
    """People of every frame of one camera.

    Attributes:
        frames: One (N, J, 3) array per frame number from the first file's to the last's: x, y in pixels, confidence;
            zeros for a joint that was not found.
        numbers: (F,) frame numbers.
        counts: (F,) people in the file, -1 where there is no file.
        skeleton: The joint set.
        video: The name that the files share.
        warnings: Gaps and suspicious units.
        failed: Files that could not be read ("skip" mode); their frames count as gaps.
    """

    frames: list[np.ndarray]
    numbers: np.ndarray
    counts: np.ndarray
    skeleton: Skeleton
    video: str
    warnings: list[str]
    failed: list[str]


def read_openpose_file(path: str | os.PathLike) -> tuple[np.ndarray, Skeleton | None]:
    """Read the people of one file.

    Args:
        path: JSON file.

    Returns:
        People (N, J, 3), x, y in the file's unit and confidence, and their joint set (None if nobody is in it).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Not OpenPose's form, or a number of values that no layout has; names the file.
    """
    name = str(path)
    people, skeleton = [], None
    for i, person in enumerate(entries(field(load_json(path), "people", name), f"{name}: people")):
        here = f"{name}: people[{i}]"
        key = "pose_keypoints_2d" if "pose_keypoints_2d" in person else "pose_keypoints"
        values = field(person, key, here)
        if not isinstance(values, list) or len(values) not in _LAYOUTS:
            found = f"{len(values)} values" if isinstance(values, list) else type(values).__name__
            raise ValueError(f"{here}: '{key}' has {found}, expected 75 (BODY_25), 54 (COCO-18) or 45 (MPI-15)")
        if skeleton not in (None, _LAYOUTS[len(values)]):
            raise ValueError(f"{here}: '{key}' has {len(values)} values, other people {3 * skeleton.num_joints}")
        skeleton = _LAYOUTS[len(values)]
        try:
            joints = np.array([np.nan if value is None else float(value) for value in values]).reshape(-1, 3)
        except (TypeError, ValueError):
            raise ValueError(f"{here}: '{key}' holds something that is not a number") from None
        people.append(np.where(present(joints)[:, None], joints, 0.0))
    if not people:
        return np.zeros((0, 0, 3)), None
    return np.stack(people), skeleton


def read_openpose_folder(
    folder: str | os.PathLike,
    size: tuple[int, int] | None = None,
    keypoint_scale: int = 0,
    broken: str = "error",
) -> OpenPoseFrames:
    """Read a folder of OpenPose files, sorted by frame number; a missing number is a frame without people.

    Args:
        folder: Files of one video.
        size: (width, height) of the images, needed for ``keypoint_scale`` 3 and 4.
        keypoint_scale: OpenPose's option of that name: 0 pixels, 3 [0, 1], 4 [-1, 1].
        broken: "error" raises on a file that cannot be read; "skip" reports it and treats the frame as a gap.

    Returns:
        The frames, in pixels.

    Raises:
        FileNotFoundError: No such folder.
        ValueError: No such file in it, two videos, two joint sets, or a broken file.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder, expected OpenPose's JSON files")
    if keypoint_scale not in _SCALES:
        raise ValueError(f"keypoint_scale is {keypoint_scale}, expected 0 (pixels), 3 ([0, 1]) or 4 ([-1, 1])")
    if keypoint_scale and size is None:
        raise ValueError(f"keypoint_scale {keypoint_scale} needs the image size")
    found = sorted((int(m["frame"]), m["video"], path) for path in folder.iterdir() if (m := _NAME.match(path.name)))
    if not found:
        raise ValueError(
            f"{folder}: no file <video>_<frame>_keypoints.json in it, expected OpenPose's --write_json output"
        )
    videos = sorted({video for _, video, _ in found})
    if len(videos) > 1:
        raise ValueError(
            f"{folder}: files of {len(videos)} videos ({', '.join(videos)}), expected one video per folder"
        )
    people: dict[int, np.ndarray] = {}
    skeleton, failed = None, []
    for number, _, path in found:
        if number in people:
            raise ValueError(f"{path}: frame {number} occurs twice")
        try:
            poses, layout = read_openpose_file(path)
        except ValueError as error:
            if broken != "skip":
                raise
            failed.append(str(error))
            continue
        if layout is not None:
            if skeleton not in (None, layout):
                raise ValueError(f"{path}: joints of {layout.name}, expected {skeleton.name} as in the files before it")
            skeleton = layout
        people[number] = poses
    skeleton = skeleton or BODY_25
    numbers = np.arange(found[0][0], found[-1][0] + 1)
    empty = np.zeros((0, skeleton.num_joints, 3))
    frames = [people[n] if n in people and len(people[n]) else empty for n in numbers.tolist()]
    counts = np.array([len(people[n]) if n in people else -1 for n in numbers.tolist()])
    warnings = []
    gaps = int((counts < 0).sum()) - len(failed)
    if gaps > 0:
        warnings.append(
            f"{folder}: {gaps} of {len(numbers)} frame numbers have no file; they count as frames without people"
        )
    values = np.concatenate([frame[present(frame)] for frame in frames])
    if keypoint_scale == 0 and len(values) and np.abs(values[:, :2]).max() <= 1:
        warnings.append(f"{folder}: all coordinates lie in [-1, 1]: not pixels? see keypoint_scale")
    if keypoint_scale and size is not None:
        frames = [_to_pixels(frame, size, keypoint_scale) for frame in frames]
    return OpenPoseFrames(frames, numbers, counts, skeleton, videos[0], warnings, failed)


def _to_pixels(people: np.ndarray, size: tuple[int, int], scale: int) -> np.ndarray:
    share = people[..., :2] if scale == 3 else (people[..., :2] + 1) / 2
    pixels = share * (np.array(size) - 1)
    return np.where(present(people)[..., None], np.concatenate([pixels, people[..., 2:]], -1), 0.0)


def write_openpose_frame(folder: str | os.PathLike, video: str, frame: int, people: np.ndarray) -> Path:
    """Write the people of one frame as OpenPose does.

    Args:
        folder: Where the file is written.
        video: First part of the file's name.
        frame: Frame number.
        people: (N, 25, 3) BODY_25 joints: x, y in pixels, confidence.

    Returns:
        The file.
    """
    path = Path(folder) / f"{video}_{frame:012d}_keypoints.json"
    rest: dict[str, list] = {
        f"{part}_keypoints_{dim}d": [] for dim in (2, 3) for part in ("pose", "face", "hand_left", "hand_right")
    }
    records = [
        {
            "person_id": [-1],
            **rest,
            "pose_keypoints_2d": np.where(present(person)[:, None], person, 0.0).ravel().tolist(),
        }
        for person in np.asarray(people, dtype=np.float64)
    ]
    write_json(path, {"version": 1.3, "people": records})
    return path
