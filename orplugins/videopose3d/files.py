"""VideoPose3D's data files (detection archives, 2D sets, Human3.6M's 3D positions), and our own npz of one clip."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from orplugins.geometry.timeseries import fill_gaps
from orplugins.geometry.triangulation import present
from orplugins.io.atomic import atomic_write
from orplugins.io.json_fields import entries, load_json, numbers
from orplugins.io.pixel_scale import check_extent, detect_scale, known_joints, screen_to_pixels
from orplugins.io.safe_npz import read_npz
from orplugins.skeletons import COCO_17, H36M_17, H36M_17_OF_32, Skeleton
from orplugins.videopose3d.screen import to_screen, world_to_camera

PERSON = 1  # class index in Detectron's lists
MIN_JOINTS = 6  # a frame with fewer counts as without a detection
# Joints of Human3.6M's 32 that make H36M-17, in order.
# S11's "Directions" is corrupt in the public release.
H36M_BROKEN = {("S11", "Directions")}


@dataclass(frozen=True)
class Keypoints2D:
    """One person's joints through one video.

    Attributes:
        keypoints: (F, 17, 2) float32 pixels, COCO-17, no gaps: undetected frames are interpolated.
        detected: (F,) frames in which the person was really there.
        size: (width, height).
        fps: Frames per second, None if unknown.
        video: Name of the video.
        boxes: (F, 4) x1, y1, x2, y2, interpolated too, or None.
        scores: (F, 17) or None.
        time: (F,) seconds from the first frame on where the recording has time stamps, else None.
        notes: How the file was understood where it leaves a choice.
    """

    keypoints: np.ndarray
    detected: np.ndarray
    size: tuple[int, int]
    fps: float | None
    video: str
    boxes: np.ndarray | None = None
    scores: np.ndarray | None = None
    time: np.ndarray | None = None
    notes: tuple[str, ...] = ()


def fill_joints(poses: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Interpolate every joint over the frames in which it is missing.

    Args:
        poses: (F, 17, 3) COCO-17, pixels and score; a score of 0 is a missing joint.
        name: Of the clip, for messages.

    Returns:
        Keypoints (F, 17, 2) float32 without gaps, and (F,) whether the person was detected: six joints or more.

    Raises:
        ValueError: A joint that is never seen.
    """
    seen = present(poses)
    keypoints = poses[..., :2].astype(np.float32)
    for joint in range(COCO_17.num_joints):
        if not seen[:, joint].any():
            raise ValueError(f"{name}: the {COCO_17.joints[joint]} is never seen; the lifter needs every joint")
        keypoints[:, joint] = fill_gaps(keypoints[:, joint], seen[:, joint])
    return keypoints, seen.sum(1) >= MIN_JOINTS


def read_detection_archive(path: str | os.PathLike) -> Keypoints2D:
    """Read ``<video>.npz`` as Detectron's in-the-wild script writes it: the person with the best box in each frame.

    Args:
        path: The file.

    Returns:
        The person.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, field, found and expected; or nobody in the whole video.
    """
    data = read_npz(path, ("boxes", "keypoints", "metadata"))
    boxes, keypoints, meta = data["boxes"], data["keypoints"], data["metadata"]
    video = Path(path).name.removesuffix(".npz")
    size = _size(meta, f"{path}: 'metadata'")
    for name in ("boxes", "keypoints"):
        if not isinstance(data[name], np.ndarray) or not data[name].ndim:
            raise ValueError(f"{path}: '{name}' is {_kind(data[name])}, expected one entry a frame")
    if len(boxes) != len(keypoints) or not len(boxes):
        raise ValueError(
            f"{path}: {len(boxes)} frames of boxes and {len(keypoints)} of keypoints, expected the same, above 0"
        )
    detected = np.zeros(len(boxes), dtype=bool)
    poses = np.zeros((len(boxes), 17, 2), dtype=np.float32)
    best_boxes = np.zeros((len(boxes), 4), dtype=np.float32)
    scores = np.zeros((len(boxes), 17), dtype=np.float32)
    for t in range(len(boxes)):
        frame_boxes, frame_poses = (_people(data[t], f"{path}: frame {t}") for data in (boxes, keypoints))
        if not len(frame_boxes) or not len(frame_poses):
            continue
        if frame_poses.shape == (len(frame_boxes), 17, 3):  # x, y, score; Detectron's own rows are x, y, logit, score
            frame_poses = frame_poses.transpose(0, 2, 1)[:, [0, 1, 2, 2]]
        if frame_boxes.shape[1:] != (5,) or frame_poses.shape != (len(frame_boxes), 4, 17):
            raise ValueError(
                f"{path}: frame {t} has boxes {frame_boxes.shape} and keypoints {frame_poses.shape}, "
                "expected (N, 5) and (N, 4, 17) or (N, 17, 3)"
            )
        best = int(np.argmax(frame_boxes[:, 4]))
        if not np.isfinite(frame_poses[best, :2]).all():
            continue
        best_boxes[t], poses[t], scores[t] = frame_boxes[best, :4], frame_poses[best, :2].T, frame_poses[best, 3]
        detected[t] = True
    if not detected.any():
        raise ValueError(f"{path}: nobody was detected in any of the {len(boxes)} frames of {video}")
    return Keypoints2D(
        fill_gaps(poses, detected),
        detected,
        size,
        None,
        video,
        fill_gaps(best_boxes, detected),
        scores,
    )


def _people(frame: Any, where: str) -> np.ndarray:
    """The person class of one frame's lists, by class; an empty list is nobody."""
    if not isinstance(frame, (list, tuple, np.ndarray)) or (isinstance(frame, np.ndarray) and not frame.ndim):
        raise ValueError(f"{where} is {_kind(frame)}, expected a list by class")
    if len(frame) <= PERSON:
        return np.zeros((0, 0))
    rows = np.atleast_1d(_array(frame[PERSON], where))
    return rows if rows.size else np.zeros((0, 0))


def _array(value: Any, where: str) -> np.ndarray:
    """Numbers, whatever holds them."""
    try:
        out = np.asarray(value)
    except (ValueError, TypeError, OverflowError):
        out = np.array(None)
    if out.dtype.kind not in "fiub":
        raise ValueError(f"{where} holds {_kind(value)}, expected numbers")
    return out


def _kind(value: Any) -> str:
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__


def _dict(value: Any, where: str) -> dict:
    if not isinstance(value, dict):
        raise ValueError(f"{where} is {_kind(value)}, expected a dict")
    return value


def _size(meta: Any, where: str) -> tuple[int, int]:
    """Width and height of a video, from numbers below 'w' and 'h'."""
    sides: list[Any] = [_dict(meta, where).get(side) for side in ("w", "h")]
    for value in sides:
        number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
        if not number or not 0 < value < 100_000 or value != int(value):
            raise ValueError(f"{where} has 'w' {repr(sides[0])[:40]} and 'h' {repr(sides[1])[:40]}, expected pixels")
    return int(sides[0]), int(sides[1])


def read_custom_2d(
    path: str | os.PathLike, video: str | None = None, size: tuple[int, int] | None = None
) -> Keypoints2D:
    """Read one clip of a ``data_2d_*`` file, which keeps no detection mask: joints at NaN or (0, 0) are missing.

    Args:
        path: The file: {subject or video: {action: [a clip per camera]}}.
        video: The clip: a video's name, or ``SUBJECT/ACTION/CAMERA`` or the beginning of it; None: the only one.
        size: (width, height) of the images where the file does not say.

    Returns:
        The person.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: No such clip, a choice of several, another joint set or form, an unknown size.
    """
    positions, meta = read_positions_2d(path)
    layout = str(meta.get("layout_name", "coco")) if isinstance(meta, dict) else "coco"
    if layout != "coco":
        raise ValueError(f"{path}: 'layout_name' is {layout!r}, expected 'coco' (COCO's 17 joints)")
    clips = {
        name if len(actions) == len(views) == 1 and action == "custom" else f"{name}/{action}/{k}": (name, view)
        for name, actions in positions.items()
        for action, views in actions.items()
        for k, view in enumerate(views)
    }
    wanted = (video or "").strip("/")
    chosen = [name for name in clips if not wanted or name == wanted or name.startswith(f"{wanted}/")]
    if not chosen or len({name.rpartition("/")[0] or name for name in chosen}) > 1:
        shown = ", ".join(list(clips)[:8]) + (", ..." if len(clips) > 8 else "")
        raise ValueError(f"{path}: {len(clips)} clips ({shown}), expected a choice of one, found {video!r}")
    notes = []
    if len(chosen) > 1:
        notes.append(f"{path}: {chosen[0]} taken of {len(chosen)} cameras; the others: {', '.join(chosen[1:])}")
    name = chosen[0]
    subject, keypoints = clips[name]
    if keypoints.ndim != 3 or keypoints.shape[1:] != (COCO_17.num_joints, 2) or not len(keypoints):
        raise ValueError(f"{path}: {name}: keypoints {keypoints.shape}, expected (F, 17, 2)")
    size = _video_size(meta, subject) or size
    if size is None:
        raise ValueError(f"{path}: {name}: the file does not hold the image size; give --size WIDTH HEIGHT")
    seen = np.isfinite(keypoints).all(-1) & (keypoints != 0).any(-1)
    poses = np.concatenate([np.where(seen[..., None], keypoints, 0), seen[..., None]], -1)
    joints = known_joints([poses])
    if detect_scale(joints):
        poses = screen_to_pixels(poses, size)
        notes.append(f"{path}: coordinates are VideoPose3D's screen units, of {size[0]}x{size[1]} pixels")
    check_extent(known_joints([poses]), size, f"{path}: {name}")
    filled, detected = fill_joints(poses, f"{path}: {name}")
    return Keypoints2D(filled, detected, size, None, name, notes=tuple(notes))


def _video_size(meta: Any, video: str) -> tuple[int, int] | None:
    record = meta.get("video_metadata") if isinstance(meta, dict) else None
    record = record.get(video) if isinstance(record, dict) else None
    try:
        size = (int(record["w"]), int(record["h"])) if isinstance(record, dict) else None
    except (KeyError, TypeError, ValueError, OverflowError):
        size = None
    return size if size and min(size) > 0 else None


def write_clip(path: str | os.PathLike, clip: Keypoints2D) -> None:
    """Write our own npz of one clip: plain arrays, with what VideoPose3D's form loses.

    Args:
        path: The file.
        clip: What to write.
    """
    extra: dict[str, Any] = {} if clip.scores is None else {"scores": clip.scores}
    if clip.time is not None:
        extra["time"] = clip.time
    elif clip.fps:
        extra["time"] = np.arange(len(clip.keypoints)) / clip.fps
    with atomic_write(path, "wb") as file:
        np.savez_compressed(
            file,
            keypoints=clip.keypoints,
            image_size=np.array(clip.size),
            layout=np.array(COCO_17.name),
            video=np.array(clip.video),
            detected=clip.detected,
            **extra,
        )


def read_clip(path: str | os.PathLike) -> Keypoints2D:
    """Read what `write_clip` writes.

    Args:
        path: The file.

    Returns:
        The clip.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: An entry is missing, or another joint set or shape.
    """
    data = read_npz(path, ("keypoints", "image_size", "layout", "video"), optional=("detected", "time", "scores"))
    for name in ("keypoints", "image_size", "detected", "time", "scores"):
        if name in data:
            data[name] = _array(data[name], f"{path}: '{name}'")
    keypoints, layout = data["keypoints"], repr(str(data["layout"]))[1:-1][:80]
    if (
        layout != COCO_17.name
        or keypoints.ndim != 3
        or keypoints.shape[1:] != (17, 2)
        or not np.isfinite(keypoints).all()
    ):
        raise ValueError(
            f"{path}: layout {layout}, keypoints {keypoints.shape}, expected coco_17 and finite numbers (F, 17, 2)"
        )
    frames = len(keypoints)
    for name, shape in (("detected", (frames,)), ("time", (frames,)), ("scores", (frames, 17)), ("image_size", (2,))):
        if name in data and (data[name].shape != shape or not np.isfinite(data[name]).all()):
            raise ValueError(f"{path}: '{name}' has shape {data[name].shape}, expected finite numbers {shape}")
    width, height = data["image_size"].tolist()
    fps, time = None, data.get("time")
    if time is not None and frames > 1:
        if (np.diff(time) <= 0).any():
            raise ValueError(f"{path}: 'time' does not grow from frame to frame, expected seconds")
        fps = float(round(1 / np.median(np.diff(time)), 3))
        if not 0 < fps < 10_000:
            raise ValueError(f"{path}: 'time' grows by {np.median(np.diff(time)):g} a frame, expected seconds")
    return Keypoints2D(
        keypoints.astype(np.float32),
        data["detected"].astype(bool) if "detected" in data else np.ones(frames, dtype=bool),
        _size({"w": width, "h": height}, f"{path}: 'image_size'"),
        fps,
        str(data["video"]),
        scores=data.get("scores"),
    )


def read_positions_3d(path: str | os.PathLike) -> dict[str, dict[str, np.ndarray]]:
    """Read ``data_3d_*.npz``; 32 joints become 17, corrupt clips are left out.

    Args:
        path: The file.

    Returns:
        {subject: {action: (F, 17, 3)}}, metres in the world.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A clip of another shape.
    """
    positions = _dict(read_npz(path, ("positions_3d",))["positions_3d"], f"{path}: 'positions_3d'")
    out: dict[str, dict[str, np.ndarray]] = {}
    for subject, actions in positions.items():
        for action, clip in _dict(actions, f"{path}: {str(subject)[:80]!r}").items():
            clip = _float32(clip, f"{path}: {str(subject)[:80]} {str(action)[:80]}")
            if clip.ndim != 3 or clip.shape[1] not in (32, H36M_17.num_joints) or clip.shape[2] != 3:
                raise ValueError(f"{path}: {subject} {action}: shape {clip.shape}, expected (F, 32, 3) or (F, 17, 3)")
            if (subject, action) not in H36M_BROKEN:
                clip = clip[:, list(H36M_17_OF_32)] if clip.shape[1] == 32 else clip
                out.setdefault(str(subject), {})[str(action)] = clip
    return out


def read_positions_2d(path: str | os.PathLike) -> tuple[dict[str, dict[str, list[np.ndarray]]], dict]:
    """Read ``data_2d_*.npz``.

    Args:
        path: The file.

    Returns:
        {subject: {action: [one (F, J, 2) per camera]}}, pixels, and the file's metadata.
    """
    data = read_npz(path, ("positions_2d", "metadata"))
    clips = {
        str(subject): {
            str(action): [
                _float32(view, f"{path}: {str(subject)[:80]} {str(action)[:80]}")[..., :2]
                for view in _list(views, path)
            ]
            for action, views in _dict(actions, f"{path}: {str(subject)[:80]!r}").items()
        }
        for subject, actions in _dict(data["positions_2d"], f"{path}: 'positions_2d'").items()
    }
    return clips, _dict(data["metadata"], f"{path}: 'metadata'")


def _float32(value: Any, where: str) -> np.ndarray:
    out = _array(value, where)
    if not out.ndim:
        raise ValueError(f"{where} is {_kind(value)}, expected an array a camera")
    return out.astype(np.float32)


def _list(value: Any, path: str | os.PathLike) -> list:
    if not isinstance(value, (list, tuple, np.ndarray)) or (isinstance(value, np.ndarray) and not value.ndim):
        raise ValueError(f"{path}: 'positions_2d' holds {_kind(value)}, expected a list of cameras' arrays")
    return list(value)


@dataclass(frozen=True)
class LiftingClip:
    """One clip of one camera for training.

    Attributes:
        name: Subject, action and camera.
        action: As the file names it.
        keypoints: (F, K, 2) pixels.
        positions: (F, J, 3) metres in the camera's axes, or None.
        size: (width, height).
        intrinsics: (9,) in screen units, see `screen_intrinsics`.
    """

    name: str
    action: str
    keypoints: np.ndarray
    positions: np.ndarray | None
    size: tuple[int, int]
    intrinsics: np.ndarray


def read_cameras(path: str | os.PathLike) -> dict[str, list[dict]]:
    """Read the cameras of every subject: a JSON object of lists, one entry per camera in the order of the 2D file.

    Entry: ``size`` [w, h], ``focal`` [fx, fy], ``center`` [cx, cy] in pixels, ``orientation`` (unit quaternion w, x, y,
    z, camera to world), ``position`` (metres), optional ``radial`` (3) and ``tangential`` (2). The subject ``*`` stands
    for any that is not listed.

    Args:
        path: The file.

    Returns:
        Entries by subject, lists as arrays.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, entry, field, found and expected.
    """
    name = str(path)
    data = load_json(path)
    if not isinstance(data, dict) or not data:
        raise ValueError(f"{name}: expected an object of subjects, each a list of cameras")
    cameras: dict[str, list[dict]] = {}
    for subject, views in data.items():
        cameras[subject] = []
        for i, view in enumerate(entries(views, f"{name}: {subject}")):
            here = f"{name}: {subject}[{i}]"
            fields = {
                key: numbers(view, key, count, here)
                for key, count in (("size", 2), ("focal", 2), ("center", 2), ("orientation", 4), ("position", 3))
            }
            if (fields["size"] < 1).any() or (fields["size"] > 100_000).any() or (fields["focal"] <= 0).any():
                raise ValueError(f"{here}: 'size' {view['size']}, 'focal' {view['focal']}, expected pixels above 0")
            if abs(np.linalg.norm(fields["orientation"]) - 1) > 1e-3:
                raise ValueError(
                    f"{here}: 'orientation' has length {np.linalg.norm(fields['orientation']):.4f}, expected a "
                    "unit quaternion"
                )
            fields |= {
                key: numbers(view, key, count, here) if key in view else np.zeros(count)
                for key, count in (("radial", 3), ("tangential", 2))
            }
            cameras[subject].append(fields)
    return cameras


def screen_intrinsics(camera: dict) -> np.ndarray:
    """Intrinsics in screen units.

    Args:
        camera: An entry of `read_cameras`.

    Returns:
        (9,) fx, fy, cx, cy, k1, k2, k3, p1, p2.
    """
    size = (int(camera["size"][0]), int(camera["size"][1]))
    focal = 2 * camera["focal"] / size[0]
    return np.concatenate([focal, to_screen(camera["center"], size), camera["radial"], camera["tangential"]]).astype(
        np.float32
    )


def load_lifting_clips(
    keypoints_file: str,
    camera_file: str,
    positions_file: str | None,
    subjects: list[str] | None,
    source: Skeleton,
    target: Skeleton,
    downsample: int = 1,
    subset: float = 1.0,
) -> list[LiftingClip]:
    """Load clips of all cameras, 3D brought into camera axes.

    Args:
        keypoints_file: ``data_2d_*.npz``.
        camera_file: JSON, see `read_cameras`.
        positions_file: ``data_3d_*.npz``; None: unlabelled clips.
        subjects: Subjects to use; None: all.
        source: Joint set of the 2D.
        target: Joint set of the 3D.
        downsample: Use every n-th frame.
        subset: Use this share of every clip, one contiguous part.

    Returns:
        One entry per action and camera.

    Raises:
        ValueError: Joint counts that do not fit, fewer 2D than 3D frames, a subject without cameras, no clip at all.
    """
    if not 0 < subset <= 1 or downsample < 1:
        raise ValueError(f"lifting clips: subset {subset}, downsample {downsample}, expected (0, 1] and 1 or more")
    positions_2d, _ = read_positions_2d(keypoints_file)
    positions_3d = read_positions_3d(positions_file) if positions_file else None
    cameras = read_cameras(camera_file)
    clips = []
    for subject in subjects or sorted(positions_2d):
        if subject not in positions_2d:
            raise ValueError(f"{keypoints_file}: no subject {subject!r}, found {', '.join(sorted(positions_2d))}")
        views_of = cameras.get(subject, cameras.get("*"))
        for action, views in sorted(positions_2d[subject].items()):
            if positions_3d is not None and action not in positions_3d.get(subject, {}):
                continue
            if views_of is None or len(views) > len(views_of):
                raise ValueError(f"{camera_file}: {len(views_of or [])} cameras for {subject}, expected {len(views)}")
            for index, (keypoints, camera) in enumerate(zip(views, views_of, strict=False)):
                where = f"{keypoints_file}: {subject} {action} camera {index}"
                if (
                    keypoints.ndim != 3
                    or keypoints.shape[1:] != (source.num_joints, 2)
                    or not np.isfinite(keypoints).all()
                ):
                    raise ValueError(f"{where}: {keypoints.shape}, expected finite numbers (F, {source.num_joints}, 2)")
                world = None
                if positions_3d is not None:
                    world = positions_3d[subject][action]
                    if len(keypoints) < len(world):
                        raise ValueError(f"{where}: {len(keypoints)} frames of 2D, fewer than the {len(world)} of 3D")
                    if world.shape[1] != target.num_joints:
                        raise ValueError(f"{positions_file}: {world.shape[1]} joints, expected {target.num_joints}")
                    keypoints = keypoints[: len(world)]
                    if not np.isfinite(world).all():
                        raise ValueError(f"{positions_file}: {subject} {action}: found NaN or infinity")
                    world = world_to_camera(world, camera["orientation"], camera["position"])
                part = _part(len(keypoints), downsample, subset)
                clips.append(
                    LiftingClip(
                        f"{subject} {action} {index}",
                        action,
                        keypoints[part],
                        None if world is None else world[part],
                        (int(camera["size"][0]), int(camera["size"][1])),
                        screen_intrinsics(camera),
                    )
                )
    if not clips:
        also = f" that {positions_file} has, too" if positions_file else ""
        raise ValueError(f"{keypoints_file}: no clip for subjects {subjects}{also}")
    return clips


def _part(frames: int, downsample: int, subset: float) -> slice:
    """The middle ``subset`` of a clip, every ``downsample``-th frame."""
    length = max(1, round(frames * subset))
    start = (frames - length) // 2
    return slice(start, start + length, downsample)
