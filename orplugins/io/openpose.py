"""OpenPose's JSON output, a file a frame; faces and hands are not read.

``--write_json`` names files ``<video>_<12 digits>_keypoints.json``, with ``--image_dir`` ``<image>_keypoints.json``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.geometry.triangulation import present
from orplugins.io.atomic import write_json
from orplugins.io.frame_clock import FrameClock, frame_clock, is_recording
from orplugins.io.json_fields import entries, field, load_json
from orplugins.io.pixel_scale import WORDS, detect_scale, known_joints, to_pixels
from orplugins.skeletons import BODY_25, BODY_25B, COCO_17, MPI_15, OPENPOSE_18, Skeleton

END = "_keypoints.json"
_NAME = re.compile(r"(?P<video>.*?)[_.\-]?(?P<frame>\d{1,19})$")
_LAYOUTS = {75: BODY_25, 54: OPENPOSE_18, 51: COCO_17, 45: MPI_15}
_EXPECTED = "75 (BODY_25, BODY_25B), 54 (COCO-18), 51 (COCO-17) or 45 (MPI-15)"
_KEYS = ("pose_keypoints_2d", "pose_keypoints")  # the second one until OpenPose 1.2
_SCALES = (0, 3, 4)


@dataclass(frozen=True)
class OpenPoseFrames:
    """People of every frame of one camera.

    Attributes:
        frames: One (N, J, 3) array per frame number from the first file's to the last's: x, y in pixels, confidence;
            zeros for a joint that was not found.
        numbers: (F,) frame numbers; of time stamps, the number of the frame since the clock's zero.
        counts: (F,) people in the file, -1 where there is no file.
        skeleton: The joint set.
        video: The name that the files share.
        warnings: Gaps, and how units and numbers were understood.
        failed: Files that could not be read ("skip" mode); their frames count as gaps.
        clock: What the file names say of time.
    """

    frames: list[np.ndarray]
    numbers: np.ndarray
    counts: np.ndarray
    skeleton: Skeleton
    video: str
    warnings: list[str]
    failed: list[str]
    clock: FrameClock


@dataclass(frozen=True)
class NamedPeople:
    """People of one file.

    Attributes:
        name: The file's name without ``_keypoints.json``.
        video, number: What the name is made of; the number is None where there is none.
        people: (N, J, 3) x, y in the file's unit and confidence; zeros for a joint that was not found.
    """

    name: str
    video: str
    number: int | None
    people: np.ndarray


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
    people: list[np.ndarray] = []
    for i, person in enumerate(entries(field(load_json(path), "people", name), f"{name}: people")):
        here = f"{name}: people[{i}]"
        key = next((key for key in _KEYS if key in person), _KEYS[0])
        values = field(person, key, here)
        if values == []:  # a face or a hand without a body
            continue
        if not isinstance(values, list) or len(values) not in _LAYOUTS:
            found = f"{len(values)} values" if isinstance(values, list) else type(values).__name__
            raise ValueError(f"{here}: '{key}' has {found}, expected {_EXPECTED}")
        if people and people[0].size != len(values):
            raise ValueError(f"{here}: '{key}' has {len(values)} values, other people {people[0].size}")
        try:
            joints = np.array([np.nan if value is None else float(value) for value in values]).reshape(-1, 3)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"{here}: '{key}' holds something that is not a number") from None
        people.append(np.where(present(joints)[:, None], joints, 0.0))
    if not people:
        return np.zeros((0, 0, 3)), None
    return np.stack(people), _LAYOUTS[people[0].size]


def body_25_or_25b(people: np.ndarray) -> Skeleton:
    """Tell OpenPose's two sets of 25 joints apart, which a file does not name.

    Joint 1 is the neck of BODY_25, midway between its shoulders 2 and 5; BODY_25B's 17 is midway between its 5 and 6.

    Args:
        people: (N, 25, 3) of a whole recording.

    Returns:
        The joint set whose neck lies nearer to the middle of its shoulders.
    """
    errors = []
    for neck, shoulders in ((1, (2, 5)), (17, (5, 6))):
        there = present(people)[:, [neck, *shoulders]].all(1)
        middle = people[there][:, list(shoulders), :2].mean(1)
        width = np.linalg.norm(people[there][:, shoulders[0], :2] - people[there][:, shoulders[1], :2], axis=-1)
        off = np.linalg.norm(people[there][:, neck, :2] - middle, axis=-1) / np.maximum(width, 1e-6)
        errors.append(float(np.median(off)) if len(off) else np.inf)
    return BODY_25B if errors[1] < errors[0] else BODY_25


def openpose_files(folder: str | os.PathLike) -> list[Path]:
    """Return OpenPose's files in a folder, sorted by name.

    They are those that end in ``_keypoints.json``; without any, JSON files with ``people``: some programs rename them.

    Raises:
        FileNotFoundError: No such folder.
        ValueError: No such file in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder, expected OpenPose's JSON files")
    paths = sorted(path for path in folder.iterdir() if path.name.endswith(END) and path.name[0] not in "._")
    if not paths and _has_people(others := sorted(folder.glob("[!.]*.json"))):
        paths = others
    if not paths:
        raise ValueError(f"{folder}: no file <name>{END} in it, expected OpenPose's --write_json output")
    return paths


def _has_people(paths: list[Path]) -> bool:
    """Whether the first of files is one of OpenPose's."""
    try:
        content = load_json(paths[0]) if paths else None
    except (ValueError, OSError):
        return False
    return isinstance(content, dict) and "people" in content


def is_openpose_folder(folder: str | os.PathLike) -> bool:
    """Whether a folder holds OpenPose's files, see `openpose_files`."""
    try:
        return bool(openpose_files(folder))
    except (ValueError, OSError):
        return False


def _stem(path: Path) -> str:
    return path.name.removesuffix(END if path.name.endswith(END) else path.suffix)


def read_openpose_files(
    folder: str | os.PathLike,
    size: tuple[int, int] | None = None,
    keypoint_scale: int | None = None,
    broken: str = "error",
) -> tuple[list[NamedPeople], Skeleton, list[str], list[str]]:
    """Read a folder of OpenPose files, as they are named.

    Args:
        folder: The files.
        size: (width, height) of the images, needed where coordinates are parts of the image.
        keypoint_scale: OpenPose's option of that name: 0 pixels, 3 [0, 1], 4 [-1, 1]; None: detected.
        broken: "error" raises on a file that cannot be read; "skip" reports it and leaves it out.

    Returns:
        People of each file in pixels, the joint set, warnings, and files that could not be read.

    Raises:
        FileNotFoundError: No such folder.
        ValueError: No such file in it, two joint sets, an unknown unit, or a broken file.
    """
    if keypoint_scale not in (None, *_SCALES):
        raise ValueError(f"keypoint_scale is {keypoint_scale}, expected 0 (pixels), 3 ([0, 1]) or 4 ([-1, 1])")
    if keypoint_scale and size is None:
        raise ValueError(f"{folder}: keypoint_scale {keypoint_scale} needs the image size")
    found: list[tuple[str, np.ndarray]] = []
    skeleton, failed, warnings = None, [], []
    for path in openpose_files(folder):
        try:
            poses, layout = read_openpose_file(path)
        except (ValueError, OSError) as error:
            if broken != "skip":
                raise
            failed.append(str(error))
            continue
        if layout is not None:
            if skeleton not in (None, layout):
                raise ValueError(f"{path}: joints of {layout.name}, expected {skeleton.name} as in the files before it")
            skeleton = layout
        found.append((_stem(path), poses))
    joints = known_joints([poses for _, poses in found])
    scale = detect_scale(joints) if keypoint_scale is None else keypoint_scale
    if scale and keypoint_scale is None:
        if size is None:
            raise ValueError(
                f"{folder}: all coordinates are {WORDS[scale]} (OpenPose's keypoint_scale {scale}), not pixels: the "
                "image size is needed"
            )
        warnings.append(f"{folder}: coordinates are {WORDS[scale]} (keypoint_scale {scale}), of {size[0]}x{size[1]}")
    if skeleton is BODY_25:
        skeleton = body_25_or_25b(np.concatenate([poses for _, poses in found if len(poses)]))
        if skeleton is BODY_25B:
            warnings.append(f"{folder}: the 25 joints are those of BODY_25B")
    skeleton = skeleton or BODY_25
    named = []
    for name, poses in found:
        people = poses.reshape(-1, skeleton.num_joints, 3)
        people = to_pixels(people, size, scale) if size is not None else people
        match = _NAME.match(name)
        named.append(
            NamedPeople(name, match["video"] if match else name, int(match["frame"]) if match else None, people)
        )
    return named, skeleton, warnings, failed


def read_openpose_folder(
    folder: str | os.PathLike,
    size: tuple[int, int] | None = None,
    keypoint_scale: int | None = None,
    broken: str = "error",
    fps: float | None = None,
) -> OpenPoseFrames:
    """Read a folder of OpenPose files of one video, by frame number; a missing number is a frame without people.

    Args:
        folder: Files of one video.
        size: See `read_openpose_files`.
        keypoint_scale: See `read_openpose_files`.
        broken: See `read_openpose_files`; a file that is left out is a gap.
        fps: The frame rate where it is known, see `orplugins.io.frame_clock.frame_clock`.

    Returns:
        The frames, in pixels.

    Raises:
        FileNotFoundError: No such folder.
        ValueError: As in `read_openpose_files`; two videos, or names without frame numbers.
    """
    video = _only_video(folder, [_stem(path) for path in openpose_files(folder)])
    named, skeleton, warnings, failed = read_openpose_files(folder, size, keypoint_scale, broken)
    if not named:
        raise ValueError(f"{folder}: no file of {len(failed)} could be read; the first: {failed[0]}")
    by_number: dict[int, np.ndarray] = {}
    for each in named:
        number = each.number or 0
        if number in by_number:
            raise ValueError(f"{Path(folder) / each.name}: frame {number} occurs twice")
        by_number[number] = each.people
    order = sorted(by_number)
    clock = frame_clock(order, str(folder), fps)
    warnings += [clock.note] if clock.note else []
    first, last = int(clock.index[0]), int(clock.index[-1])
    if not is_recording(len(order), last - first + 1):
        raise ValueError(
            f"{folder}: {len(order)} files for the frames {first} to {last}, expected a recording's frames"
        )
    numbers = np.arange(first, last + 1)
    people = {int(place): by_number[number] for place, number in zip(clock.index, order, strict=True)}
    empty = np.zeros((0, skeleton.num_joints, 3))
    frames = [people.get(n, empty) for n in numbers.tolist()]
    counts = np.array([len(people[n]) if n in people else -1 for n in numbers.tolist()])
    gaps = int((counts < 0).sum()) - len(failed)
    if gaps > 0:
        warnings.append(
            f"{folder}: {gaps} of {len(numbers)} frame numbers have no file; they count as frames without people"
        )
    return OpenPoseFrames(frames, numbers, counts, skeleton, video, warnings, failed, clock)


def _only_video(folder: str | os.PathLike, names: list[str]) -> str:
    matches = {name: _NAME.match(name) for name in names}
    nameless = next((name for name, match in matches.items() if not match), None)
    if nameless is not None and len(names) > 1:
        raise ValueError(f"{folder}: the name {nameless!r} has no frame number at its end")
    videos = sorted({match["video"] if match else name for name, match in matches.items()})
    if len(videos) > 1:
        shown = ", ".join(videos[:5]) + (", ..." if len(videos) > 5 else "")
        raise ValueError(f"{folder}: files of {len(videos)} videos ({shown}), expected one video per folder")
    return videos[0]


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
